"""Every link to a customer, and how its rows go from one customer to another when both are one person.

A table that points to customers and stands in none of the lists below fails tests/referrals/test_merging.py:
somebody has to decide what becomes of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from customers.models import Consent, Customer, CustomerMerge, CustomerTag, Event, Order, SearchTerm, SegmentMember
from outreach.models import Hold, Message, Task
from referrals.models import Appeal, Claim, Device, Partnership, Referral, ShareLink, Standing
from rewards.models import Account, Payout, PayoutAddress, Reward, Voucher
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response, Testimonial

Moved = dict[str, list[int]]  # link -> ids of rows


@dataclass(frozen=True)
class Link:
    """A column that points to a customer. A row whose `beside` the taker has already is left where it is."""

    model: type[models.Model]
    column: str
    beside: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name in CustomerMerge.moved."""
        return f"{self.model._meta.label_lower}.{self.column}"

    def rows(self, store: Store) -> Any:
        """The table's rows of the store."""
        return self.model._base_manager.filter(store_id=store.pk)


CLAIM = Link(Claim, "friend")
FRIEND = Link(Referral, "friend")

# Whose rows simply go along.
LINKS = (
    Link(Customer, "merged_into"),
    Link(Order, "customer"),
    Link(Event, "customer"),
    Link(CustomerTag, "customer", beside=("tag",)),
    Link(SegmentMember, "customer", beside=("segment_id",)),
    Link(Message, "customer"),
    Link(Task, "customer"),
    Link(Hold, "customer"),
    Link(Reward, "customer"),
    Link(Voucher, "customer"),
    Link(Payout, "customer"),
    Link(PayoutAddress, "customer", beside=("store_id",)),  # one a person
    Link(Invitation, "customer"),
    Link(Response, "customer"),
    Link(RecoveryCase, "customer"),
    Link(Testimonial, "customer"),
    Link(ShareLink, "customer"),
    Link(Device, "customer", beside=("device",)),
    Link(Referral, "advocate"),
    Link(Appeal, "customer"),
    Link(Partnership, "customer"),
)
# Whose rows go by a rule of their own: see `referrals.services.merging`.
RULED = (CLAIM, FRIEND)
# Whose rows stay where they are.
STAYING = (
    Link(SearchTerm, "customer"),  # the database keeps them in step with the row's own name and addresses
    Link(Consent, "customer"),  # append-only: what holds for both is said by a new row
    Link(Standing, "customer"),  # append-only: where somebody came in that day
    Link(Account, "customer"),  # their money moves, by the ledger
    Link(CustomerMerge, "survivor"),
    Link(CustomerMerge, "gone"),
)


def move(links: Iterable[Link], giver: Customer, taker: Customer) -> Moved:
    """Point the giver's rows to the taker; returns which."""
    moved = {}
    for link in links:
        ids = _movable(link, giver, taker)
        if ids and point(link, ids, giver, taker):
            moved[link.label] = ids
    return moved


def _movable(link: Link, giver: Customer, taker: Customer) -> list[int]:
    mine = link.rows(giver.store).filter(**{link.column: giver})
    if not link.beside:
        return list(mine.order_by("pk").values_list("pk", flat=True))
    theirs = set(link.rows(giver.store).filter(**{link.column: taker}).values_list(*link.beside))
    return [pk for pk, *beside in mine.order_by("pk").values_list("pk", *link.beside) if tuple(beside) not in theirs]


def point(link: Link, ids: list[int], giver: Customer, taker: Customer) -> int:
    """Point these rows of the giver to the taker."""
    rows = link.rows(giver.store).filter(pk__in=ids, **{link.column: giver})
    return int(rows.update(**{f"{link.column}_id": taker.pk}))


def move_back(moved: Moved, links: Iterable[Link], *, giver: Customer, taker: Customer) -> None:
    """Point to `giver` again what of `moved` still points to `taker`, unless something took its place meanwhile."""
    for link in links:
        wanted = set(moved.get(link.label, ()))
        if wanted:
            point(link, [pk for pk in _movable(link, taker, giver) if pk in wanted], taker, giver)


def left_behind(store: Store, customers: list[int]) -> set[int]:
    """Which of these customers (ids) still have rows that should have gone along."""
    found: set[int] = set()
    for link in (*LINKS, *RULED):
        rows = link.rows(store).filter(**{f"{link.column}__in": customers})
        found.update(rows.values_list(f"{link.column}_id", flat=True))
    return found
