from datetime import timedelta

from referrals.services import attribution, deciding
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Reward, Tier


def test_a_changed_program_does_not_touch_what_was_promised(store, share_link, make_order, now):
    order = make_order("bea@example.com", days_ago=1, code=share_link.code_norm)
    referral = attribution.attribute_order(order, at=now)
    less = OfferTerms(Offer.Kind.PERCENT_OFF, percent=1)
    terms = ProgramTerms("Less", less, [TierTerms(1, Tier.Gives.EACH, less)])
    change_program(program_of(store), terms, by=None, at=now)
    referral.refresh_from_db()
    assert deciding.approve_referral(referral, at=now + timedelta(days=20))
    rewards = Reward.objects.for_store(store)
    assert {reward.offer.percent for reward in rewards} == {10}
    assert set(rewards.values_list("side", flat=True)) == {"advocate", "friend"}
