"""What came of a replay, counted from the tables."""

from __future__ import annotations

from customers.models import Order
from outreach.models import Kind, Message
from referrals.models import Claim, Referral, Visit
from rewards.models import Reward
from rewards.services import ledger
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response


def summary(store: Store) -> dict[str, int]:
    """The keys of API.md, for everything the store holds."""
    orders = Order.objects.for_store(store)
    responses = Response.objects.for_store(store).counted()
    referrals = Referral.objects.for_store(store)
    return {
        "orders": orders.count(),
        "delivered": orders.exclude(delivered_at=None).count(),
        "invited": Invitation.objects.for_store(store).filter(status=Invitation.Status.INVITED).count(),
        "answered": responses.count(),
        "promoters": responses.filter(score__gte=9).count(),
        "passives": responses.filter(score__in=(7, 8)).count(),
        "detractors": responses.filter(score__lte=6).count(),
        "cases": RecoveryCase.objects.for_store(store).count(),
        "asked": len(asked_people(store)),
        "visits": Visit.objects.for_store(store).filter(is_bot=False).count(),
        "claims": Claim.objects.for_store(store).count(),
        "referrals": referrals.count(),
        "approved": referrals.filter(status=Referral.Status.APPROVED).count(),
        "voided": referrals.filter(status=Referral.Status.VOIDED).count(),
        "rewards": Reward.objects.for_store(store).filter(status=Reward.Status.GRANTED).count(),
        "ledger_sum": ledger.total(store),
    }


def asked_people(store: Store) -> set[int]:
    """Customers who were shown the ask on the answer page, or sent one."""
    shown = Response.objects.for_store(store).exclude(ask_shown_at=None).values_list("customer_id", flat=True)
    sent = Message.objects.for_store(store).filter(kind=Kind.ASK, status=Message.Status.SENT)
    return set(shown) | set(sent.values_list("customer_id", flat=True))
