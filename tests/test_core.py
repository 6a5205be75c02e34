from datetime import timedelta

from customers.services import Person
from outreach.models import Message
from referrals.services import asking, attribution, claims, deciding
from rewards.models import Reward
from rewards.services import ledger, vouchers
from surveys.models import Invitation
from surveys.services import answering, inviting


def test_an_order_becomes_two_rewards(store, make_order, now):
    make_order("sara@example.com", days_ago=9)
    assert inviting.plan_invitations(store, now, since=now - timedelta(days=30)) == 1
    assert inviting.invite_due(store, now) == 1
    response = answering.respond(Invitation.objects.for_store(store).get(), score=10, comment="", at=now)
    link = asking.ask_on_answer(store, response, at=now)
    taken = claims.claim(link, Person("Bea Cruz", "bea@example.com"), at=now)
    used = vouchers.redeem(taken.voucher, vouchers.Bill(100_00, "PHP"), at=now)
    assert used.discount_minor == 10_00
    order = make_order("bea@example.com", days_ago=-0.1, recorded=now, code=taken.voucher.code)
    referral = attribution.attribute_order(order, at=now)
    assert referral.status == "pending"
    later = now + timedelta(days=20)
    assert deciding.approve_due(store, later) == 1
    assert deciding.approve_due(store, later) == 0
    assert Reward.objects.for_store(store).get().customer == link.customer
    assert ledger.total(store) == 0
    assert set(Message.objects.for_store(store).values_list("kind", flat=True)) == {"survey", "gift", "reward"}
