"""The rows behind each number of the home page: which they are, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from customers.models import Customer
from insights.happenings import page_of
from insights.numbers import money, people
from insights.numbers.period import Period
from insights.words import plain_money
from referrals.models import Claim, Referral, Visit
from rewards.models import Entry
from stores.models import Store
from surveys.models import Response
from surveys.rules import Group, scores_of


@dataclass(frozen=True)
class Cell:
    """One value of a row; `kind` tells the template how to write it."""

    value: Any
    kind: str = "text"  # text, person, when, money, number, status
    url: str = ""
    currency: str = ""
    tone: str = ""

    @property
    def plain(self) -> object:
        """The value as the CSV file has it."""
        return plain_money(self.value, self.currency) if self.kind == "money" else self.value


@dataclass(frozen=True)
class Listing:
    """A list page: its title, what it means, its columns, its rows from new to old by `column`."""

    title: str
    meaning: str
    header: Sequence[str]
    rows: QuerySet[Any]
    column: str
    cells: Callable[[Any], list[Cell]]
    chips: Sequence[tuple[str, str]] = ()  # value and label of the filter `only`


def listing(store: Store, what: str, period: Period, only: str = "") -> Listing | None:
    """The list page called `what`, over `period`, filtered by `only`; None when there is no such page."""
    makers: dict[str, Callable[[Store, Period, str], Listing]] = {
        "asked": _asked,
        "shared": _shared,
        "visits": _visits,
        "claims": _claims,
        "bought": _bought,
        "counted": _counted,
        "answers": _answers,
        "costs": _costs,
    }
    return makers[what](store, period, only) if what in makers else None


def person(store: Store, customer: Customer | None) -> Cell:
    """A customer's name with the way to their page."""
    return Cell(str(customer) if customer else _("a guest"), "person", page_of(store, customer))


def when(moment: datetime | None) -> Cell:
    """A moment."""
    return Cell(moment, "when")


MOODS = {Group.PROMOTER: "good", Group.PASSIVE: "wait", Group.DETRACTOR: "bad"}


def score_cell(row: Response) -> Cell:
    """A score, coloured by what it says on its own scale."""
    return Cell(row.score, "score", tone=MOODS[row.group])


def _of_people(store: Store, ids: QuerySet[Any], title: str, meaning: str) -> Listing:
    return Listing(
        title,
        meaning,
        [_("Customer"), _("E-mail"), _("Phone"), _("Known since")],
        Customer.objects.for_store(store).filter(pk__in=ids),
        "recorded_at",
        lambda row: [person(store, row), Cell(row.email), Cell(row.phone, "code"), when(row.recorded_at)],
    )


def _asked(store: Store, period: Period, only: str) -> Listing:
    meaning = _("Customers who were asked for a good word, by a message or right after their answer.")
    return _of_people(store, people.asked(store, period), _("Asked"), meaning)


def _shared(store: Store, period: Period, only: str) -> Listing:
    meaning = _("Customers who tapped share, or whose link or code brought somebody.")
    return _of_people(store, people.sharers(store, period), _("Shared it"), meaning)


def _visits(store: Store, period: Period, only: str) -> Listing:
    def cells(row: Visit) -> list[Cell]:
        return [when(row.at), person(store, row.link.customer), Cell(row.link.code, "code")]

    return Listing(
        _("Friends who visited"),
        _("Each opening of a share link, once a person and hour. Robots are left out."),
        [_("When"), _("Whose link"), _("Code")],
        people.visits(store, period).select_related("link__customer"),
        "at",
        cells,
    )


def _claims(store: Store, period: Period, only: str) -> Listing:
    def cells(row: Claim) -> list[Cell]:
        return [person(store, row.friend), person(store, row.link.customer), when(row.at), when(row.expires_at)]

    return Listing(
        _("Friends who took the gift"),
        _("They left a name and a way to reach them, and hold a voucher."),
        [_("Friend"), _("Sent by"), _("When"), _("Valid until")],
        people.claims(store, period).select_related("friend", "link__customer"),
        "at",
        cells,
    )


TONES = {
    Referral.Status.APPROVED: "good",
    Referral.Status.FLAGGED: "wait",
    Referral.Status.PENDING: "wait",
    Referral.Status.VOIDED: "bad",
}


def referral_cells(store: Store, row: Referral) -> list[Cell]:
    """A friend's purchase: who, by whom, for how much, and how it stands with the reason."""
    why = row.get_reason_display() if row.reason else row.get_evidence_display()
    return [
        person(store, row.friend),
        person(store, row.advocate),
        Cell(row.order.total_minor - row.order.refunded_minor, "money", currency=row.order.currency),
        Cell(row.get_status_display(), "status", tone=TONES[Referral.Status(row.status)]),
        Cell(why),
        when(row.created_at),
    ]


def referral_header() -> list[str]:
    """The titles over `referral_cells`."""
    return [_("Friend"), _("Sent by"), _("Bought for"), _("Status"), _("Why"), _("When")]


def _referrals(
    store: Store, rows: QuerySet[Any], title: str, meaning: str, chips: Sequence[tuple[str, str]]
) -> Listing:
    return Listing(
        title,
        meaning,
        referral_header(),
        rows.select_related("friend", "advocate", "order"),
        "created_at",
        lambda row: referral_cells(store, row),
        chips,
    )


def _bought(store: Store, period: Period, only: str) -> Listing:
    """Filter: a status; without one, those that the numbers count."""
    rows = people.bought(store, period)
    if only in Referral.Status.values:
        rows = Referral.objects.for_store(store).filter(status=only, **period.within("created_at"))
    chips = [(status.value, str(status.label)) for status in Referral.Status]
    meaning = _("First purchases of friends: counted, or counting when the return window is over.")
    return _referrals(store, rows, _("Friends who bought"), meaning, chips)


def _counted(store: Store, period: Period, only: str) -> Listing:
    rows = people.bought(store, period).filter(status=Referral.Status.APPROVED)
    return _referrals(store, rows, _("Counted"), _("Friends whose purchase stands; both sides were rewarded."), ())


def _answers(store: Store, period: Period, only: str) -> Listing:
    rows = Response.objects.for_store(store).counted().filter(**period.within("at"))
    if only in set(Group):
        rows = rows.filter(score__in=scores_of(Group(only)))

    def cells(row: Response) -> list[Cell]:
        return [person(store, row.customer), score_cell(row), Cell(row.comment), when(row.at)]

    return Listing(
        _("Answers"),
        _("How likely they are to recommend you, from 0 to 10, in their own words."),
        [_("Customer"), _("Score"), _("Comment"), _("When")],
        rows.select_related("customer"),
        "at",
        cells,
        [
            (Group.PROMOTER, _("Happy (9–10)")),
            (Group.PASSIVE, _("In between (7–8)")),
            (Group.DETRACTOR, _("Unhappy (0–6)")),
        ],
    )


def _costs(store: Store, period: Period, only: str) -> Listing:
    kinds = {
        "grant": _("Store credit given"),
        "redeem": _("Voucher used"),
        "reverse": _("Use undone"),
        "clawback": _("Reward taken back"),
    }

    def cells(row: Entry) -> list[Cell]:
        kind = kinds.get(row.transaction.kind, row.transaction.kind)
        return [when(row.transaction.at), Cell(kind), Cell(-row.amount_minor, "money", currency=row.currency)]

    return Listing(
        _("What rewards cost"),
        _("From the books: store credit counts when it is given, vouchers when they are used."),
        [_("When"), _("What"), _("Cost")],
        money.costs(store, period).select_related("transaction").annotate(at=F("transaction__at")),
        "at",
        cells,
    )
