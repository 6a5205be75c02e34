"""A contest as customers see it: who leads, by names that people agreed to, the rules in words. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from customers.models import Customer
from referrals.models import Contest, Prize
from referrals.public.friends import short
from referrals.services.leaderboards import Row, leaderboard, prizes_of, standings_of, won_by
from rewards.wording import offer_text
from stores.l10n import format_datetime, format_number
from stores.models import Store

SHOWN, CARDS = 50, 3
NEWS = timedelta(days=14)  # so long the result stands on people's own page


@dataclass(frozen=True)
class PublicRow:
    """A line of the leaderboard. `name` is '' for whoever has not agreed to be read there."""

    place: int
    name: str
    friends: int
    waiting: int
    wins: str

    @property
    def total(self) -> int:
        """What the place goes by."""
        return self.friends + self.waiting


@dataclass(frozen=True)
class Card:
    """A contest on a customer's own page, and where they stand in it."""

    contest: Contest
    state: str
    url: str
    row: PublicRow | None
    first_prize: str


def contest_path(contest: Contest) -> str:
    """Where everybody can read it."""
    return reverse("referral:contest", args=[contest.store.slug, contest.public_id])


def public_rows(contest: Contest, at: datetime) -> list[PublicRow]:
    """The best of it as everybody may see them: as they stand, or as it was written down."""
    prizes = prizes_of(contest)
    if contest.status == Contest.Status.CLOSED:
        return [
            _line(contest, prizes, one.place, one.customer.today, one.friends, 0)
            for one in standings_of(contest)[:SHOWN]
        ]
    return [_row(contest, prizes, one) for one in leaderboard(contest, at, most=SHOWN)]


def _row(contest: Contest, prizes: Sequence[Prize], row: Row) -> PublicRow:
    return _line(contest, prizes, row.place, row.customer, row.friends, row.waiting)


def _line(
    contest: Contest, prizes: Sequence[Prize], place: int, customer: Customer, friends: int, waiting: int
) -> PublicRow:
    offer = won_by(place, prizes, contest.consolation)
    name = short(customer.short_name) if customer.on_leaderboard else ""
    return PublicRow(place, name, friends, waiting, offer_text(offer, contest.store) if offer else "")


def cards_of(owner: Customer, at: datetime) -> list[Card]:
    """The contests a customer can win or has lately been in, with their own place."""
    fresh = Q(status=Contest.Status.CLOSED, closed_at__gt=at - NEWS)
    rows = Contest.objects.for_store(owner.store).filter(Q(status=Contest.Status.OPEN) | fresh)
    found = list(rows.select_related("consolation", "store").order_by("-ends_at", "-pk")[:CARDS])
    return [_card(one, owner, at) for one in found]


def _card(contest: Contest, owner: Customer, at: datetime) -> Card:
    prizes = prizes_of(contest)
    first = won_by(1, prizes, contest.consolation)
    return Card(
        contest=contest,
        state=contest.state_at(at),
        url=contest_path(contest),
        row=_own_row(contest, prizes, owner, at),
        first_prize=offer_text(first, contest.store) if first else "",
    )


def _own_row(contest: Contest, prizes: Sequence[Prize], owner: Customer, at: datetime) -> PublicRow | None:
    if contest.status == Contest.Status.CLOSED:
        mine = standings_of(contest).filter(Q(customer=owner) | Q(customer__merged_into=owner)).first()
        return _line(contest, prizes, mine.place, owner, mine.friends, 0) if mine else None
    return next((_row(contest, prizes, one) for one in leaderboard(contest, at, most=0, me=owner)), None)


# -- The rules --


def rules_of(contest: Contest) -> list[str]:
    """What follows from the contest's dates and prizes, in the active language and time zone."""
    return list(_rules(contest, contest.store, get_language() or "en"))


def _rules(contest: Contest, store: Store, language: str) -> Iterator[str]:
    zone = timezone.get_current_timezone()
    start, end = (format_datetime(moment, language, zone) for moment in (contest.starts_at, contest.ends_at))
    words = {"start": start, "end": end, "store": store.name}
    yield _("Whoever brings the most friends to %(store)s wins.") % words
    yield _("What counts is that they buy from %(start)s until %(end)s.") % words
    yield _("A friend counts by the terms of the program, when what they bought is neither returned nor cancelled.")
    for prize in prizes_of(contest):
        yield _prize_line(prize, store, language)
    if contest.consolation:
        words = {"gift": offer_text(contest.consolation, store)}
        yield _("Everybody else with at least one friend: %(gift)s.") % words
    yield _("Of two with as many friends, whoever had them first is ahead.")
    yield (
        ngettext(
            "The prizes are given about %(count)s day after the end, when it is known what was sent back.",
            "The prizes are given about %(count)s days after the end, when it is known what was sent back.",
            contest.settle_days,
        )
        % {"count": format_number(contest.settle_days, language)}
    )
    yield _("Others read your first name and the first letter of your last name only if you allow it on your page.")


def _prize_line(prize: Prize, store: Store, language: str) -> str:
    first, last = (format_number(place, language) for place in (prize.first, prize.last))
    words = {"first": first, "last": last, "gift": offer_text(prize.offer, store)}
    if prize.first == prize.last:
        return _("Place %(first)s: %(gift)s.") % words
    return _("Places %(first)s to %(last)s, each: %(gift)s.") % words
