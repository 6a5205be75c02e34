"""Contests: made, announced, called off, closed. The only writer of Contest.status, and of what it leads to.

Closing writes down once where everybody came in and gives the prizes, in one transaction; after that nothing is
changed by itself: see `leaderboards.recheck`. Each step stands in the store's history, under `contest.…`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value

from referrals.models import Contest, Prize, Program, Referral, Standing
from referrals.services import deciding
from referrals.services.leaderboards import Row, in_window, leaderboard, prizes_of, undecided, won_by
from referrals.services.terms import OfferTerms, make_offer, terms_of_offer
from rewards.models import Offer, Reward
from rewards.services import granting, telling
from stores.models import AuditEvent, Store, User
from stores.services import note

Status = Contest.Status
# Of what a commission would be a share there is no order.
KINDS = [kind for kind in Offer.Kind if kind != Offer.Kind.COMMISSION]
LATE = timedelta(days=1)  # the sweep that counts friends may be late
AT_ONCE = 20


@dataclass(frozen=True)
class PrizeTerms:
    """What the places from `first` to `last` are to win."""

    first: int
    last: int
    offer: OfferTerms


@dataclass(frozen=True)
class ContestData:
    """What a contest is to be; moments are aware UTC, `rules` is what the store adds to what follows from the rest."""

    name: str
    starts_at: datetime
    ends_at: datetime
    prizes: Sequence[PrizeTerms]
    consolation: OfferTerms | None = None
    settle_days: int = 14
    rules: str = ""


# -- Drafts --


def make_contest(store: Store, data: ContestData, *, by: User | None, at: datetime) -> Contest:
    """A new contest, which nobody sees before it is announced."""
    with transaction.atomic():
        contest = Contest(store=store, **_columns(store, data))
        contest.save()
        _make_prizes(contest, data.prizes)
        note(store, "contest.made", subject=contest.public_id, after=_facts(data), by=by, at=at)
    return contest


class Announced(Exception):
    """It is no draft any more: what was announced stays as it was announced."""


def change_contest(contest: Contest, data: ContestData, *, by: User | None, at: datetime) -> Contest:
    """Make something else of a draft. Raises Announced."""
    with transaction.atomic():
        columns = _columns(contest.store, data)
        if not _mine(contest).filter(status=Status.DRAFT).update(**columns):
            raise Announced(contest.public_id)
        Prize.objects.for_store(contest.store).filter(contest=contest).delete()
        _make_prizes(contest, data.prizes)
        note(contest.store, "contest.changed", subject=contest.public_id, after=_facts(data), by=by, at=at)
    for name, value in columns.items():
        setattr(contest, name, value)
    return contest


def data_of(contest: Contest) -> ContestData:
    """A contest as it was written down."""
    return ContestData(
        name=contest.name,
        starts_at=contest.starts_at,
        ends_at=contest.ends_at,
        prizes=[PrizeTerms(one.first, one.last, terms_of_offer(one.offer)) for one in prizes_of(contest)],
        consolation=terms_of_offer(contest.consolation) if contest.consolation else None,
        settle_days=contest.settle_days,
        rules=contest.rules,
    )


def _columns(store: Store, data: ContestData) -> dict[str, Any]:
    return {
        "name": data.name,
        "rules": data.rules,
        "starts_at": data.starts_at,
        "ends_at": data.ends_at,
        "settle_days": data.settle_days,
        "consolation": make_offer(store, data.consolation) if data.consolation else None,
    }


def _make_prizes(contest: Contest, prizes: Sequence[PrizeTerms]) -> None:
    Prize.objects.bulk_create(
        Prize(
            store_id=contest.store_id,
            contest=contest,
            first=one.first,
            last=one.last,
            offer=make_offer(contest.store, one.offer),
        )
        for one in prizes
    )


def _facts(data: ContestData) -> dict[str, Any]:
    return {
        "name": data.name,
        "starts_at": data.starts_at.isoformat(),
        "ends_at": data.ends_at.isoformat(),
        "settle_days": data.settle_days,
        "prizes": len(data.prizes),
    }


def longest_hold(store: Store) -> int:
    """The days after which a purchase counts in whichever of the store's programs takes longest."""
    programs = Program.objects.for_store(store).exclude(audience=Program.Audience.STORES)
    running = programs.filter(status=Program.Status.LIVE)
    return max(running.values_list("terms__hold_days", flat=True), default=0)


# -- Steps --


class NotYet(Exception):
    """It cannot be announced so: `reason` is over, empty or currency."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def announce(contest: Contest, *, by: User | None, at: datetime) -> bool:
    """Show it to customers; True if this call did it. Raises NotYet: it is over, has no prize, or those of other money.

    What friends bought since its start counts, also before the announcement.
    """
    if contest.ends_at <= at:
        raise NotYet("over")
    offers = [prize.offer for prize in prizes_of(contest)]
    offers += [contest.consolation] if contest.consolation else []
    if not offers:
        raise NotYet("empty")
    if {offer.currency for offer in offers} != {contest.store.currency}:
        raise NotYet("currency")
    return _move(contest, Status.OPEN, only=Q(status=Status.DRAFT, ends_at__gt=at), by=by, at=at)


def withdraw(contest: Contest, *, by: User | None, at: datetime) -> bool:
    """Make an announced contest a draft again, before it begins; True if this call did it."""
    return _move(contest, Status.DRAFT, only=Q(status=Status.OPEN, starts_at__gt=at), by=by, at=at)


def call_off(contest: Contest, *, by: User | None, at: datetime) -> bool:
    """Nobody wins anything; True if this call did it. `put_back` undoes it."""
    return _move(contest, Status.CANCELLED, only=Q(status__in=[Status.DRAFT, Status.OPEN]), by=by, at=at)


def put_back(contest: Contest, *, by: User | None, at: datetime) -> bool:
    """Undo calling it off, as if it had never been; True if this call did it."""
    return _move(contest, status_before(contest), only=Q(status=Status.CANCELLED), by=by, at=at)


def is_shown(contest: Contest) -> bool:
    """Whether customers may see it: it was announced, whatever became of it."""
    if contest.status == Status.CANCELLED:
        return status_before(contest) != Status.DRAFT
    return contest.status != Status.DRAFT


def status_before(contest: Contest) -> Contest.Status:
    """What a contest was when it was called off."""
    steps = history(contest).filter(action="contest.status", after__status=Status.CANCELLED)
    last = steps.first()
    return Status(last.before["status"]) if last else Status.DRAFT


def history(contest: Contest) -> QuerySet[Any]:
    """What was done with it, the newest first."""
    rows: QuerySet[Any] = AuditEvent.objects.filter(store_id=contest.store_id, subject=contest.public_id)
    return rows.filter(action__startswith="contest.").select_related("user").order_by("-at", "-pk")


def _move(
    contest: Contest, to: Contest.Status, *, only: Q, by: User | None, at: datetime, closed_at: datetime | None = None
) -> bool:
    sources = [source for source, targets in Contest.MOVES.items() if to in targets]
    with transaction.atomic():
        before = contest.status
        # Claim by guarded UPDATE: of two racing callers exactly one sees a row.
        moved = _mine(contest).filter(only, status__in=sources).update(status=to, closed_at=closed_at)
        if moved:
            contest.status, contest.closed_at = to, closed_at
            facts = {"before": {"status": str(before)}, "after": {"status": str(to)}}
            note(contest.store, "contest.status", subject=contest.public_id, by=by, at=at, **facts)
    return bool(moved)


def _mine(contest: Contest) -> QuerySet[Any]:
    rows: QuerySet[Any] = Contest.objects.filter(pk=contest.pk, store_id=contest.store_id)
    return rows


# -- Closing --


class TooEarly(Exception):
    """It still runs, or `waiting` of its friends may yet count or not."""

    def __init__(self, waiting: int = 0) -> None:
        super().__init__(waiting)
        self.waiting = waiting


def close_contest(contest: Contest, *, by: User | None, at: datetime) -> bool:
    """Write down where everybody came in and give the prizes, once; True if this call did it.

    `by` is the manager who does not want to wait for the sweep. Raises TooEarly before the end; and, while it is not
    yet `settles_at`, where friends of the contest are undecided. Who is undecided after that has not counted.
    """
    if at < contest.ends_at:
        raise TooEarly
    with transaction.atomic():
        if not _move(contest, Status.CLOSED, only=Q(status=Status.OPEN, ends_at__lte=at), by=by, at=at, closed_at=at):
            return False
        waiting = undecided(contest) if at < contest.settles_at else 0
        if waiting:
            contest.status, contest.closed_at = Status.OPEN, None
            raise TooEarly(waiting)
        # One query, so of a friend who is decided for in this very moment all is seen, or nothing.
        rows, prizes = leaderboard(contest, at, final=True), prizes_of(contest)
        won = [(row, _reward(contest, row, won_by(row.place, prizes, contest.consolation), at)) for row in rows]
        Standing.objects.bulk_create(_standing(contest, row, reward) for row, reward in won)
    return True


def _reward(contest: Contest, row: Row, offer: Offer | None, at: datetime) -> Reward | None:
    """What a place brings, given and told."""
    if offer is None:
        return None
    key = f"contest:{contest.pk}:{row.customer.pk}"
    reward = granting.grant(row.customer, offer, side=Reward.Side.CUSTOMER, key=key, at=at)
    telling.tell_given(reward, at=at, contest=contest.name, place=row.place)
    return reward


def _standing(contest: Contest, row: Row, reward: Reward | None) -> Standing:
    return Standing(
        store_id=contest.store_id,
        contest=contest,
        customer=row.customer,
        place=row.place,
        friends=row.friends,
        reached_at=row.reached_at,
        reward=reward,
    )


def close_due(store: Store, at: datetime) -> int:
    """Close what has settled; one whose friends are still within their hold waits for them."""
    settles = ExpressionWrapper(
        F("ends_at") + F("settle_days") * Value(timedelta(days=1)), output_field=DateTimeField()
    )
    rows = Contest.objects.for_store(store).filter(status=Status.OPEN, ends_at__lte=at).annotate(settled=settles)
    due = list(rows.filter(settled__lte=at).select_related("store", "consolation").order_by("ends_at", "pk")[:AT_ONCE])
    return deciding.for_each(
        [one for one in due if not _waits(one, at)], lambda one: close_contest(one, by=None, at=at)
    )


def _waits(contest: Contest, at: datetime) -> bool:
    pending = in_window(contest).filter(status=Referral.Status.PENDING)
    return bool(pending.filter(hold_until__gt=at - LATE).exists())
