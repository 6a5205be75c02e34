"""Credit an order to the advocate who sent the buyer: once, with the evidence and the reason kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from customers.models import Customer, Order
from referrals import crediting, rules
from referrals.crediting import Evidence, Judged, Lead, Why
from referrals.fraud import looking
from referrals.models import Claim, Program, Referral, ReferralEvent, ShareLink, Visit
from referrals.services import deciding, leads
from referrals.services.claims import is_known, is_own
from referrals.services.leads import Clue
from referrals.services.programs import program_for, program_of, terms_in_force
from referrals.services.promising import promise_advocate
from rewards.models import Commitment, Terms, Voucher
from rewards.services import budgets
from stores.models import AuditEvent, Store, User

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=1)
VISITS_LOADED = timedelta(minutes=1)  # a visit is in the database by then (services.visits)
BATCH = 500  # orders whose evidence is read at once


@dataclass(frozen=True)
class Case:
    """An order to be credited, with the program and the terms that hold for it."""

    order: Order
    clue: Clue
    program: Program
    terms: Terms
    is_open: bool  # a program ran when it was placed
    candidates: list[dict[str, Any]]
    key: str  # of the promise to the advocate


def attribute_order(
    order: Order, *, at: datetime, link: ShareLink | None = None, named: bool = False
) -> Referral | None:
    """The order's referral, made if something led the buyer to an advocate; None when nothing did.

    `link` is the share link whose code was used at the counter, or of the advocate whom the buyer
    `named` there. What speaks against it (own code, known customer, refund) makes the referral voided
    from the start, with that reason.
    """
    is_known, was_led = _traces(order)
    known = credited(order) if is_known else None
    if known or not (was_led or link):  # most orders: to gather what speaks for nobody takes many statements
        return known
    clues = leads.of_orders(order.store, [order])[order.pk]
    return _credit(order, [*clues, leads.of_link(link, order, named=named)] if link else clues, at)


def credited(order: Order) -> Referral | None:
    """The referral that says whom the order is credited to."""
    mine = Referral.objects.filter(store_id=order.store_id, order=order).in_force()
    found: Referral | None = mine.select_related("advocate", "link__customer").first()
    return found


@dataclass(frozen=True)
class Foreseen:
    """Whom a purchase would be credited to, and why the code that was given is not what decides (a Why, or '')."""

    link: ShareLink | None
    why_not: str = ""


def foresee(order: Order, link: ShareLink, *, voucher: Voucher | None = None) -> Foreseen:
    """What crediting would say of an order, also one that is not saved yet, whose code led to `link`; changes nothing.

    `voucher` is about to be used with it.
    """
    known = credited(order) if order.pk else None
    if known:
        return Foreseen(known.link, "" if known.advocate_id == link.customer_id else Why.SAME)
    using = {order.pk: voucher.pk} if voucher else {}
    clues = leads.of_orders(order.store, [order], using=using)[order.pk]
    if not clues:
        return Foreseen(link)
    found, judged = _judge(order, clues)
    mine = next((one.why_not for one in judged if one.lead.advocate == link.customer_id), Why.WEAKER)
    return Foreseen(None if judged[0].why_not else found[judged[0].lead].link, mine)


def _credit(order: Order, clues: Sequence[Clue], at: datetime) -> Referral | None:
    case = _case(order, clues)
    if case is None:
        return None
    reason = _reason_against(case)
    try:
        with transaction.atomic():
            return _create(case, reason, at)
    except budgets.Exhausted:
        return _create(case, Referral.Reason.FULL, at)
    except IntegrityError:  # a twin credited this order, or this friend, first
        return credited(order) or _create(case, Referral.Reason.KNOWN_CUSTOMER, at)


def _case(order: Order, clues: Sequence[Clue]) -> Case | None:
    """The strongest clue, with what the friend was shown, else with what held on the day of the order."""
    if not clues:
        return None
    found, judged = _judge(order, clues)
    if judged[0].why_not:
        return None
    clue = found[judged[0].lead]
    candidates = _rows(found, judged)
    if clue.claim:
        is_open = clue.claim.program.status != Program.Status.PAUSED
        return Case(order, clue, clue.claim.program, clue.claim.terms, is_open, candidates, _key(order))
    program, is_open = _program_of_day(clue.link.customer, order)
    return Case(order, clue, program, terms_in_force(program, order.placed_at), is_open, candidates, _key(order))


def _key(order: Order) -> str:
    return f"order:{order.pk}"


def _judge(order: Order, clues: Sequence[Clue]) -> tuple[dict[Lead, Clue], list[Judged]]:
    """How the terms choose; advocates may have programs of their own, so between them everybody's terms decide."""
    policy, visit_days = crediting.Policy(), 0
    if len(clues) > 1 or clues[0].evidence == Evidence.VISIT:
        terms = terms_in_force(program_of(order.store, order.placed_at), order.placed_at)
        visit_days = terms.visit_days
        policy = crediting.Policy(
            strength=crediting.strength_of(terms.evidence),
            first_touch=terms.touch == Terms.Touch.FIRST,
            is_sticky=terms.is_sticky,
        )
    found = {clue.as_lead(order, visit_days=visit_days): clue for clue in clues}
    return found, crediting.judge(found, policy)


def _rows(found: dict[Lead, Clue], judged: Iterable[Judged]) -> list[dict[str, Any]]:
    return [_row(found[one.lead].link, one.lead, one.why_not) for one in judged]


def _row(link: ShareLink, lead: Lead, why_not: str, words: str = "") -> dict[str, Any]:
    return crediting.as_row(lead, why_not, link=link.public_id, advocate=link.customer.public_id, words=words)


def _program_of_day(advocate: Customer, order: Order) -> tuple[Program, bool]:
    """The advocate's program when the order was placed, and whether it ran then."""
    running = program_for(advocate, order.placed_at)
    return running or program_of(order.store, order.placed_at), running is not None


def _reason_against(case: Case) -> str:
    order, friend, terms = case.order, case.order.customer, case.terms
    against = rules.reason_not_to_count(
        rules.Candidate(
            is_own=friend is not None and is_own(case.clue.link, friend),
            bought_before=friend is not None and is_known(terms, friend, than=order),
            refunded=order.refunded_at is not None,
            cancelled=order.cancelled_at is not None,
            paused=not case.is_open,
            too_small=order.total_minor < terms.minimum_order_minor,
            other_products=not _has_what_counts(order, terms),
            same_household=terms.one_a_household and friend is not None and _shares_household(friend, order),
        )
    )
    return against or rules.reason_by_refund(
        terms.refund,
        total_minor=order.total_minor,
        refunded_minor=order.refunded_minor,
        minimum_minor=terms.minimum_order_minor,
    )


def _has_what_counts(order: Order, terms: Terms) -> bool:
    if not terms.only_products and not terms.not_products:
        return True
    lines = order.lines.values_list("product__sku", "product__category__name")
    return rules.counts(lines, terms.only_products, terms.not_products)


def _shares_household(friend: Customer, order: Order) -> bool:
    """Whether somebody else of the friend's address has bought here before."""
    if not friend.address_norm:
        return False
    others = Order.objects.for_store(order.store).standing().exclude(pk=order.pk).exclude(customer=friend)
    return others.filter(customer__address_norm=friend.address_norm, placed_at__lte=order.placed_at).exists()


def _create(case: Case, reason: str, at: datetime, *, by: User | None = None) -> Referral:
    order, clue = case.order, case.clue
    referral = Referral(
        store=order.store,
        program=case.program,
        advocate=clue.link.customer,
        friend=order.customer,
        order=order,
        link=clue.link,
        terms=case.terms,
        evidence=clue.evidence,
        candidates=case.candidates,
        status=Referral.Status.VOIDED if reason else Referral.Status.PENDING,
        reason=reason,
        created_at=at,
        hold_until=order.placed_at + timedelta(days=case.terms.hold_days),
    )
    finding = None if reason else _examine(referral, at, needs_look=clue.needs_look, by=by)
    if referral.status == Referral.Status.VOIDED:
        referral.decided_at = at
        _give_up(case.clue.claim, at)
    else:
        referral.promise = _promise(case, at)
    referral.save(force_insert=True)
    if finding:
        looking.note_signals(referral, finding, at=at)
    ReferralEvent.objects.create(
        store=order.store, referral=referral, status=referral.status, reason=referral.reason, at=at, by=by
    )
    return referral


def _give_up(claim: Claim | None, at: datetime) -> None:
    """What was promised with the friend's claim goes with the order that does not count, as in any later void."""
    promise = claim.promise if claim else None
    if promise and not Referral.objects.filter(store_id=promise.store_id, promise=promise).exists():
        budgets.release(promise, at=at)


def _examine(referral: Referral, at: datetime, *, needs_look: bool, by: User | None) -> looking.Finding:
    """Let the checks say whether it waits, waits for a person, or does not count; a person's word they only hold."""
    finding = looking.look(referral.store, [referral], at)[0]
    referral.score, referral.examined_at = finding.score, at
    referral.status, referral.reason = finding.status, finding.reason
    if (by and finding.reason) or (needs_look and not finding.reason):
        referral.status, referral.reason = Referral.Status.FLAGGED, Referral.Reason.NONE
    return finding


def _promise(case: Case, at: datetime) -> Commitment:
    """The room taken with the friend's claim, else taken now. Raises budgets.Exhausted."""
    claim = case.clue.claim
    if claim and claim.promise and claim.promise.status == Commitment.Status.HELD:
        return claim.promise
    return promise_advocate(case.order.store, case.terms, key=case.key, at=at)


def attribute_orders(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Credit orders changed after `since` (None: the last hour) that something may have led to an advocate.

    One that names a visit which is not there yet has a minute: what else speaks for somebody may be the weaker.
    """
    orders = _uncredited(store).filter(updated_at__gte=since or at - LOOK_BACK)
    unknown = ~Q(visit="") & ~Exists(Visit.objects.filter(store=OuterRef("store"), token=OuterRef("visit")))
    orders = orders.exclude(unknown, recorded_at__gt=at - VISITS_LOADED)
    waiting, made = list(orders.values_list("pk", flat=True)), 0  # numbers: what they stand for is read in pieces
    for start in range(0, len(waiting), BATCH):
        batch = list(_uncredited(store).filter(pk__in=waiting[start : start + BATCH]))
        found = leads.of_orders(store, batch)
        made += sum(_credit_safely(order, found[order.pk], at) for order in batch if found[order.pk])
    return made


# Of a row of customers_order: whether somebody is credited with it, and whether it carries a code, a visit or a name,
# or came from somebody who took a gift, under this mailbox or another way to write it, or used one.
_IS_KNOWN = """EXISTS (
    SELECT FROM referrals_referral AS known
    WHERE known.store_id = customers_order.store_id AND known.order_id = customers_order.id)"""
_WAS_LED = """(customers_order.code <> '' OR customers_order.visit <> '' OR customers_order.named <> ''
    OR EXISTS (
        SELECT FROM referrals_claim AS taken
        WHERE taken.store_id = customers_order.store_id AND taken.friend_id = customers_order.customer_id)
    OR EXISTS (
        SELECT FROM customers_customer AS buyer
            JOIN customers_customer AS same ON same.store_id = buyer.store_id AND same.email_alias = buyer.email_alias
            JOIN referrals_claim AS taken ON taken.store_id = same.store_id AND taken.friend_id = same.id
        WHERE buyer.store_id = customers_order.store_id AND buyer.id = customers_order.customer_id
            AND same.email_alias <> '')
    OR EXISTS (
        SELECT FROM rewards_redemption AS used
        WHERE used.store_id = customers_order.store_id AND used.order_id = customers_order.id))"""


def _uncredited(store: Store) -> QuerySet[Order]:
    """Orders without a referral that something may have led to an advocate."""
    wanted = RawSQL(f"NOT {_IS_KNOWN} AND {_WAS_LED}", (), BooleanField())  # noqa: S611  # no value of anybody's in it
    orders: QuerySet[Order] = Order.objects.for_store(store).filter(wanted)
    return orders.select_related("customer__store", "store").order_by("placed_at", "pk")


def _traces(order: Order) -> tuple[bool, bool]:
    """The same of one order: whether it has a referral, and whether anything may have led to one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_IS_KNOWN}, {_WAS_LED} FROM customers_order WHERE store_id = %s AND id = %s",  # noqa: S608  # ours
            [order.store_id, order.pk],
        )
        is_known, was_led = cursor.fetchone()
    return is_known, was_led


def _credit_safely(order: Order, clues: Sequence[Clue], at: datetime) -> bool:
    try:
        with transaction.atomic():
            return _credit(order, clues, at) is not None
    except Exception:  # one bad row must not stop the others
        logger.exception("order %s not attributed", order.public_id)
        return False


# -- By hand --


class CannotCredit(Exception):
    """The order cannot be credited to this advocate; `reason` is a Referral.Reason, or "counted"."""

    COUNTED = "counted"  # it counts for an advocate already

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def credit_by_hand(order: Order, link: ShareLink, *, by: User, reason: str, at: datetime) -> Referral:
    """Credit an order, a guest's too, to an advocate because staff says so; whoever was credited so far is not.

    It waits out its return time like any other. Being new, the smallest purchase and the like are for
    `by` to judge. Raises CannotCredit for the advocate's own order, one that came back, one that
    counts already, a friend who counts for another order, and when the budget is used up.
    """
    try:
        with transaction.atomic():
            order = (
                Order.objects.select_for_update(of=("self",))
                .select_related("customer__store", "store")
                .get(pk=order.pk, store_id=order.store_id)
            )
            _refuse(order, link)
            _set_aside(order, by, at)
            referral = _create(_case_by_hand(order, link, reason, at), "", at, by=by)
            _audit(referral, by, reason, at)
    except budgets.Exhausted as error:
        raise CannotCredit(Referral.Reason.FULL) from error
    except IntegrityError as error:  # the friend counts for another order
        raise CannotCredit(Referral.Reason.KNOWN_CUSTOMER) from error
    return referral


def _refuse(order: Order, link: ShareLink) -> None:
    if order.customer and is_own(link, order.customer):
        raise CannotCredit(Referral.Reason.OWN_CODE)
    if order.cancelled_at:
        raise CannotCredit(Referral.Reason.CANCELLED)
    if order.refunded_at:
        raise CannotCredit(Referral.Reason.REFUNDED)


def _set_aside(order: Order, by: User, at: datetime) -> None:
    """Void the referral that is in force, unless it counts already."""
    before = credited(order)
    if before is None:
        return
    # Whoever approves holds the advocate first, so that is done here as well: they wait, or have counted it.
    Customer.objects.select_for_update().get(pk=before.advocate_id, store_id=order.store_id)
    before = Referral.objects.for_store(order.store).select_related(*deciding.JOINED).get(pk=before.pk)
    if before.status == Referral.Status.APPROVED:
        raise CannotCredit(CannotCredit.COUNTED)
    if before.status != Referral.Status.VOIDED:
        deciding.void_referral(before, reason=Referral.Reason.REPLACED, at=at, by=by)
    Referral.objects.filter(pk=before.pk, store_id=order.store_id, replaced_at=None).update(replaced_at=at)


def _case_by_hand(order: Order, link: ShareLink, reason: str, at: datetime) -> Case:
    clue = Clue(link, Evidence.STAFF, at)
    program, is_open = _program_of_day(link.customer, order)
    terms = terms_in_force(program, order.placed_at)
    row = _row(link, clue.as_lead(order), Why.CHOSEN, reason[:200])
    # Whoever was credited before gave the room of their promise back; this is another promise.
    before = Referral.objects.for_store(order.store).filter(order=order).count()
    key = f"{_key(order)}:{before}" if before else _key(order)
    return Case(order, clue, program, terms, is_open, [row, *_losers(order, link)], key)


def _losers(order: Order, link: ShareLink) -> list[dict[str, Any]]:
    """What else had led to somebody; the strongest of it lost to the store's word alone."""
    clues = leads.of_orders(order.store, [order])[order.pk]
    if not clues:
        return []
    found, judged = _judge(order, clues)
    rows = _rows(found, judged)
    for row in rows:
        if row["chosen"]:
            why = Why.SAME if row["advocate"] == link.customer.public_id else Why.STAFF
            row |= {"chosen": False, "why_not": str(why)}
    return rows


def _audit(referral: Referral, by: User, reason: str, at: datetime) -> None:
    AuditEvent.objects.create(
        store=referral.store,
        at=at,
        user=by,
        action="referral.credited",
        subject=referral.public_id,
        after={"order": referral.order.external_id, "advocate": referral.advocate.public_id, "reason": reason[:200]},
    )
