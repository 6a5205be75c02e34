"""The rows behind each number of the home page: which they are, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.models import Customer, Order
from insights.happenings import page_of
from insights.numbers import cohorts, money, people
from insights.numbers.cohorts import Cohort
from insights.numbers.people import AskedBy
from insights.numbers.returns import later_purchases
from insights.numbers.scope import Scope
from insights.numbers.scope import rows as rows_of
from insights.words import cost_words, plain_money
from referrals.models import Claim, Referral, ShareLink, Visit
from rewards.models import Entry
from rewards.services.ledger import Fact
from stores.l10n import format_list
from stores.models import Store
from surveys.models import Response
from surveys.rules import Group, scores_of


@dataclass(frozen=True)
class Cell:
    """One value of a row; `kind` tells the template how to write it."""

    value: Any
    kind: str = "text"  # text, person, when, money, number, decimal, percent, points, score, status, code
    url: str = ""
    currency: str = ""
    tone: str = ""

    @property
    def plain(self) -> object:
        """The value as the CSV file has it."""
        if self.kind == "money" and self.value is not None:
            return plain_money(self.value, self.currency)
        return round(self.value, 4) if isinstance(self.value, float) else self.value


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


def listing(store: Store, what: str, scope: Scope, only: str = "") -> Listing | None:
    """The list page called `what`, in a scope, filtered by `only`; None when there is no such page, or when the
    scope's filters know nothing of what it lists.
    """
    makers: dict[str, Callable[[Store, Scope, str], Listing]] = {
        "asked": _asked,
        "shared": _shared,
        "visits": _visits,
        "claims": _claims,
        "bought": _bought,
        "counted": _counted,
        "later": _later,
        "answers": _answers,
        "costs": _costs,
    }
    return makers[what](store, scope, only) if what in makers and scope.knows(what) else None


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


def _newest(rows: QuerySet[Any], column: str, *, of: str = "customer") -> Subquery:
    """`column` of the newest of these rows for each customer listed."""
    mine = rows.filter(**{of: OuterRef("pk")}).order_by(F(column).desc(nulls_last=True))
    return Subquery(mine.values(column)[:1])


SHARED, SILENT = "shared", "silent"  # of those who were asked


def _asked(store: Store, scope: Scope, only: str) -> Listing:
    """Filter: SHARED, those whose link was at work in the same time; SILENT, the others."""
    span = scope.period if scope.way else scope  # by the way somebody was asked at any time of the period
    sent, shown = people.asks_sent(store, span), people.asks_on_answers(store, span)
    if scope.way is AskedBy.PAGE:
        sent = sent.none()
    elif scope.way:
        sent, shown = sent.filter(channel=scope.way), shown.none()
    rows = rows_of(store, "asked", scope)
    if only in (SHARED, SILENT):
        shared = Q(pk__in=people.sharers(store, scope))
        rows = rows.filter(shared if only == SHARED else ~shared)
    rows = rows.annotate(
        sent_at=_newest(sent, "due_at"),
        sent_by=Subquery(sent.filter(customer=OuterRef("pk")).order_by("-due_at").values("channel")[:1]),
        shown_at=_newest(shown, "ask_shown_at"),
    )

    def cells(row: Any) -> list[Cell]:
        on_page = not row.sent_at or (row.shown_at and row.shown_at > row.sent_at)
        way = AskedBy.PAGE if on_page else row.sent_by
        label = str(AskedBy(way).label) if way in AskedBy.values else way
        asked_at = row.shown_at if on_page else row.sent_at
        return [person(store, row), Cell(label), when(asked_at), Cell(row.email), when(row.recorded_at)]

    return Listing(
        _("Asked"),
        _("Customers who were asked for a good word, by a message or right after their answer."),
        [_("Customer"), _("How they were asked"), _("When"), _("E-mail"), _("Known since")],
        rows,
        "recorded_at",
        cells,
        [(SHARED, _("Shared it")), (SILENT, _("Did not share it"))],
    )


def _shared(store: Store, scope: Scope, only: str) -> Listing:
    tapped = ShareLink.objects.for_store(store).filter(**scope.within("shared_at"))
    visited, sent = people.visits(store, scope), people.bought(store, scope)
    rows = rows_of(store, "shared", scope).annotate(
        tapped_at=_newest(tapped, "shared_at"),
        visited_at=_newest(visited, "at", of="link__customer"),
        bought_at=_newest(sent, "created_at", of="advocate"),
    )

    def cells(row: Any) -> list[Cell]:
        told = [
            (row.bought_at, _("a friend bought")),
            (row.visited_at, _("a friend opened their link")),
            (row.tapped_at, _("tapped share")),
        ]
        why = [words for at, words in told if at]
        latest = max(at for at, _words in told if at)
        words = capfirst(format_list(why, get_language() or "en"))
        return [person(store, row), Cell(words), when(latest), when(row.recorded_at)]

    return Listing(
        _("Shared it"),
        _("Customers who tapped share, or whose link or code brought somebody."),
        [_("Customer"), _("Why they are here"), _("Last"), _("Known since")],
        rows,
        "recorded_at",
        cells,
    )


def _visits(store: Store, scope: Scope, only: str) -> Listing:
    found = rows_of(store, "visits", scope).order_by()
    latest = found.order_by("visitor", "-at", "-pk").distinct("visitor").values("pk")
    openings = found.filter(visitor=OuterRef("visitor")).values("visitor").annotate(found=Count("pk")).values("found")

    def cells(row: Any) -> list[Cell]:
        came = Cell(row.referrer, "code") if row.referrer else Cell(_("a message or a code"))
        whose, code = person(store, row.link.customer), Cell(row.link.code, "code")
        return [when(row.at), whose, Cell(row.openings, "number"), came, code]

    return Listing(
        _("Friends who visited"),
        _("Everybody who opened a share link, with the last one they opened. Robots are left out."),
        [_("Last time"), _("Whose link"), _("Times opened"), _("Came from"), _("Code")],
        Visit.objects.for_store(store)
        .filter(pk__in=latest)
        .select_related("link__customer")
        .annotate(openings=Subquery(openings)),
        "at",
        cells,
    )


def _claims(store: Store, scope: Scope, only: str) -> Listing:
    def cells(row: Claim) -> list[Cell]:
        gift = str(row.voucher.get_status_display()) if row.voucher else _("when they buy")
        return [
            person(store, row.friend),
            person(store, row.link.customer),
            when(row.at),
            Cell(gift),
            when(row.expires_at),
        ]

    return Listing(
        _("Friends who took the gift"),
        _("They left a name and a way to reach them, and hold a voucher."),
        [_("Friend"), _("Sent by"), _("When"), _("Their gift"), _("Valid until")],
        rows_of(store, "claims", scope).select_related("friend", "link__customer", "voucher"),
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


def _bought(store: Store, scope: Scope, only: str) -> Listing:
    """Filter: a status; without one, those that the numbers count."""
    rows = rows_of(store, "bought", scope)
    if only in Referral.Status.values:
        rows = rows_of(store, "any", scope).filter(status=only)
    chips = [(status.value, str(status.label)) for status in Referral.Status]
    meaning = _("First purchases of friends: counted, or counting when the return window is over.")
    return _referrals(store, rows, _("Friends who bought"), meaning, chips)


def _counted(store: Store, scope: Scope, only: str) -> Listing:
    rows = rows_of(store, "counted", scope)
    return _referrals(store, rows, _("Counted"), _("Friends whose purchase stands; both sides were rewarded."), ())


def _later(store: Store, scope: Scope, only: str) -> Listing:
    def cells(row: Order) -> list[Cell]:
        net = row.total_minor - row.refunded_minor
        return [
            person(store, row.customer),
            Cell(row.external_id, "code"),
            Cell(net, "money", currency=row.currency),
            when(row.placed_at),
        ]

    return Listing(
        _("What friends bought later"),
        _("Purchases of friends after the one they were sent for; cancelled and refunded ones are left out."),
        [_("Friend"), _("Order"), _("Bought for"), _("When")],
        later_purchases(store, scope).select_related("customer"),
        "placed_at",
        cells,
    )


def _answers(store: Store, scope: Scope, only: str) -> Listing:
    rows = Response.objects.for_store(store).counted().filter(**scope.within("at"))
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


NO_PROGRAM = "none"  # in place of a kind: costs that belong to no program


def _costs(store: Store, scope: Scope, only: str) -> Listing:
    """Filter: a kind of transaction, or NO_PROGRAM."""
    rows = money.costs(store, scope)
    if scope.program:
        rows = rows.filter(account__budget=scope.program.budget_id)
    if only == NO_PROGRAM:
        rows = rows.filter(account__budget__program=None)
    elif only:
        rows = rows.filter(transaction__kind=only)
    people = Prefetch("transaction__entries", Entry.objects.for_store(store).select_related("account__customer"))

    def cells(row: Any) -> list[Cell]:
        return [
            when(row.transaction.at),
            Cell(cost_words(row.transaction.kind)),
            Cell(-row.amount_minor, "money", currency=row.currency),
            _whose(store, row),
            Cell(row.program),
        ]

    return Listing(
        _("What rewards cost"),
        _("From the books: store credit counts when it is given, vouchers when they are used."),
        [_("When"), _("What"), _("Cost"), _("Who"), _("Program")],
        rows.select_related("transaction__redemption__voucher__customer", "transaction__reverses")
        .prefetch_related(people)
        .annotate(at=F("transaction__at"), program=Coalesce("account__budget__program__name", Value(""))),
        "at",
        cells,
        [
            (Fact.GRANT, cost_words(Fact.GRANT)),
            (Fact.REDEEM, cost_words(Fact.REDEEM)),
            (Fact.CLAWBACK, cost_words(Fact.CLAWBACK)),
        ],
    )


def _whose(store: Store, row: Entry) -> Cell:
    """Who got it: the voucher's holder, or the person on the other side of the transaction."""
    redemption = getattr(row.transaction, "redemption", None)
    others = [entry.account.customer for entry in row.transaction.entries.all() if entry.account.customer]
    found = redemption.voucher.customer if redemption else next(iter(others), None)
    return person(store, found) if found else Cell("")


def first_purchases(store: Store, cohort: Cohort, only: str) -> Listing:
    """The first purchases of a comparison. Filter: "friends" or "others", with "-back" those who came back."""
    rows = cohorts.firsts(store, cohort)
    if only.startswith("friends"):
        rows = rows.filter(is_friend=True)
    elif only.startswith("others"):
        rows = rows.filter(is_friend=False)
    if only.endswith("-back"):
        rows = rows.filter(later__gt=0)

    def cells(row: Any) -> list[Cell]:
        return [
            person(store, row.customer),
            Cell(_("a friend sent them") if row.is_friend else _("came without a friend")),
            Cell(row.later, "number"),
            Cell(row.spent, "money", currency=store.currency),
            when(row.placed_at),
        ]

    return Listing(
        _("First purchases"),
        _("Each customer followed equally long; what they spent has the first purchase in it."),
        [_("Customer"), _("How they came"), _("Purchases after it"), _("Spent in all"), _("First purchase")],
        rows.select_related("customer"),
        "placed_at",
        cells,
        [
            ("friends", _("Friends")),
            ("friends-back", _("Friends who came back")),
            ("others", _("Others")),
            ("others-back", _("Others who came back")),
        ],
    )
