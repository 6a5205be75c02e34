"""Stores on one server that send each other customers: offered, agreed, ended, each side in its own rows.

A step is taken on both sides in one transaction: inside the one store's wall, then inside the other's, the lower
store id first, so that two people who do it at once wait for each other and not in a circle. There is nothing in
between that a crash could leave. What one side learns of the other is written to its own row by the other.

On each side a customer stands for the other store, as an advocate with a share link and a program of its own:
the friends who come by it are credited, held, checked, rewarded and refunded like everybody's, and the
commission stands in the paying store's books. By the month it is settled: see `partner_statements`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from customers.models import PARTNER_STORE, Customer
from customers.rules import folded_name
from referrals.models import Partnership, Program, ShareLink
from referrals.services.links import share_link_of
from referrals.services.programs import change_program, create_program, live_program, program_of, programs_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms, terms_of
from rewards.addresses import Method
from rewards.models import Offer, Terms, Tier
from rewards.services import payouts
from rewards.services.addresses import Details, save_address
from stores import directory
from stores.codes import public_id
from stores.models import Store, User
from stores.services import note
from stores.tenancy import acting_for

Status = Partnership.Status
UNDO_WINDOW = timedelta(days=1)
# What a partner's program takes over from the customers', whenever that changes; friends get the same by any link.
GIFT = ("kind", "percent", "amount_minor", "most_minor", "currency", "minimum_minor", "valid_days", "product_id",
        "words", "is_personal", "location_id")  # fmt: skip
RULES = ("hold_days", "claim_days", "visit_days", "refund", "touch", "is_sticky", "evidence", "minimum_order_minor",
         "new_only", "look_back_days", "one_a_household", "only_products", "not_products")  # fmt: skip


class NoSuchStore(Exception):
    """No store with this address has a program running: what its public page says, too."""


class OwnStore(Exception):
    """A store cannot be its own partner."""


class AlreadyThere(Exception):
    """Something stands between the two stores: an offer of either, or an agreement."""


class _Moved(Exception):
    """A side does not stand where this step starts."""


@dataclass(frozen=True)
class Deal:
    """What each pays the other: so many percent, of a friend's orders for so many months (as Offer.months)."""

    percent: int
    months: int | None = 0


def _on_both(store: Store, other: Store, work: Callable[[Store, Store], None]) -> None:
    """Call `work(here, there)` for both stores, each inside its own wall; both or none."""
    with transaction.atomic():
        for here, there in sorted(((store, other), (other, store)), key=lambda pair: pair[0].pk):
            with acting_for(here):
                work(here, there)


def _store(store_id: int) -> Store:
    """Another store, as it is known inside its own wall."""
    with acting_for(store_id):
        return Store.objects.get(pk=store_id)


def partnerships(store: Store) -> QuerySet[Partnership]:
    """The store's own sides, the newest first."""
    rows: QuerySet[Partnership] = Partnership.objects.for_store(store).select_related("customer", "program")
    return rows.order_by("-at", "-pk")


# -- Offer --


def offer(store: Store, slug: str, deal: Deal, *, by: User | None, at: datetime) -> Partnership:
    """Ask the store with this public address. Raises NoSuchStore, OwnStore, AlreadyThere."""
    other = _named(slug, at)
    if other.pk == store.pk:
        raise OwnStore(slug)
    if store.is_sample or other.is_sample:  # what is made up is no partner
        raise NoSuchStore(slug)
    agreement = public_id()

    def write(here: Store, there: Store) -> None:
        asks = here.pk == store.pk
        row = Partnership.objects.create(
            store=here,
            agreement=agreement,
            other_id=there.pk,
            other_name=there.name,
            other_currency=there.currency,
            status=Status.OFFERED if asks else Status.INVITED,
            at=at,
            by=by if asks else None,
            **asdict(deal),
        )
        _note(row, "partner.offered", asdict(deal), by=by if asks else None, at=at)

    try:
        _on_both(store, other, write)
    except IntegrityError as error:
        if "partnership_once" in str(error):
            raise AlreadyThere(slug) from error
        raise
    return partnerships(store).get(agreement=agreement)


def _named(slug: str, at: datetime) -> Store:
    store_id = directory.store_id_by_slug(slug.strip().lower())
    if store_id is not None:
        with acting_for(store_id):
            found = Store.objects.get(pk=store_id)
            if live_program(found, at):
                return found
    raise NoSuchStore(slug)


def _note(row: Partnership, action: str, after: dict[str, object], *, by: User | None, at: datetime) -> None:
    note(row.store, action, subject=row.public_id, after=after, by=by, at=at)


# -- Accept, decline, end --


def accept(mine: Partnership, *, by: User | None, at: datetime) -> bool:
    """The store that was asked says yes; True if this call did it. Both have a link at the other's from now on."""
    store, other = mine.store, _store(mine.other_id)
    codes: dict[int, str] = {}

    def agree(here: Store, there: Store) -> None:
        asked = here.pk == store.pk
        row = _moved(
            here, mine, Status.AGREED, {Status.INVITED if asked else Status.OFFERED}, at, by if asked else None
        )
        codes[here.pk] = _prepare(row, there, at)
        _note(row, "partner.agreed", {"percent": row.percent, "months": row.months}, by=by if asked else None, at=at)

    def tell(here: Store, there: Store) -> None:
        facts = {"other_code": codes[there.pk], "other_name": there.name, "other_currency": there.currency}
        _row(here, mine).update(**facts)

    def both() -> None:
        _on_both(store, other, agree)
        _on_both(store, other, tell)

    return _taken(both)


def end(mine: Partnership, *, by: User | None, at: datetime) -> bool:
    """Either side takes the offer back, declines it, or ends the agreement; True if this call did it.

    The links stop at once. Friends who came before count and bring commission as agreed.
    """
    store, other, before = mine.store, _store(mine.other_id), Status(mine.status)
    action = {Status.OFFERED: "withdrawn", Status.INVITED: "declined", Status.AGREED: "ended"}.get(before)
    if action is None:
        return False
    theirs = {Status.OFFERED: Status.INVITED, Status.INVITED: Status.OFFERED}.get(before, before)

    def stop(here: Store, _there: Store) -> None:
        ours = here.pk == store.pk
        row = _moved(here, mine, Status.ENDED, {before if ours else theirs}, at, by if ours else None)
        if row.customer_id:
            _open(row, until=at)
        _note(row, f"partner.{action}", {}, by=by if ours else None, at=at)

    return _taken(lambda: _on_both(store, other, stop))


def may_undo(mine: Partnership, at: datetime) -> bool:
    """Whether this side ended the agreement a short while ago."""
    is_own = mine.status == Status.ENDED and mine.customer_id is not None and mine.by_id is not None
    return is_own and mine.ended_at is not None and at < mine.ended_at + UNDO_WINDOW


def undo_end(mine: Partnership, *, by: User, at: datetime) -> bool:
    """Who ended the agreement lets it stand after all; True if this call did it. Raises AlreadyThere."""
    if not may_undo(mine, at):
        return False
    store, other = mine.store, _store(mine.other_id)

    def go_on(here: Store, _there: Store) -> None:
        ours = here.pk == store.pk
        row = _moved(here, mine, Status.AGREED, {Status.ENDED}, mine.at, by if ours else None)
        _open(row, until=None)
        _note(row, "partner.resumed", {}, by=by if ours else None, at=at)

    try:
        return _taken(lambda: _on_both(store, other, go_on))
    except IntegrityError as error:
        if "partnership_once" in str(error):
            raise AlreadyThere(mine.agreement) from error
        raise


def _taken(step: Callable[[], None]) -> bool:
    """Whether the step was taken on both sides; of two callers at once the second finds a side that has moved."""
    try:
        with transaction.atomic():
            step()
    except _Moved:
        return False
    return True


def _row(here: Store, mine: Partnership) -> QuerySet[Partnership]:
    rows: QuerySet[Partnership] = Partnership.objects.for_store(here).filter(agreement=mine.agreement)
    return rows


def _moved(
    here: Store, mine: Partnership, to: Status, sources: Collection[Status], at: datetime, by: User | None
) -> Partnership:
    """One side after its step, by a guarded UPDATE. Raises _Moved."""
    assert all(to in Partnership.MOVES[source] for source in sources)
    facts = {"ended_at": at} if to == Status.ENDED else {"ended_at": None, "at": at}
    if not _row(here, mine).filter(status__in=sources).update(status=to, by=by, **facts):
        raise _Moved(mine.agreement)
    return _row(here, mine).select_related("store", "customer", "program__terms").get()


# -- What stands for the other store --


def _prepare(row: Partnership, there: Store, at: datetime) -> str:
    """The customer who stands for the other store here, with their program and purse; the code of their link."""
    here = row.store
    customer, _is_new = Customer.objects.get_or_create(
        store=here,
        external_id=f"{PARTNER_STORE}{row.agreement}",
        defaults={
            "name": there.name,
            "name_norm": folded_name(there.name),
            "locale": there.locale,
            "recorded_at": at,
        },
    )
    link = share_link_of(customer, at=at)
    ShareLink.objects.for_store(here).filter(pk=link.pk).update(shared_at=at)  # nobody there to be reminded
    row.program = create_program(
        here, _terms(here, row, at), audience=Program.Audience.STORES, starts_at=at, by=None, at=at
    )
    row.customer = customer
    row.save(update_fields=["customer", "program"])
    payouts.settle_from_now(here, customer, here.currency)
    return link.code


def _terms(store: Store, row: Partnership, at: datetime) -> ProgramTerms:
    """The customers' program, but what it brings is the commission that was agreed: without a budget or limits."""
    usual = terms_of(program_of(store, at))
    commission = OfferTerms(Offer.Kind.COMMISSION, percent=row.percent, months=row.months)
    return replace(
        usual,
        name=row.other_name,
        tiers=[TierTerms(1, Tier.Gives.EACH, commission)],
        friend_tiers=(),
        second=None,
        limits=replace(usual.limits, most_rewards=None, most_in_period=None),
        ceiling_minor=None,
        places=None,
    )


def _open(row: Partnership, *, until: datetime | None) -> None:
    """Let the link live until then (None: without end); who came by it has their time to buy."""
    assert row.program is not None
    ShareLink.objects.filter(store_id=row.store_id, customer=row.customer_id).update(expires_at=until)
    late = timedelta(days=max(row.program.terms.visit_days, 1))
    programs = Program.objects.filter(pk=row.program.pk, store_id=row.store_id)
    programs.update(ends_at=until + late if until else None)


def follow_gift(store: Store, at: datetime) -> int:
    """Give partners' programs what the customers' program offers friends by now; a fixed number of queries."""
    mine = partnerships(store).filter(status=Status.AGREED)
    ids = {row.program.pk: row for row in mine if row.program}
    if not ids:
        return 0
    usual = program_of(store, at).terms
    behind = [one for one in programs_of(store).filter(pk__in=ids).order_by("pk") if not _agrees(one.terms, usual)]
    for program in behind:
        change_program(program, _terms(store, ids[program.pk], at), by=None, at=at)
    return len(behind)


def _agrees(one: Terms, other: Terms) -> bool:
    gift = all(getattr(one.friend_offer, name) == getattr(other.friend_offer, name) for name in GIFT)
    return gift and all(getattr(one, name) == getattr(other, name) for name in RULES)


# -- Where to pay --


def save_paid_to(mine: Partnership, method: Method, details: Details, *, by: User, at: datetime) -> None:
    """This store says where the other pays it: sealed on the other's side, a hint on its own."""
    other = _store(mine.other_id)
    with transaction.atomic():
        with acting_for(other):
            theirs = _row(other, mine).select_related("store", "customer__store").get()
            assert theirs.customer is not None
            hint = save_address(theirs.customer, method, details, at=at).hint
            _note(theirs, "partner.paid_to", {"to": hint}, by=None, at=at)
        _row(mine.store, mine).update(paid_to=f"{method}:{hint}")
        _note(mine, "partner.paid_to", {"to": hint}, by=by, at=at)
