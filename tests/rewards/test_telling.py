"""Rewards that end soon or were taken back: told once, in words, and only to who has something to lose."""

from dataclasses import replace

import pytest

from outreach.kinds import Kind
from outreach.models import Journey, Message
from referrals.services import programs
from referrals.services.terms import OfferTerms, TierTerms, terms_of
from rewards.models import Offer, Reward, Voucher
from rewards.services import granting, ledger, telling, vouchers
from rewards.services.vouchers import Bill
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, HOUR, MINUTE, count, messages, refer, switch, take_gift

pytestmark = pytest.mark.django_db
ENDS = NOW + 90 * DAY
WEEK_BEFORE = ENDS - 7 * DAY


@pytest.fixture
def give(store, make_customer):
    """A function that gives somebody a reward."""

    def given(key="1", customer=None, kind=Offer.Kind.PERCENT_OFF, locale=""):
        value = {"percent": 10} if kind == Offer.Kind.PERCENT_OFF else {"amount_minor": 100_00}
        offer = Offer.objects.create(store=store, kind=kind, currency="PHP", valid_days=90, **value)
        person = customer or make_customer(locale=locale)
        return granting.grant(person, offer, side=Reward.Side.ADVOCATE, key=key, at=NOW)

    return given


def sweep(store, at, since=None):
    return telling.sweep(store, since or at - HOUR, at)


def has_read(reward, at=NOW):
    """The news of the reward went out."""
    return Message.objects.create(
        store=reward.store,
        customer=reward.customer,
        kind=Kind.REWARD,
        key=f"reward:{reward.pk}",
        status=Message.Status.SENT,
        due_at=at,
        sent_at=at,
    )


class TestItEndsSoon:
    def test_a_week_before_once(self, store, give):
        reward = give()
        assert sweep(store, WEEK_BEFORE - MINUTE, since=NOW) == 0
        assert sweep(store, WEEK_BEFORE) == 1
        assert sweep(store, WEEK_BEFORE + 20 * MINUTE) == 0
        assert telling.sweep(store, None, WEEK_BEFORE + DAY) == 0
        told, voucher = messages(store, Kind.REWARD_EXPIRING)[0], reward.voucher
        assert (told.key, told.about) == (f"reward_expiring:{voucher.pk}", f"voucher:{voucher.pk}")
        assert (told.due_at, told.not_after) == (WEEK_BEFORE, ENDS - DAY)
        assert (told.context["gift"], told.context["until"]) == ("10% off", "2027-02-18")
        assert told.context["code"].replace("-", "") == voucher.code
        assert told.context["links"]["action"].startswith("http://testserver/me/")

    def test_in_the_persons_language(self, store, give):
        give(locale="fa")
        sweep(store, WEEK_BEFORE)
        assert "۱۰" in messages(store, Kind.REWARD_EXPIRING)[0].context["gift"]

    def test_the_owner_sets_how_long_before_and_never_after_the_end(self, store, give):
        switch(store, Kind.REWARD_EXPIRING, wait=2 * DAY)
        give()
        sweep(store, ENDS - 2 * DAY)
        told = messages(store, Kind.REWARD_EXPIRING)[0]
        assert (told.due_at, told.not_after) == (ENDS - 2 * DAY, ENDS)

    def test_the_repair_tells_what_an_outage_left(self, store, give):
        give()
        assert telling.sweep(store, None, WEEK_BEFORE + 3 * DAY) == 1
        assert messages(store, Kind.REWARD_EXPIRING)[0].due_at == WEEK_BEFORE + 3 * DAY

    def test_not_what_was_used_or_taken_back(self, store, give):
        vouchers.redeem(give("1").voucher, Bill(500_00, "PHP"), at=NOW)
        granting.take_back(give("2"), reason="staff", at=NOW)
        assert sweep(store, WEEK_BEFORE) == 0

    @pytest.mark.parametrize("end", ["redeem", "take_back", "expire"])
    def test_one_that_waits_is_taken_back(self, store, give, end):
        reward = give()
        sweep(store, WEEK_BEFORE)
        if end == "redeem":
            vouchers.redeem(reward.voucher, Bill(500_00, "PHP"), at=WEEK_BEFORE)
        elif end == "take_back":
            granting.take_back(reward, reason="staff", at=WEEK_BEFORE)
        else:
            vouchers.expire_due(store, ENDS)
        told = messages(store, Kind.REWARD_EXPIRING)[0]
        reasons = {"redeem": "used", "take_back": "voided", "expire": "expired"}
        assert (told.status, told.reason) == (Message.Status.SKIPPED, reasons[end])
        assert told.events.get().status == Message.Status.SKIPPED

    def test_a_use_that_was_undone_does_not_tell_twice(self, store, give):
        reward = give()
        sweep(store, WEEK_BEFORE)
        used = vouchers.redeem(reward.voucher, Bill(500_00, "PHP"), at=WEEK_BEFORE)
        vouchers.reverse(used, at=WEEK_BEFORE + MINUTE)
        sweep(store, WEEK_BEFORE + 2 * MINUTE)
        assert len(messages(store, Kind.REWARD_EXPIRING)) == 1

    def test_what_is_given_for_a_week_does_not_end_soon_the_same_day(self, store, give):
        reward = give()
        Voucher.objects.filter(pk=reward.voucher.pk).update(expires_at=NOW + 7 * DAY + HOUR)
        assert sweep(store, NOW + HOUR) == 0

    def test_store_credit_that_ends(self, store, give):
        reward = give(kind=Offer.Kind.STORE_CREDIT)
        purse = Voucher.objects.for_store(store).get(kind=Voucher.Kind.CREDIT)
        assert telling.sweep(store, None, WEEK_BEFORE) == 0  # ours has no end
        Voucher.objects.filter(pk=purse.pk).update(expires_at=ENDS)
        vouchers.redeem(purse, Bill(40_00, "PHP"), at=NOW)
        assert sweep(store, WEEK_BEFORE) == 1
        assert messages(store, Kind.REWARD_EXPIRING)[0].context["gift"] == "₱60 store credit"
        assert messages(store, Kind.REWARD_EXPIRING)[0].customer == reward.customer

    def test_spent_store_credit_is_nothing_to_lose(self, store, give):
        give(kind=Offer.Kind.STORE_CREDIT)
        purse = Voucher.objects.for_store(store).get(kind=Voucher.Kind.CREDIT)
        Voucher.objects.filter(pk=purse.pk).update(expires_at=ENDS)
        vouchers.redeem(purse, Bill(500_00, "PHP"), at=NOW)
        assert ledger.credit_balance(store, purse.customer, "PHP") == 0
        assert sweep(store, WEEK_BEFORE) == 0

    def test_off_and_before_it_was_switched_on(self, store, give):
        give()
        switch(store, Kind.REWARD_EXPIRING, on=False)
        assert sweep(store, WEEK_BEFORE) == 0
        switch(store, Kind.REWARD_EXPIRING, since=WEEK_BEFORE + MINUTE)
        assert sweep(store, WEEK_BEFORE + 2 * MINUTE) == 0


class TestItWasTakenBack:
    @pytest.mark.parametrize(
        ("reason", "why"),
        [
            ("refunded", "the purchase was returned"),
            ("cancelled", "the purchase was cancelled"),
            ("undone", "the purchase was undone at the counter"),
            ("staff", "the store decided so after a check"),
            ("of some later day", ""),
        ],
    )
    def test_with_the_reason_in_words_once(self, store, give, reason, why):
        reward = give()
        has_read(reward)
        granting.take_back(reward, reason=reason, at=NOW + DAY)
        assert sweep(store, NOW + DAY) == 1
        assert sweep(store, NOW + DAY + MINUTE) == 0
        told = messages(store, Kind.REWARD_VOIDED)[0]
        assert (told.key, told.due_at) == (f"reward_voided:{reward.pk}", NOW + DAY)
        assert (told.context["gift"], told.context["why"]) == ("10% off", why)

    def test_not_who_had_not_read_of_it(self, store, give):
        granting.take_back(give("1"), reason="staff", at=NOW)
        waiting = give("2")
        Message.objects.filter(pk=has_read(waiting).pk).update(status=Message.Status.PENDING, sent_at=None)
        granting.take_back(waiting, reason="staff", at=NOW)
        assert sweep(store, NOW) == 0

    def test_off_and_before_it_was_switched_on(self, store, give):
        reward = give()
        has_read(reward)
        granting.take_back(reward, reason="staff", at=NOW)
        switch(store, Kind.REWARD_VOIDED, on=False)
        assert sweep(store, NOW) == 0
        switch(store, Kind.REWARD_VOIDED, since=NOW + MINUTE)
        assert sweep(store, NOW + 2 * MINUTE) == 0


class TestTheNewsItself:
    """REWARD and GIFT start through the journeys, as before unless the owner says otherwise."""

    def test_the_reward_names_the_friend_the_code_and_the_day(self, store, share_link):
        referral = count(refer(share_link), at=NOW)
        told, reward = messages(store, Kind.REWARD)[0], Reward.objects.for_store(store).get()
        assert (told.key, told.about) == (f"reward:{reward.pk}", f"voucher:{reward.voucher.pk}")
        assert told.due_at == NOW
        context = told.context
        assert (context["gift"], context["friend"]) == ("10% off", referral.friend.short_name)
        assert context["code"].replace("-", "") == reward.voucher.code
        assert context["until"] == "2027-02-18"

    def test_of_store_credit_it_names_the_code_it_is_used_by(self, store, share_link):
        before = terms_of(programs.program_of(store))
        credit = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00)
        step = TierTerms(1, "each", credit)
        program = replace(before, tiers=[step])
        programs.change_program(programs.program_of(store), program, by=None, at=NOW)
        count(refer(share_link), at=NOW)
        purse = Voucher.objects.for_store(store).get(kind=Voucher.Kind.CREDIT)
        context = messages(store, Kind.REWARD)[0].context
        assert (context["code"].replace("-", ""), context["until"]) == (purse.code, "")

    @pytest.mark.parametrize("kind", [Kind.REWARD, Kind.GIFT])
    def test_off(self, store, share_link, kind):
        switch(store, kind, on=False)
        count(refer(share_link), at=NOW)
        assert not messages(store, kind)

    def test_with_a_wait_of_the_owners(self, store, share_link):
        journey = switch(store, Kind.REWARD, wait=2 * HOUR)
        count(refer(share_link), at=NOW)
        told = messages(store, Kind.REWARD)[0]
        assert (told.due_at, told.journey_id) == (NOW + 2 * HOUR, journey.pk)
        assert Journey.objects.for_store(store).count() == 1

    def test_a_gift_that_was_used_needs_no_letter(self, store, share_link):
        claim = take_gift(share_link)
        vouchers.redeem(claim.voucher, Bill(500_00, "PHP"), at=NOW)
        told = messages(store, Kind.GIFT)[0]
        assert told.context["friend"] == "Sara A."
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "used")
