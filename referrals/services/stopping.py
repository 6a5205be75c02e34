"""What takes a waiting message back because what it is about has ended.

Vouchers and share buttons say so themselves (`rewards.services.vouchers`, `links.note_shared`). The rest is
looked up here for messages that are about to go out, for others write what becomes of orders and referrals.
What ends in the last minute before sending is missed; what must never go out, the claim checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from customers.models import Order
from outreach.kinds import Kind
from outreach.models import Message, Task
from outreach.services import cancel_waiting
from referrals.models import Claim, Referral
from referrals.services.links import PROMPTS, have_shared
from referrals.services.values import Gains
from stores.models import Store

AHEAD = timedelta(days=1)  # what is due later is looked at later


@dataclass(frozen=True)
class Waiting:
    """A message that waits, as far as the checks look at it; `what` and `pk` are its `about` in two parts."""

    message: int
    kind: str
    key: str
    customer: int
    what: str
    pk: int


# What the messages that have become pointless are skipped for, by their id.
Check = Callable[[Store, Sequence[Waiting]], dict[int, str]]


def stop_pointless(store: Store, at: datetime, *, ahead: timedelta | None = AHEAD) -> int:
    """Take back what is due within `ahead` (None: whatever waits) and has become pointless; returns how many.

    A fixed number of statements, however many messages wait.
    """
    rows = _waiting(store, None if ahead is None else at + ahead)
    if not rows:
        return 0
    reasons: dict[int, str] = {}
    for check in CHECKS:
        reasons |= check(store, rows)
    by_reason: dict[str, list[int]] = {}
    for pk, reason in reasons.items():
        by_reason.setdefault(reason, []).append(pk)
    return sum(cancel_waiting(store, pks, reason=reason, at=at) for reason, pks in sorted(by_reason.items()))


def _waiting(store: Store, until: datetime | None) -> list[Waiting]:
    """What is in the queue until then, and what lies with the staff."""
    queued = Message.objects.for_store(store).filter(status=Message.Status.PENDING)
    if until:
        queued = queued.filter(due_at__lte=until)
    open_tasks = Task.objects.for_store(store).filter(status=Task.Status.OPEN)
    laid_out = Message.objects.for_store(store).filter(pk__in=open_tasks.values("message"), status=Message.Status.TASK)
    columns = ("pk", "kind", "key", "customer_id", "about")
    found = []
    rows = queued.values_list(*columns).union(laid_out.values_list(*columns), all=True)
    for pk, kind, key, customer, about in rows:
        what, _colon, number = about.partition(":")
        found.append(Waiting(pk, kind, key, customer, what, int(number) if number.isdecimal() else 0))
    return found


def _about(rows: Sequence[Waiting], what: str) -> dict[int, list[int]]:
    """Messages about this, by its id."""
    found: dict[int, list[int]] = {}
    for row in rows:
        if row.what == what:
            found.setdefault(row.pk, []).append(row.message)
    return found


def _each(messages: dict[int, list[int]], ended: Iterable[tuple[int, str]]) -> dict[int, str]:
    return {message: reason for pk, reason in ended for message in messages[pk]}


def _ended_orders(store: Store, rows: Sequence[Waiting]) -> dict[int, str]:
    """The purchase was given back, or never came about."""
    messages = _about(rows, "order")
    if not messages:
        return {}
    orders = Order.objects.for_store(store).filter(pk__in=messages)
    facts = orders.values_list("pk", "cancelled_at", "refunded_at")
    return _each(messages, [(pk, "cancelled" if off else "refunded") for pk, off, back in facts if off or back])


def _ended_referrals(store: Store, rows: Sequence[Waiting]) -> dict[int, str]:
    """The friend does not count; or counts by now, where the message says that they will."""
    messages = _about(rows, "referral")
    if not messages:
        return {}
    statuses = dict(Referral.objects.for_store(store).filter(pk__in=messages).values_list("pk", "status"))
    voided = [(pk, "not_counted") for pk, status in statuses.items() if status == Referral.Status.VOIDED]
    late = {
        row.message: "counted"
        for row in rows
        if row.kind == Kind.FRIEND_BOUGHT and statuses.get(row.pk) == Referral.Status.APPROVED
    }
    return _each(messages, voided) | late


def _used_claims(store: Store, rows: Sequence[Waiting]) -> dict[int, str]:
    """The friend has bought: what says that they took the gift, or might lose it, is old."""
    claims, gifts = _about(rows, "claim"), _about([row for row in rows if row.kind == Kind.GIFT_EXPIRING], "voucher")
    if not claims and not gifts:
        return {}
    later = Order.objects.filter(store=OuterRef("store"), customer=OuterRef("friend"), placed_at__gte=OuterRef("at"))
    bought = Claim.objects.for_store(store).filter(Exists(later))
    used = bought.filter(pk__in=claims).values_list("pk", flat=True)
    spent = bought.filter(voucher__in=gifts).values_list("voucher_id", flat=True)
    return _each(claims, [(pk, "bought") for pk in used]) | _each(gifts, [(pk, "bought") for pk in spent])


def _have_shared(store: Store, rows: Sequence[Waiting]) -> dict[int, str]:
    """They shared meanwhile, or somebody came by their link."""
    messages = {row.message: row.customer for row in rows if row.kind in PROMPTS}
    shared = have_shared(store, set(messages.values())) if messages else set()
    return {message: "shared" for message, customer in messages.items() if customer in shared}


def _came_back(store: Store, rows: Sequence[Waiting]) -> dict[int, str]:
    """Who was missed has bought."""
    messages = [row.message for row in rows if row.what == "away"]
    if not messages:
        return {}
    new = Order.objects.filter(
        store=OuterRef("store"), customer=OuterRef("customer"), recorded_at__gt=OuterRef("created_at")
    )
    back = Message.objects.for_store(store).filter(Exists(new), pk__in=messages).values_list("pk", flat=True)
    return dict.fromkeys(back, "bought")


def _no_longer_near(store: Store, rows: Sequence[Waiting]) -> dict[int, str]:
    """The next step was reached, or moved away again."""
    near = [row for row in rows if row.kind == Kind.TIER_NEAR]
    counts = Gains(store, (), {row.customer for row in near})
    return {
        row.message: "not_near" for row in near if row.key.rsplit(":", 1)[1] != str(counts.number(row.customer) + 1)
    }


CHECKS: tuple[Check, ...] = (
    _ended_orders,
    _ended_referrals,
    _used_claims,
    _have_shared,
    _came_back,
    _no_longer_near,
)
