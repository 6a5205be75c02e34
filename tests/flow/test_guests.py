"""People without e-mail, and orders without a name, are full citizens of the loop."""

from __future__ import annotations

from customers.models import Customer
from customers.services import Person
from outreach.models import Kind, Message
from referrals.models import Referral
from referrals.services import claims, deciding, merging, redeeming
from referrals.services.attribution import attribute_order
from referrals.services.links import find_link, share_link_of
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Tier, Voucher
from rewards.services import ledger
from rewards.services.vouchers import Bill
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY

TERMS = ProgramTerms(
    "Phones",
    OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=50_00),
    [TierTerms(1, Tier.Gives.EACH, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00))],
)
PHONE, FRIEND = Person("Lola", "", "+639170000001"), Person("Nene", "", "+639170000002")


def approve(referral: Referral) -> None:
    fresh = Referral.objects.select_related(*deciding.JOINED).get(pk=referral.pk)
    assert deciding.approve_referral(fresh, at=NOW + 30 * DAY)


def test_an_advocate_and_a_friend_with_a_phone_only(store):
    change_program(program_of(store), TERMS, by=None, at=NOW)
    lola = make_order_of(store, PHONE, at=NOW).customer
    link = share_link_of(lola, at=NOW)
    claim = claims.claim(link, FRIEND, at=NOW)
    assert Message.objects.for_store(store).get(kind=Kind.GIFT).customer == claim.friend
    used = redeeming.redeem(store, claim.voucher.code, Bill(500_00, "PHP"), at=NOW + DAY, person=FRIEND)
    assert (used.redemption.discount_minor, used.referral.friend) == (50_00, claim.friend)
    approve(used.referral)
    credit = Voucher.objects.for_store(store).get(kind="credit")
    spent = redeeming.redeem(store, credit.code, Bill(80_00, "PHP"), at=NOW + 31 * DAY, person=PHONE)
    assert spent.redemption.discount_minor == 80_00
    assert ledger.credit_balance(store, lola, "PHP") == 20_00
    assert ledger.total(store) == 0


def test_a_guests_order_counts_and_becomes_theirs_when_they_say_who_they_are(store):
    change_program(program_of(store), TERMS, by=None, at=NOW)
    lola = make_order_of(store, PHONE, at=NOW).customer
    order = make_order_of(store, None, at=NOW, code=share_link_of(lola, at=NOW).code)
    referral = attribute_order(order, at=NOW)
    assert (referral.status, referral.friend, referral.advocate) == (Referral.Status.PENDING, None, lola)
    approve(referral)
    assert ledger.credit_balance(store, lola, "PHP") == 100_00


def test_the_code_on_a_guests_receipt_is_theirs_once_they_are_known(store):
    """The nameless stand-in is merged into the customer: friends who came by the print count for them."""
    change_program(program_of(store), TERMS, by=None, at=NOW)
    printed = redeeming.receipt_link(make_order_of(store, None, at=NOW), at=NOW)
    friends = make_order_of(store, FRIEND, at=NOW + DAY, code=printed.code)
    referral = attribute_order(friends, at=NOW + DAY)
    lola = make_order_of(store, PHONE, at=NOW + DAY).customer
    stand_in = Customer.objects.select_related("store").get(pk=printed.customer_id)
    merging.merge(lola, stand_in, by=None, at=NOW + 2 * DAY)
    approve(referral)
    assert ledger.credit_balance(store, lola, "PHP") == 100_00
    assert find_link(store, printed.code_norm, at=NOW + 2 * DAY).customer == lola
    lola.refresh_from_db()
    assert lola.external_id == ""
