"""A friend's gift that comes when the purchase counts, on the friend's own page and on the one who sent them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from customers.models import Customer
from customers.services import Person
from referrals.models import Referral
from referrals.public.friends import friends_of
from referrals.public.holdings import holdings_of
from referrals.public.sharing import as_told
from referrals.services import attribution, claims, deciding, redeeming
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Tier
from rewards.services.vouchers import Bill

pytestmark = pytest.mark.django_db
Kind = Offer.Kind
BEA = Person("Bea", "bea@example.com")
CREDIT = OfferTerms(Kind.STORE_CREDIT, amount_minor=5_000)


@pytest.fixture
def promise(store, now):
    """A function that puts a friend's gift in force."""

    def put(friend: OfferTerms) -> None:
        terms = ProgramTerms("Given later", friend, [TierTerms(1, Tier.Gives.EACH, CREDIT)])
        change_program(program_of(store), terms, by=None, at=now)

    return put


@pytest.fixture
def buy(store, share_link, now):
    """Bea takes the gift and uses it on her first bill; her referral."""

    def bring() -> Referral:
        claim = claims.claim(share_link, BEA, at=now)
        done = redeeming.redeem(store, claim.voucher.code, Bill(100_000, store.currency), at=now)
        assert done.referral
        return done.referral

    return bring


def held(store, now):
    """What Bea's own page says of her gift."""
    bea = Customer.objects.for_store(store).get(email_norm=BEA.email)
    return [(row.words, row.state) for row in holdings_of(store, bea, now).rows]


@pytest.mark.parametrize(
    ("gift", "words", "then"),
    [
        (CREDIT, "₱50 store credit", "credit"),
        (OfferTerms(Kind.GIFT_CARD, amount_minor=5_000), "gift card of ₱50", "ready"),
        (OfferTerms(Kind.DONATION, amount_minor=5_000, words="the shelter"), "₱50 for the shelter", "todo"),
        (OfferTerms(Kind.CUSTOM, amount_minor=5_000, words="A lesson"), "A lesson", "todo"),
    ],
)
def test_it_waits_and_is_there_once_when_it_counts(store, promise, buy, now, gift, words, then):
    promise(gift)
    referral = buy()
    assert held(store, now) == [(words, "later")]
    deciding.approve_referral(referral, at=now + timedelta(days=20))
    assert held(store, now + timedelta(days=20)) == [(words, then)]


def test_it_does_not_come_when_the_purchase_does_not_count(store, promise, buy, now):
    promise(CREDIT)
    deciding.void_referral(buy(), reason=Referral.Reason.STAFF, at=now)
    assert held(store, now) == [("₱50 store credit", "back")]


def test_a_gift_that_comes_off_the_bill_is_used(store, promise, buy, now):
    promise(OfferTerms(Kind.FIXED_OFF, amount_minor=5_000))
    buy()
    assert held(store, now) == [("₱50 off", "used")]


def shown(store, share_link, now):
    """Sara's friends as her page shows them."""
    rows, _more = friends_of(store, share_link.customer, now, [])
    return [(row.name, row.state) for row in rows]


def test_a_friend_who_comes_again_is_shown_once(store, share_link, promise, buy, make_order, now):
    promise(CREDIT)
    referral = buy()
    again = attribution.attribute_order(make_order(BEA.email, days_ago=-1, recorded=now), at=now)
    assert again
    assert again.reason == Referral.Reason.KNOWN_CUSTOMER
    assert shown(store, share_link, now) == [("Bea", "waiting")]
    deciding.approve_referral(referral, at=now + timedelta(days=20))
    assert shown(store, share_link, now) == [("Bea", "counted")]


def test_who_was_here_before_is_told_of(store, share_link, make_order, now):
    make_order(BEA.email, days_ago=5)
    order = make_order(BEA.email, days_ago=-1, recorded=now, code=share_link.code)
    assert attribution.attribute_order(order, at=now)
    assert shown(store, share_link, now)[0][1] == "refused"


def test_friends_hear_of_a_commission_in_other_words(store):
    commission = Offer(kind=Kind.COMMISSION, percent=15, months=3, currency="PHP", store=store)
    assert as_told([commission], store) == "a commission"
    credit = Offer(kind=Kind.STORE_CREDIT, amount_minor=5_000, currency="PHP", store=store)
    assert as_told([credit, commission], store) == "₱50 store credit or a commission"
