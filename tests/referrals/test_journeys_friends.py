"""News of friends: each once, at its moment, in the advocate's language; nothing that is old by then."""

from datetime import timedelta

import pytest

from outreach.kinds import Kind
from outreach.models import Message
from outreach.services import customers_written_since
from referrals.models import Referral
from referrals.services import deciding, stopping
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer, Tier
from rewards.services import vouchers
from tests.conftest import NOW
from tests.referrals.journey_world import (
    DAY,
    HOUR,
    MINUTE,
    buy,
    count,
    ladder,
    messages,
    pause,
    refer,
    sweep,
    switch,
    take_gift,
)

pytestmark = pytest.mark.django_db


def voided(store, referral, at=NOW):
    referral = Referral.objects.for_store(store).select_related("advocate", "order", "store").get(pk=referral.pk)
    deciding.void_referral(referral, reason=Referral.Reason.REFUNDED, at=at)


class TestTheGiftWasTaken:
    def test_the_advocate_hears_of_it_at_once(self, store, share_link):
        claim = take_gift(share_link, "Bea Cruz")
        sweep(store, NOW + MINUTE)
        told = messages(store, Kind.FRIEND_CLAIMED)[0]
        assert told.customer == share_link.customer
        assert (told.key, told.about) == (f"friend_claimed:{claim.pk}", f"claim:{claim.pk}")
        assert told.due_at == NOW + MINUTE
        assert told.not_after == NOW + 2 * DAY
        assert told.context["friend"] == "Bea C."
        assert told.context["you_get"] == "10% off"
        assert told.context["links"]["action"].startswith("http://testserver/me/")
        assert "/u/" in told.context["links"]["unsubscribe"]

    def test_in_the_advocates_language(self, store, make_customer):
        advocate = make_customer("نگار محمدی", locale="fa")
        take_gift(share_link_of(advocate, at=NOW))
        sweep(store, NOW)
        assert "۱۰" in messages(store, Kind.FRIEND_CLAIMED)[0].context["you_get"]

    def test_who_has_bought_meanwhile_is_told_of_once(self, store, share_link):
        refer(share_link)
        sweep(store, NOW)
        assert not messages(store, Kind.FRIEND_CLAIMED)
        assert len(messages(store, Kind.FRIEND_BOUGHT)) == 1

    def test_it_is_taken_back_once_they_bought(self, store, share_link):
        switch(store, Kind.FRIEND_CLAIMED, wait=HOUR)
        claim = take_gift(share_link)
        sweep(store, NOW)
        buy(claim, at=NOW + MINUTE)
        stopping.stop_pointless(store, NOW + 2 * MINUTE)
        told = messages(store, Kind.FRIEND_CLAIMED)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "bought")

    def test_it_is_no_news_after_two_days(self, store, share_link):
        take_gift(share_link)
        assert sweep(store, NOW + 2 * DAY + MINUTE, since=NOW - HOUR) == 0


class TestAFriendBought:
    def test_it_says_when_they_count(self, store, share_link):
        referral = refer(share_link, at=NOW)  # 18:00 in Manila
        sweep(store, NOW)
        told = messages(store, Kind.FRIEND_BOUGHT)[0]
        assert told.key == f"friend_bought:{referral.pk}"
        assert told.context["counts_on"] == "2026-12-04"
        assert (told.context["friend"], told.context["you_get"]) == ("Bea C.", "10% off")

    def test_the_day_is_the_stores(self, store, share_link):
        refer(share_link, at=NOW + 8 * HOUR)  # 02:00 of the next day in Manila
        sweep(store, NOW + 8 * HOUR)
        assert messages(store, Kind.FRIEND_BOUGHT)[0].context["counts_on"] == "2026-12-05"

    def test_what_counts_by_then_is_told_by_its_reward(self, store, share_link):
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        assert not messages(store, Kind.FRIEND_BOUGHT)
        assert len(messages(store, Kind.REWARD)) == 1

    @pytest.mark.parametrize("status", [Referral.Status.FLAGGED, Referral.Status.VOIDED])
    def test_nothing_of_one_that_is_doubted(self, store, share_link, status):
        Referral.objects.filter(pk=refer(share_link).pk).update(status=status)
        sweep(store, NOW)
        assert not messages(store, Kind.FRIEND_BOUGHT)

    @pytest.mark.parametrize(("end", "reason"), [(voided, "not_counted"), (None, "counted")])
    def test_it_is_taken_back(self, store, share_link, end, reason):
        switch(store, Kind.FRIEND_BOUGHT, wait=HOUR)
        referral = refer(share_link)
        sweep(store, NOW)
        if end:
            end(store, referral)
        else:
            count(referral, at=NOW)
        assert stopping.stop_pointless(store, NOW) == 1
        told = messages(store, Kind.FRIEND_BOUGHT)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, reason)
        assert told.events.get().reason == reason


class TestAFriendCounts:
    def test_a_reward_tells_it(self, store, share_link):
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        assert not messages(store, Kind.FRIEND_APPROVED)

    def test_without_one_it_has_its_own_message(self, store, share_link):
        ladder(store, 2)
        referral = count(refer(share_link), at=NOW)
        sweep(store, NOW)
        told = messages(store, Kind.FRIEND_APPROVED)[0]
        assert told.key == f"friend_approved:{referral.pk}"
        assert (told.context["friend"], told.context["friends"]) == ("Bea C.", 1)
        second = count(refer(share_link, "Jun Reyes"), at=NOW)
        sweep(store, NOW)
        assert [one.key for one in messages(store, Kind.FRIEND_APPROVED)] == [told.key]
        assert messages(store, Kind.REWARD)[-1].context["friend"] == second.friend.short_name

    def test_so_it_has_while_the_store_sends_no_mail_about_rewards(self, store, share_link):
        switch(store, Kind.REWARD, on=False)
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        assert not messages(store, Kind.REWARD)
        assert len(messages(store, Kind.FRIEND_APPROVED)) == 1


class TestSteps:
    def test_the_lowest_is_told_by_its_reward_a_higher_one_by_name(self, store, share_link):
        ladder(store, 1, 2, names=("Bronze", "Silver"))
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        assert not messages(store, Kind.TIER_REACHED)
        count(refer(share_link, "Jun Reyes"), at=NOW)
        sweep(store, NOW)
        told = messages(store, Kind.TIER_REACHED)[0]
        assert told.key == f"tier_reached:{share_link.customer_id}:2"
        assert (told.context["tier"], told.context["friends"], told.context["you_get"]) == ("Silver", 2, "20% off")

    def test_a_step_without_a_name_is_called_by_its_friends(self, store, share_link):
        ladder(store, 1, 2)
        for name in ("Bea Cruz", "Jun Reyes"):
            count(refer(share_link, name), at=NOW)
        sweep(store, NOW)
        assert messages(store, Kind.TIER_REACHED)[0].context["tier"] == "2 friends"

    def test_near_one_once_a_step(self, store, share_link):
        switch(store, Kind.TIER_NEAR)
        ladder(store, 1, 3, names=("Bronze", "Silver"))
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        assert not messages(store, Kind.TIER_NEAR)  # two are missing
        count(refer(share_link, "Jun Reyes"), at=NOW)
        sweep(store, NOW)
        told = messages(store, Kind.TIER_NEAR)[0]
        assert told.key == f"tier_near:{share_link.customer_id}:3"
        assert told.due_at == NOW + DAY
        wanted = {
            "tier": "Silver",
            "missing": 1,
            "you_get": "20% off",
            "friend_gets": "10% off",
            "code": share_link.code,
        }
        assert wanted.items() <= told.context.items()
        voided(store, Referral.objects.for_store(store).latest("pk"))
        count(refer(share_link, "Ana Santos"), at=NOW + HOUR)
        sweep(store, NOW + HOUR)
        assert len(messages(store, Kind.TIER_NEAR)) == 1

    def test_near_a_prize_it_names_the_prize(self, store, share_link):
        """What the next friend brings as every friend does is not what the step gives once."""
        switch(store, Kind.TIER_NEAR)
        ladder(store, 1)
        steps = program_of(store).terms.ladder
        prize = make_offer(store, OfferTerms(Offer.Kind.PERCENT_OFF, percent=50))
        Tier.objects.create(store=store, ladder=steps, threshold=2, gives=Tier.Gives.ONCE, offer=prize)
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        assert messages(store, Kind.TIER_NEAR)[0].context["you_get"] == "50% off"

    def test_who_fell_back_to_one_short_is_not_cheered_on(self, store, share_link):
        switch(store, Kind.TIER_NEAR)
        ladder(store, 1, 2)
        count(refer(share_link), at=NOW)
        second = count(refer(share_link, "Jun Reyes"), at=NOW)
        voided(store, second, at=NOW + MINUTE)
        sweep(store, NOW + 2 * MINUTE)
        assert not messages(store, Kind.TIER_NEAR)

    def test_near_one_is_taken_back_when_it_is_reached(self, store, share_link):
        switch(store, Kind.TIER_NEAR)
        ladder(store, 1, 2)
        count(refer(share_link), at=NOW)
        sweep(store, NOW)
        count(refer(share_link, "Jun Reyes"), at=NOW + HOUR)
        sweep(store, NOW + HOUR)
        told = messages(store, Kind.TIER_NEAR)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "not_near")

    def test_who_has_brought_nobody_is_near_nothing(self, store, share_link):
        switch(store, Kind.TIER_NEAR)
        refer(share_link)
        sweep(store, NOW)
        assert not messages(store, Kind.TIER_NEAR)


class TestTheGiftEnds:
    ends = NOW + 90 * DAY  # 10 % off, good for 90 days

    def test_the_friend_is_told_a_week_before(self, store, share_link):
        claim = take_gift(share_link)
        assert not sweep(store, self.ends - 7 * DAY - MINUTE, since=NOW)
        sweep(store, self.ends - 7 * DAY)
        told = messages(store, Kind.GIFT_EXPIRING)[0]
        assert told.customer == claim.friend
        assert told.key == f"gift_expiring:{claim.voucher_id}"
        assert told.about == f"voucher:{claim.voucher_id}"
        assert told.due_at == self.ends - 7 * DAY
        assert (told.context["friend"], told.context["gift"]) == ("Sara A.", "10% off")
        assert told.context["until"] == "2027-02-18"
        assert told.context["code"].replace("-", "") == claim.voucher.code
        assert told.context["links"]["landing"] == f"http://testserver/r/{share_link.code}"

    def test_not_who_has_bought(self, store, share_link):
        buy(take_gift(share_link), at=NOW + DAY)
        sweep(store, self.ends - 7 * DAY)
        assert not messages(store, Kind.GIFT_EXPIRING)

    @pytest.mark.parametrize(("end", "reason"), [("redeem", "used"), ("void", "voided"), ("buy", "bought")])
    def test_it_is_taken_back(self, store, share_link, end, reason):
        claim, at = take_gift(share_link), self.ends - 7 * DAY
        sweep(store, at)
        if end == "redeem":
            vouchers.redeem(claim.voucher, vouchers.Bill(100_00, "PHP"), at=at + MINUTE)
        elif end == "void":
            vouchers.void(claim.voucher, at=at + MINUTE)
        else:
            buy(claim, at=at + MINUTE)
        stopping.stop_pointless(store, at + 2 * MINUTE)
        told = messages(store, Kind.GIFT_EXPIRING)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, reason)

    def test_it_is_taken_back_when_it_has_ended(self, store, share_link):
        take_gift(share_link)
        sweep(store, self.ends - 7 * DAY)
        assert vouchers.expire_due(store, self.ends) == 1
        assert messages(store, Kind.GIFT_EXPIRING)[0].reason == "expired"

    def test_a_gift_of_a_week_is_not_ended_the_day_it_was_given(self, store, share_link):
        claim = take_gift(share_link)
        type(claim.voucher).objects.filter(pk=claim.voucher_id).update(expires_at=NOW + 7 * DAY + HOUR)
        sweep(store, NOW + HOUR)
        assert not messages(store, Kind.GIFT_EXPIRING)


class TestAFriendBroughtYou:
    def test_three_weeks_after_the_delivery(self, store, share_link):
        switch(store, Kind.BROUGHT_HERE)
        referral = refer(share_link, at=NOW)
        sweep(store, NOW)
        assert not messages(store, Kind.BROUGHT_HERE)  # nothing has arrived yet
        arrived = NOW + 3 * DAY
        type(referral.order).objects.filter(pk=referral.order_id).update(delivered_at=arrived, updated_at=arrived)
        sweep(store, arrived)
        told = messages(store, Kind.BROUGHT_HERE)[0]
        assert told.customer == referral.friend
        assert told.key == f"brought_here:{referral.pk}"
        assert told.due_at == arrived + 21 * DAY
        assert told.context["friend"] == "Sara A."
        assert told.context["code"] != share_link.code  # their own
        assert told.context["links"]["landing"].endswith(told.context["code"])

    def test_at_the_counter_it_counts_from_the_purchase(self, store, share_link):
        switch(store, Kind.BROUGHT_HERE)
        refer(share_link, at=NOW, location="main")
        sweep(store, NOW)
        assert messages(store, Kind.BROUGHT_HERE)[0].due_at == NOW + 21 * DAY

    @pytest.mark.parametrize("end", ["refund", "share"])
    def test_it_is_taken_back(self, store, share_link, end):
        switch(store, Kind.BROUGHT_HERE)
        referral = refer(share_link, at=NOW, delivered_at=NOW)
        sweep(store, NOW)
        told = messages(store, Kind.BROUGHT_HERE)[0]
        if end == "refund":
            type(referral.order).objects.filter(pk=referral.order_id).update(refunded_at=NOW + DAY)
        else:
            take_gift(share_link_of(referral.friend, at=NOW), "Jun Reyes", at=NOW + DAY)
        assert stopping.stop_pointless(store, NOW + 2 * DAY) == 0  # not due within a day: looked at later
        assert stopping.stop_pointless(store, told.due_at - HOUR) == 1
        told.refresh_from_db()
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "refunded" if end == "refund" else "shared")

    def test_not_who_shares_already(self, store, share_link):
        switch(store, Kind.BROUGHT_HERE)
        referral = refer(share_link, at=NOW, delivered_at=NOW)
        take_gift(share_link_of(referral.friend, at=NOW), "Jun Reyes")
        sweep(store, NOW)
        assert not messages(store, Kind.BROUGHT_HERE)

    def test_it_keeps_no_survey_away_before_its_day(self, store, share_link):
        switch(store, Kind.BROUGHT_HERE)
        referral = refer(share_link, at=NOW, delivered_at=NOW)
        sweep(store, NOW)
        assert messages(store, Kind.BROUGHT_HERE)[0].due_at == NOW + 21 * DAY
        friend, month = {referral.friend_id}, timedelta(days=store.cooldown_days)
        assert customers_written_since(store, friend, NOW + 7 * DAY - month) == set()
        assert customers_written_since(store, friend, NOW + 21 * DAY - month) == friend
        # Held up by the night or the week's cap, it is about to go all the same.
        Message.objects.for_store(store).update(due_at=NOW + 28 * DAY, reason="cap")
        assert customers_written_since(store, friend, NOW + 21 * DAY - month) == friend

    def test_not_while_the_program_is_paused(self, store, share_link):
        switch(store, Kind.BROUGHT_HERE)
        refer(share_link, at=NOW, delivered_at=NOW)
        pause(store)
        sweep(store, NOW)
        assert not messages(store, Kind.BROUGHT_HERE)


def every_step(store, share_link):
    """One fact of each kind, all within the hour before NOW."""
    ladder(store, 1, 2, 3)
    for kind in (Kind.TIER_NEAR, Kind.BROUGHT_HERE):
        switch(store, kind)
    take_gift(share_link, "Ana Santos")
    old = take_gift(share_link, "Leo Rossi", at=NOW - 83 * DAY)
    assert old.voucher.expires_at == NOW + 7 * DAY
    refer(share_link, "Max Weber", delivered_at=NOW)
    for name in ("Bea Cruz", "Jun Reyes"):
        count(refer(share_link, name), at=NOW)


STEPS = [
    Kind.FRIEND_CLAIMED,
    Kind.FRIEND_BOUGHT,
    Kind.TIER_REACHED,
    Kind.TIER_NEAR,
    Kind.GIFT_EXPIRING,
    Kind.BROUGHT_HERE,
]


@pytest.mark.parametrize("kind", STEPS)
def test_each_goes_out_once_and_not_while_it_is_off(store, share_link, kind):
    every_step(store, share_link)
    switch(store, kind, on=False)
    sweep(store, NOW)
    assert not messages(store, kind)
    switch(store, kind)
    sweep(store, NOW)
    planned = len(messages(store, kind))
    assert planned >= 1
    sweep(store, NOW)
    sweep(store, NOW + 20 * MINUTE)
    sweep(store, NOW + timedelta(hours=9), since=NOW - 30 * DAY)
    assert len(messages(store, kind)) == planned


@pytest.mark.parametrize("kind", STEPS)
def test_nothing_of_what_happened_before_it_was_switched_on(store, share_link, kind):
    every_step(store, share_link)
    switch(store, kind, since=NOW + MINUTE)
    sweep(store, NOW + 2 * MINUTE)
    assert not messages(store, kind)
