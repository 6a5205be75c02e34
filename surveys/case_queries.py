"""What the dashboard reads about unhappy customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from customers.models import OrderLine
from outreach.models import Message
from rewards.models import Reward
from rewards.services import apologies
from rewards.wording import offer_text
from stores import lists
from stores.models import Membership, Store, User
from surveys import rules
from surveys.models import FOLLOW_UP, CaseEvent, Invitation, RecoveryCase, Response

OPEN, SOLVED = RecoveryCase.Status.OPEN, RecoveryCase.Status.SOLVED
What = CaseEvent.What
YEAR = timedelta(days=365)

# -- The list --


def cases(store: Store, *, show: str, user: User, at: datetime) -> QuerySet[RecoveryCase]:
    """Open cases, the oldest promise first; `show` narrows them to "mine", "nobody" or "overdue".

    "ended" gives those that ended, the latest first.
    """
    rows = with_facts(RecoveryCase.objects.for_store(store))
    if show == "ended":
        return rows.exclude(status=OPEN).order_by("-ended_at", "-pk")
    return rows.filter(_shown(user, at).get(show, Q()), status=OPEN).order_by("promise_at", "pk")


def _shown(user: User, at: datetime) -> dict[str, Q]:
    return {"mine": Q(assignee=user), "nobody": Q(assignee=None), "overdue": Q(promise_at__lt=at)}


def counts(store: Store, user: User, at: datetime) -> dict[str, int]:
    """How many open cases each choice shows, and how many there are at "all". One query."""
    waiting = RecoveryCase.objects.for_store(store).filter(status=OPEN)
    narrowed = {name: Count("pk", filter=chosen) for name, chosen in _shown(user, at).items()}
    return waiting.aggregate(all=Count("pk"), **narrowed)


def page_of(rows: QuerySet[RecoveryCase], *, ended: bool, cursor: str) -> lists.Page:
    """A page of `cases`; `cursor` is what the page before named."""
    if ended:
        return lists.keyset_page(rows, "ended_at", cursor)
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    found = list(rows[start : start + lists.PAGE + 1])
    return lists.Page(found[: lists.PAGE], str(start + lists.PAGE) if len(found) > lists.PAGE else "")


def with_facts(rows: QuerySet[RecoveryCase]) -> QuerySet[RecoveryCase]:
    """Each case with who, what they bought, and what they said."""
    lines = Prefetch("response__invitation__order__lines", OrderLine.objects.select_related("product"))
    joined = rows.select_related("customer__store", "assignee", "store", "response__invitation__order")
    return joined.prefetch_related(lines)


def bought(case: RecoveryCase) -> list[str]:
    """Names of what they bought, dearest first; expects `with_facts`."""
    invitation = case.response.invitation
    lines = invitation.order.lines.all() if invitation and invitation.order else []
    names = [line.product.name for line in sorted(lines, key=lambda line: -line.unit_price_minor * line.quantity)]
    return names or [name for name in [invitation.product_name if invitation else ""] if name]


def is_overdue(case: RecoveryCase, at: datetime) -> bool:
    """Whether somebody should have answered them by now; `at` is aware UTC."""
    return case.status == OPEN and case.promise_at < at


# -- How it went on --


@dataclass(frozen=True)
class Asked:
    """What became of "did we put it right?": `state` is waiting, asked, turned or not_turned."""

    state: str
    response: Response | None = None


def follow_ups(store: Store, ended: list[RecoveryCase]) -> dict[int, Asked]:
    """For each of these cases the question that followed, by the case's id; one query."""
    keys = [f"{FOLLOW_UP}{case.pk}" for case in ended]
    rows = Invitation.objects.for_store(store).filter(key__in=keys).select_related("response", "message")
    return {int(row.key.removeprefix(FOLLOW_UP)): _asked(row) for row in rows}


def _asked(invitation: Invitation) -> Asked:
    response: Response | None = getattr(invitation, "response", None)
    if response:
        return Asked("turned" if rules.is_turned(response.score) else "not_turned", response)
    message = invitation.message
    return Asked("asked" if message and message.status == Message.Status.SENT else "waiting")


@dataclass(frozen=True)
class Turned:
    """How many of the unhappy were won back, with everything it is a part of; cases of the last year."""

    ended: int
    solved: int
    asked: int
    answered: int
    turned: int

    @property
    def share(self) -> float | None:
        """The part of those who answered, 0..1; None with too few answers to say."""
        return self.turned / self.answered if self.answered >= rules.ENOUGH else None

    @property
    def low(self) -> float:
        """The lower end of its 95 % interval, 0..1."""
        found = rules.satisfaction(self.turned, self.answered)
        return found.low / 100 if found else 0

    @property
    def high(self) -> float:
        """The upper end."""
        found = rules.satisfaction(self.turned, self.answered)
        return found.high / 100 if found else 1


def turned(store: Store, at: datetime) -> Turned:
    """What became of the cases that ended in the year before `at`; two queries."""
    ended = RecoveryCase.objects.for_store(store).filter(ended_at__gt=at - YEAR).exclude(status=OPEN)
    sums = ended.aggregate(ended=Count("pk"), solved=Count("pk", filter=Q(status=SOLVED)))
    asked = Invitation.objects.for_store(store).filter(key__startswith=FOLLOW_UP, due_at__gt=at - YEAR)
    won = rules.scores_of(rules.Group.PROMOTER) + rules.scores_of(rules.Group.PASSIVE)
    counted = Q(response__is_suspect=False)
    after = asked.aggregate(
        asked=Count("pk", filter=Q(message__status=Message.Status.SENT) | counted),
        answered=Count("pk", filter=counted),
        turned=Count("pk", filter=counted & Q(response__score__in=won)),
    )
    return Turned(**sums, **after)


# -- One case --


@dataclass(frozen=True)
class Step:
    """A line of a case's history. `undo` is the step that takes it back, with what it is about; '' for none."""

    at: datetime
    by: str
    title: str
    note: str
    undo: str = ""
    about: str = ""
    state: str = ""


def history(case: RecoveryCase) -> list[Step]:
    """What happened, latest first, in words; three queries, and one for each voucher that stands."""
    events = list(CaseEvent.objects.for_store(case.store).filter(case=case).select_related("by").order_by("pk"))
    letters, gifts = _letters(case, events), _gifts(case, events)
    steps = []
    for place, event in enumerate(events):
        before = events[place - 1].status if place else ""
        by = str(event.by or "")
        if event.what == What.WROTE:
            steps.append(_wrote(event, by, letters.get(event.about)))
        elif event.what == What.GAVE:
            steps.append(_gave(event, by, gifts.get(event.about)))
        else:
            steps.append(Step(event.at, by, _title(event, before), "" if event.what == What.ASSIGNED else event.note))
    return steps[::-1]


def _letters(case: RecoveryCase, events: list[CaseEvent]) -> dict[str, Message]:
    keys = [event.about for event in events if event.what == What.WROTE]
    rows = Message.objects.for_store(case.store).filter(key__in=keys) if keys else []
    return {message.key: message for message in rows}


def _gifts(case: RecoveryCase, events: list[CaseEvent]) -> dict[str, Reward]:
    keys = [event.about for event in events if event.what == What.GAVE]
    rows = Reward.objects.for_store(case.store).filter(key__in=keys).select_related("offer", "store") if keys else []
    return {reward.key: reward for reward in rows}


def _wrote(event: CaseEvent, by: str, message: Message | None) -> Step:
    waits = message is not None and message.status == Message.Status.PENDING
    state = str(message.get_status_display()) if message else ""
    return Step(event.at, by, _("Wrote to them"), event.note, "unwrite" if waits else "", event.about, state)


def _gave(event: CaseEvent, by: str, reward: Reward | None) -> Step:
    gift = offer_text(reward.offer, reward.store) if reward else ""
    stands = reward is not None and reward.status == Reward.Status.GRANTED and apologies.is_unused(reward)
    title = _("Gave them %(gift)s") % {"gift": gift}
    return Step(event.at, by, title, event.note, "take_back" if stands else "", event.about)


def _title(event: CaseEvent, before: str) -> str:
    if not before:
        return _("They answered, the case was opened")
    if event.what == What.ASSIGNED:
        return _("Now with %(name)s") % {"name": event.note} if event.note else _("Now with nobody")
    if event.what == What.UNWROTE:
        return _("Called the letter back before it went out")
    if event.what == What.TOOK_BACK:
        return _("Took the voucher back")
    if event.what == What.STEP and event.status != before:
        endings = {"open": _("Opened again"), "solved": _("Solved"), "closed": _("Closed without a solution")}
        return endings[event.status]
    return _("Note")


def helpers(store: Store) -> list[User]:
    """Who may look after a case: everybody who works here."""
    rows = Membership.objects.for_store(store).select_related("user").order_by("user__name", "user__email")
    return [row.user for row in rows]


def last_gift(case: RecoveryCase) -> Reward | None:
    """The newest apology of this case that stands."""
    given = Reward.objects.for_store(case.store).filter(
        customer=case.customer_id, status=Reward.Status.GRANTED, key__startswith=f"{apologies.PREFIX}{case.pk}:"
    )
    newest: Any = given.select_related("offer", "store").order_by("-pk").first()
    return newest


def gifts_given(case: RecoveryCase) -> int:
    """How many apologies this case has seen: the `number` of the next."""
    return CaseEvent.objects.for_store(case.store).filter(case=case, what=What.GAVE).count()
