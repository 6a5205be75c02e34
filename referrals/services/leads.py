"""What led the buyers of some orders to share links: all evidence of many orders in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from django.db.models import Q

from customers.models import Customer, Order
from referrals.crediting import Evidence, Lead
from referrals.models import Claim, ShareLink, Visit
from referrals.services import naming
from referrals.services.links import share_links_of
from rewards.models import Redemption, Voucher
from stores.models import Store
from stores.tenancy import StoreQuerySet

CLAIM_JOINED = (
    "link__customer__store", "link__store", "program__store", "terms__budget", "terms__store", "terms__second_offer",
    "terms__friend_offer", "terms__ladder", "promise__budget", "promise__store", "friend", "voucher",
)  # fmt: skip
LONGEST_VISIT = timedelta(days=366)
CLOCKS_DIFFER = timedelta(minutes=5)  # the shop's and ours


@dataclass(frozen=True)
class Clue:
    """Something that leads from an order to a share link; `until` is when that is too old, None for never."""

    link: ShareLink
    evidence: Evidence
    at: datetime
    until: datetime | None = None
    claim: Claim | None = None
    binds: bool = False
    needs_look: bool = False  # a person should look at it before it counts

    def as_lead(self, order: Order, *, visit_days: int = 0) -> Lead:
        """The clue as it is judged; a visit counts for so many days."""
        until = self.at + timedelta(days=visit_days) if self.evidence == Evidence.VISIT else self.until
        return Lead(
            link=self.link.pk,
            advocate=self.link.customer_id,
            evidence=self.evidence,
            at=self.at,
            in_time=until is None or order.placed_at < until,
            is_own=self.link.customer_id == order.customer_id,
            binds=self.binds,
        )


def of_link(link: ShareLink, order: Order, *, named: bool = False) -> Clue:
    """The clue of a code that was given with the order, or of an advocate whom the buyer named and staff found."""
    given = Evidence.RECEIPT if link.order_id else Evidence.CODE
    return Clue(link, Evidence.NAME if named else given, order.placed_at, until=link.expires_at)


def of_orders(
    store: Store, orders: Sequence[Order], *, using: Mapping[int, int] = MappingProxyType({})
) -> dict[int, list[Clue]]:
    """By order id, everything that speaks for somebody: a number of queries that does not grow with the orders.

    Each order comes with its customer joined. `using`: by order id, a voucher that is about to be used with it.
    """
    taken, links = _Taken(store, orders, using), _by_code(store, orders)
    visits, named = _visits(store, orders), _named(store, orders)
    found: dict[int, list[Clue]] = {}
    for order in orders:
        clues = [*taken.clues(order), *_came_by(visits.get(order.visit, ()), order)]
        if order.code in links:
            clues.append(of_link(links[order.code], order))
        if order.named in named:
            clues.append(replace(of_link(named[order.named], order, named=True), needs_look=True))
        found[order.pk] = clues
    return found


# -- Gifts that were taken --


class _Taken:
    """The claims that may matter for some orders, by what they are found by."""

    def __init__(self, store: Store, orders: Sequence[Order], using: Mapping[int, int]) -> None:
        self.used = _used(store, orders)
        for order, voucher in using.items():
            self.used.setdefault(order, []).append(voucher)
        self.same = _same_people(store, orders)
        vouchers = {pk for used in self.used.values() for pk in used}
        friends = {pk for people in self.same.values() for pk in people}
        codes = {order.code for order in orders if order.code}
        if codes:  # looked up on their own: an "or" across two tables would read all claims
            told = Voucher.objects.for_store(store).filter(code__in=codes)
            vouchers |= set(told.values_list("pk", flat=True))
        wanted = Q(voucher__in=vouchers) | Q(friend__in=friends)
        is_asked = vouchers or friends
        claims = Claim.objects.for_store(store).filter(wanted).select_related(*CLAIM_JOINED) if is_asked else ()
        self.by_friend: dict[int, list[Claim]] = defaultdict(list)
        self.by_voucher: dict[int | str, list[Claim]] = defaultdict(list)
        for claim in claims:
            self.by_friend[claim.friend_id].append(claim)
            if claim.voucher:
                self.by_voucher[claim.voucher.pk].append(claim)
                self.by_voucher[claim.voucher.code].append(claim)

    def clues(self, order: Order) -> Iterator[Clue]:
        """What was used with the order, and what its buyer had taken before."""
        people = self.same.get(order.customer_id or 0, set())
        keys: list[int | str] = [*self.used.get(order.pk, ()), *([order.code] if order.code else [])]
        used = {claim.pk: claim for key in keys for claim in self.by_voucher.get(key, ())}
        for claim in used.values():
            yield Clue(claim.link, Evidence.VOUCHER, claim.at, claim=claim, binds=claim.friend_id in people)
        for claim in (one for pk in people for one in self.by_friend.get(pk, ())):
            if claim.pk not in used and claim.at <= order.placed_at:
                yield Clue(claim.link, Evidence.CLAIM, claim.at, claim.expires_at, claim, binds=True)


def _used(store: Store, orders: Sequence[Order]) -> dict[int, list[int]]:
    """By order id, the vouchers that were used with it."""
    used: dict[int, list[int]] = defaultdict(list)
    rows = Redemption.objects.for_store(store).filter(order__in=[order.pk for order in orders], reversed_at=None)
    for order, voucher in rows.values_list("order_id", "voucher_id"):
        used[order].append(voucher)
    return used


def _same_people(store: Store, orders: Sequence[Order]) -> dict[int, set[int]]:
    """By buyer, the ids of those with the same mailbox, written with dots or "+tag" or without; and their own."""
    buyers = {order.customer.pk: order.customer for order in orders if order.customer}
    aliases = {buyer.email_alias for buyer in buyers.values() if buyer.email_alias}
    same: dict[str, set[int]] = defaultdict(set)
    if aliases:
        rows = Customer.objects.for_store(store).filter(email_alias__in=aliases, merged_into=None, erased_at=None)
        for pk, alias in rows.values_list("pk", "email_alias"):
            same[alias].add(pk)
    return {pk: {pk, *same.get(buyer.email_alias, ())} for pk, buyer in buyers.items()}


# -- Codes, visits, names --


def _links(store: Store) -> StoreQuerySet:
    rows: StoreQuerySet = ShareLink.objects.for_store(store).select_related("customer__store", "store", "order")
    return rows


def _by_code(store: Store, orders: Sequence[Order]) -> dict[str, ShareLink]:
    codes = {order.code for order in orders if order.code}
    return {link.code_norm: link for link in _links(store).filter(code_norm__in=codes)} if codes else {}


def _visits(store: Store, orders: Sequence[Order]) -> dict[str, list[Visit]]:
    """By the token the shop passed on, that visit and the same browser's others, one a link and end of the window."""
    tokens = {order.visit for order in orders if order.visit}
    if not tokens:
        return {}
    rows = Visit.objects.for_store(store).select_related("link__customer__store", "link__store").filter(is_bot=False)
    passed = {visit.token: visit for visit in rows.filter(token__in=tokens)}
    devices = {visit.device for visit in passed.values() if visit.device}
    by_device: dict[str, list[Visit]] = defaultdict(list)
    if devices:
        since = min(order.placed_at for order in orders) - LONGEST_VISIT
        for visit in rows.filter(device__in=devices, at__gte=since).order_by("at", "pk"):
            by_device[visit.device].append(visit)
    return {token: by_device.get(visit.device) or [visit] for token, visit in passed.items()}


def _came_by(visits: Sequence[Visit], order: Order) -> Iterator[Clue]:
    """The first and the last visit by each link, before the purchase."""
    by_link: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        if visit.at <= order.placed_at + CLOCKS_DIFFER or visit.token == order.visit:
            by_link[visit.link_id].append(visit)
    for came in by_link.values():
        for visit in {came[0].pk: came[0], came[-1].pk: came[-1]}.values():
            yield Clue(visit.link, Evidence.VISIT, visit.at)


def _named(store: Store, orders: Sequence[Order]) -> dict[str, ShareLink]:
    """By name as told, the link of the one advocate it can mean."""
    told = {order.named: order for order in orders if order.named}
    if not told:
        return {}
    found = naming.matches(store, told)
    meant = {name: one for name, people in found.items() if (one := naming.only_one(name, people))}
    links = share_links_of(store, {one: told[name].updated_at for name, one in meant.items()}) if meant else {}
    whole = _links(store).in_bulk([link.pk for link in links.values()]) if links else {}
    return {name: whole[links[one.pk].pk] for name, one in meant.items()}
