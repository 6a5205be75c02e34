"""A store's programs: the first made with the store, edited by owner and manager."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.utils.timezone import now

from customers.models import Customer, CustomerTag, Order
from customers.tagging import PARTNER, STAFF
from referrals.models import Partnership, Program
from referrals.services.terms import (
    DEFAULT_TERMS,
    Facts,
    OfferTerms,
    ProgramTerms,
    TierTerms,
    describe,
    facts_of,
    make_terms,
    terms_of,
)
from rewards.models import Budget, Terms, Voucher
from rewards.services import budgets
from stores.codes import public_id
from stores.l10n import exponent
from stores.models import AuditEvent, Membership, Role, Store, User
from stores.services import change_settings
from stores.tenancy import StoreQuerySet, acting_for


def open_store(
    *,
    slug: str,
    name: str,
    currency: str,
    timezone: str = "UTC",
    locale: str = "en",
    country: str = "",
    toman: bool = False,
    owner: User | None = None,
    terms: ProgramTerms = DEFAULT_TERMS,
    sample_of: Store | None = None,
    setup: dict[str, Any] | None = None,
    at: datetime,
) -> Store:
    """A new store with a running program (by default 10 % off for both sides, 14 days of hold).

    One that is `sample_of` another holds made-up data only, for good; a store has one sample at most (IntegrityError).
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            # The wall shows a store only to itself, so its number is needed before its row.
            cursor.execute("SELECT nextval(pg_get_serial_sequence('stores_store', 'id'))")
            number = cursor.fetchone()[0]
        with acting_for(number):
            store = Store.objects.create(
                id=number,
                public_id=public_id(),
                slug=slug,
                name=name,
                currency=currency,
                timezone=timezone,
                locale=locale,
                country=country,
                toman=toman,
                sample_of=sample_of,
                setup=setup or {},
                created_at=at,
            )
            if owner:
                Membership.objects.create(store=store, user=owner, role=Role.OWNER)
            create_program(store, terms if terms.name else replace(terms, name=name), by=None, at=at)
    return store


def create_program(
    store: Store,
    terms: ProgramTerms,
    *,
    audience: Program.Audience = Program.Audience.CUSTOMERS,
    status: Program.Status = Program.Status.LIVE,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    by: User | None,
    at: datetime,
) -> Program:
    """A new program with its first terms; live from `starts_at` (None: since ever) unless `status` says otherwise.

    Raises Overlapping.
    """
    with transaction.atomic():
        budget = Budget.objects.create(
            store=store, currency=store.currency, ceiling_minor=terms.ceiling_minor, places=terms.places
        )
        program = Program(
            store=store,
            name=terms.name,
            audience=audience,
            status=status,
            starts_at=starts_at,
            ends_at=ends_at,
            budget=budget,
            terms=make_terms(store, budget, terms, number=1, at=at),
            created_at=at,
        )
        _alone(program.save)
        if by:
            _audit(program, "program.made", {}, describe(program), by=by, at=at)
    return program


class Overlapping(Exception):
    """Another program for the same people runs at that time."""


def _alone(write: Callable[[], object]) -> None:
    """Write a program's dates or status; Raises Overlapping where the database finds two live at one moment."""
    try:
        with transaction.atomic():
            write()
    except IntegrityError as error:
        if "program_one_at_a_time" in str(error):
            raise Overlapping from error
        raise


# -- Which program is whose --

JOINED = (
    "terms__friend_offer", "terms__ladder", "terms__budget", "terms__second_offer", "terms__store", "budget", "store",
)  # fmt: skip
AUDIENCE_TAGS = {PARTNER: Program.Audience.PARTNERS, STAFF: Program.Audience.STAFF}


def programs_of(store: Store) -> StoreQuerySet:
    """The store's programs with their terms."""
    rows: StoreQuerySet = Program.objects.for_store(store).select_related(*JOINED)
    return rows


def is_open(at: datetime) -> Q:
    """What holds of a program that runs at `at`: `Program.is_open` for the database."""
    begun = Q(starts_at=None) | Q(starts_at__lte=at)
    return Q(status=Program.Status.LIVE) & begun & (Q(ends_at=None) | Q(ends_at__gt=at))


def running(store: Store, at: datetime) -> dict[Program.Audience, Program]:
    """The programs open at `at` (aware UTC), by whom they are for; at most one each. Without partner stores' own."""
    return _by_audience(programs_of(store).filter(is_open(at)))


def _by_audience(live: Iterable[Program]) -> dict[Program.Audience, Program]:
    shared = (program for program in live if program.audience != Program.Audience.STORES)
    return {Program.Audience(program.audience): program for program in shared}


def live_program(store: Store, at: datetime) -> Program | None:
    """The customers' program if it runs at `at`."""
    return running(store, at).get(Program.Audience.CUSTOMERS)


def program_of(store: Store, at: datetime | None = None) -> Program:
    """The customers' program: the one that runs at `at` (None: now), else the one that ran or was made last."""
    at = at or now()
    mine = programs_of(store).filter(audience=Program.Audience.CUSTOMERS)
    rank = Case(
        When(is_open(at), then=Value(0)),
        When(status=Program.Status.DRAFT, then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    found: Program = mine.order_by(rank, F("starts_at").desc(nulls_last=True), "-pk")[:1].get()
    return found


def program_for(customer: Customer, at: datetime) -> Program | None:
    """The open program by which this advocate's friends are rewarded; None while none is."""
    return programs_for(customer.store, [customer.pk], at).get(customer.pk)


def programs_for(store: Store, customers: Iterable[int], at: datetime) -> dict[int, Program]:
    """`program_for` of many customers (ids); partners and staff have their own where there is one, else everybody's."""
    ids, live, general = list(customers), list(programs_of(store).filter(is_open(at))), Program.Audience.CUSTOMERS
    open_now, agreed = _by_audience(live), _agreed(store, live, ids)
    special = set(open_now) - {Program.Audience.CUSTOMERS}
    words = [word for word, audience in AUDIENCE_TAGS.items() if audience in special]
    tags = CustomerTag.objects.for_store(store).filter(customer__in=ids, tag__in=words) if words else ()
    audience_of: dict[int, Program.Audience] = {}
    for one in tags:
        audience_of[one.customer_id] = max(AUDIENCE_TAGS[one.tag], audience_of.get(one.customer_id, general))
    found = {pk: open_now.get(audience_of.get(pk, general)) or open_now.get(general) for pk in ids}
    return {pk: program for pk, program in (found | agreed).items() if program}


def _agreed(store: Store, live: Iterable[Program], customers: Iterable[int]) -> dict[int, Program | None]:
    """By the customer who stands for a partner store: the program that was agreed with it."""
    programs = {program.pk: program for program in live if program.audience == Program.Audience.STORES}
    if not programs:
        return {}
    rows = Partnership.objects.for_store(store).filter(program__in=programs, customer__in=list(customers))
    return {customer: programs[program] for customer, program in rows.values_list("customer", "program")}


def terms_in_force(program: Program, at: datetime) -> Terms:
    """The version of the program's terms at `at` (aware UTC); the first one for what came before."""
    if program.terms.made_at <= at:
        return program.terms
    versions = Terms.objects.for_store(program.store).filter(budget=program.budget_id)
    versions = versions.select_related("friend_offer", "ladder", "budget", "second_offer", "store")
    found = versions.filter(made_at__lte=at).order_by("-number").first() or versions.order_by("number").first()
    return found or program.terms


# -- Changing one --


class BelowCommitted(Exception):
    """More is promised already than the new budget, or places, would allow."""


@dataclass(frozen=True)
class Schedule:
    """Whom a program is for, and when it runs (aware UTC; None: since ever, without end)."""

    audience: Program.Audience = Program.Audience.CUSTOMERS
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def locked(program: Program) -> Program:
    """The program as it is now; nobody else changes it until the transaction ends."""
    # Locked alone: a row that was waited for has other terms by then, and a join on the old ones finds nothing.
    _mine(program).select_for_update().get()
    found: Program = programs_of(program.store).get(pk=program.pk)
    return found


def change_program(
    program: Program, terms: ProgramTerms, *, schedule: Schedule | None = None, by: User | None, at: datetime
) -> Program:
    """Put new terms in force, and another schedule where one is given.

    Vouchers, claims and rewards given before keep theirs. Raises BelowCommitted, Overlapping.
    """
    with transaction.atomic():
        row = locked(program)
        before = describe(row)
        number = Terms.objects.for_store(row.store).filter(budget=row.budget_id).count() + 1
        _limit(row.budget, terms)
        row.name, row.terms = terms.name, make_terms(row.store, row.budget, terms, number=number, at=at)
        row.save(update_fields=["name", "terms"])
        if schedule:
            _alone(lambda: _mine(row).update(**asdict(schedule)))
        changed = programs_of(row.store).get(pk=row.pk)
        _audit(changed, "program.changed", before, describe(changed), by=by, at=at)
    return changed


def wished(terms: ProgramTerms, schedule: Schedule, currency: str) -> Facts:
    """Terms and schedule that are to be, as `describe` would write them down."""
    return {
        **facts_of(terms, currency),
        "audience": int(schedule.audience),
        "starts_at": schedule.starts_at.isoformat() if schedule.starts_at else None,
        "ends_at": schedule.ends_at.isoformat() if schedule.ends_at else None,
    }


def schedule_from(facts: Facts) -> Schedule:
    """The schedule that `describe` wrote down."""
    moments = {name: facts.get(name) for name in ("starts_at", "ends_at")}
    return Schedule(
        Program.Audience(facts.get("audience", Program.Audience.CUSTOMERS)),
        **{name: datetime.fromisoformat(value) if value else None for name, value in moments.items()},
    )


def _limit(budget: Budget, terms: ProgramTerms) -> None:
    budgets.gather(budget)
    try:
        with transaction.atomic():
            Budget.objects.filter(pk=budget.pk, store_id=budget.store_id).update(
                ceiling_minor=terms.ceiling_minor, places=terms.places
            )
    except IntegrityError as error:
        raise BelowCommitted from error


class CurrencyInUse(Exception):
    """Orders or vouchers are in the store's currency already."""


def currency_in_use(store: Store) -> bool:
    """Whether the store's currency can no longer change."""
    return Order.objects.for_store(store).exists() or Voucher.objects.for_store(store).exists()


def change_currency(store: Store, currency: str, *, toman: bool, by: User | None, at: datetime) -> None:
    """Put a store that has sold nothing yet on another currency; amounts promised keep their number (10 stays 10).

    Raises CurrencyInUse.
    """
    with transaction.atomic():
        if currency_in_use(store):
            raise CurrencyInUse(store.slug)
        before = store.currency
        terms = {program: _in_currency(terms_of(program), before, currency) for program in programs_of(store)}
        change_settings(store, {"currency": currency, "toman": toman and currency == "IRR"}, by=by, at=at)
        if currency != before:
            Budget.objects.for_store(store).update(currency=currency)
            for program, turned in terms.items():
                change_program(program, turned, by=by, at=at)


def _in_currency(terms: ProgramTerms, before: str, after: str) -> ProgramTerms:
    def limit(minor: int | None) -> int | None:
        return None if minor is None else max(1, rescale(minor, before, after))

    def offer(one: OfferTerms) -> OfferTerms:
        minimum = rescale(one.minimum_minor, before, after)
        return replace(
            one, amount_minor=limit(one.amount_minor), most_minor=limit(one.most_minor), minimum_minor=minimum
        )

    def steps(tiers: Iterable[TierTerms]) -> list[TierTerms]:
        return [replace(tier, offer=offer(tier.offer), choices=[*map(offer, tier.choices)]) for tier in tiers]

    smallest = rescale(terms.limits.minimum_order_minor, before, after)
    return replace(
        terms,
        friend=offer(terms.friend),
        tiers=steps(terms.tiers),
        friend_tiers=steps(terms.friend_tiers),
        second=offer(terms.second) if terms.second else None,
        limits=replace(terms.limits, minimum_order_minor=smallest),
        ceiling_minor=limit(terms.ceiling_minor),
    )


def rescale(minor: int, before: str, after: str) -> int:
    """The same number of whole units in another currency's minor units; what is finer is cut off."""
    return minor * 10 ** exponent(after) // 10 ** exponent(before)


def set_status(program: Program, status: Program.Status, *, by: User | None, at: datetime) -> bool:
    """Publish the program, pause it, let it run again, end it; True if this call did it. Raises Overlapping."""
    sources = [source for source, targets in Program.MOVES.items() if status in targets]
    moved: list[int] = []
    with transaction.atomic():
        _alone(lambda: moved.append(_mine(program).filter(status__in=sources).update(status=status)))
        if any(moved):
            _audit(program, "program.status", {"status": program.status}, {"status": status}, by=by, at=at)
            program.status = status
    return any(moved)


def _mine(program: Program) -> QuerySet[Program]:
    return Program.objects.filter(pk=program.pk, store_id=program.store_id)


def _audit(
    program: Program, action: str, before: dict[str, Any], after: dict[str, Any], *, by: User | None, at: datetime
) -> None:
    AuditEvent.objects.create(
        store=program.store, at=at, user=by, action=action, subject=program.public_id, before=before, after=after
    )
