"""Who may use a code, where, and together with what."""

from __future__ import annotations

import pytest

from customers.services import Person, find_or_create_customer
from referrals.services import redeeming
from referrals.services.redeeming import OrderRef
from referrals.services.terms import OfferTerms, make_offer
from rewards import rules
from rewards.models import Account, Offer, Redemption, Reward, RewardSettings, Voucher
from rewards.rules import Reason
from rewards.services import granting, ledger, vouchers
from rewards.services.vouchers import Bill, NotRedeemable
from stores.models import Location
from tests.conftest import NOW

BILL = Bill(1_000_00, "PHP")
SARA, BEA = Person("Sara Ahmadi", "sara@example.com"), Person("Bea Cruz", "bea@example.com")
ORDER = OrderRef("pos", "77")


@pytest.fixture
def give(store):
    """`give("store_credit", amount_minor=…)`: a reward of that kind for Sara; its voucher."""

    def run(kind, key="1", **facts):
        sara = find_or_create_customer(store, SARA, at=NOW, source="test")
        offer = make_offer(store, OfferTerms(Offer.Kind(kind), **facts))
        reward = granting.grant(sara, offer, side=Reward.Side.ADVOCATE, key=key, at=NOW)
        return vouchers.voucher_of(reward)

    return run


@pytest.fixture
def redeem(store):
    """`redeem(voucher, bill=…, person=…, order_ref=…)`."""

    def run(voucher, bill=BILL, **facts):
        return redeeming.redeem(store, voucher.code, bill, at=NOW, **facts).redemption

    return run


class TestPersonal:
    @pytest.fixture
    def voucher(self, give):
        return give("fixed_off", amount_minor=100_00, is_personal=True)

    def test_its_holder_may_use_it(self, voucher, redeem):
        assert redeem(voucher, person=SARA).discount_minor == 100_00

    @pytest.mark.parametrize("person", [None, BEA])
    def test_nobody_else(self, voucher, redeem, person):
        with pytest.raises(NotRedeemable, match=Reason.OTHER_HOLDER):
            redeem(voucher, person=person)

    def test_others_pass_on(self, give, redeem):
        assert redeem(give("fixed_off", amount_minor=100_00), person=BEA).discount_minor == 100_00


class TestPlace:
    @pytest.fixture
    def voucher(self, store, give):
        for code in ("katipunan", "makati"):
            Location.objects.create(store=store, code=code, name=code)
        return give("percent_off", percent=10, place="katipunan")

    def test_there(self, voucher, redeem):
        assert redeem(voucher, location="katipunan").discount_minor == 100_00

    @pytest.mark.parametrize("place", ["", "makati", "nowhere"])
    def test_nowhere_else(self, voucher, redeem, place):
        with pytest.raises(NotRedeemable, match=Reason.OTHER_PLACE):
            redeem(voucher, location=place)


class TestGiftCard:
    def test_spent_in_parts_until_it_is_empty(self, store, give, redeem):
        card = give("gift_card", amount_minor=1_500_00)
        assert card.kind == Voucher.Kind.GIFT
        assert [redeem(card).discount_minor for _ in range(2)] == [1_000_00, 500_00]
        with pytest.raises(NotRedeemable, match=Reason.USED):
            redeem(card)
        assert ledger.card_balance(card) == 0
        assert (ledger.total(store), ledger.drift(store)) == (0, {})

    def test_what_is_left_at_its_end_is_the_stores(self, store, give, redeem):
        card = give("gift_card", amount_minor=1_500_00)
        redeem(card)
        assert vouchers.expire_due(store, card.expires_at) == 1
        kept = Account.objects.for_store(store).get(kind=Account.Kind.BREAKAGE)
        assert sum(kept.entries.values_list("amount_minor", flat=True)) == 500_00
        assert ledger.card_balance(card) == 0

    def test_an_undone_use_is_there_again(self, give, redeem):
        card = give("gift_card", amount_minor=1_500_00)
        used = redeem(card)
        redeeming.reverse(used, at=NOW)
        assert ledger.card_balance(card) == 1_500_00


class TestStacking:
    @pytest.fixture
    def rule(self, store):
        def put(**facts):
            RewardSettings.objects.update_or_create(store=store, defaults=facts)

        return put

    @pytest.fixture
    def codes(self, give):
        return {
            "code": give("fixed_off", "1", amount_minor=100_00),
            "other": give("fixed_off", "2", amount_minor=50_00),
            "credit": give("store_credit", "3", amount_minor=70_00),
            "card": give("gift_card", "4", amount_minor=70_00),
        }

    @pytest.mark.parametrize(
        ("stacking", "names", "good"),
        [
            ("one", ("code", "credit"), 1),
            ("credit", ("code", "credit"), 2),
            ("credit", ("code", "other"), 1),
            ("credit", ("credit", "code"), 2),
            ("credit", ("credit", "card"), 1),
            ("any", ("code", "other", "credit", "card"), 4),
        ],
    )
    def test_on_one_bill(self, store, rule, codes, redeem, stacking, names, good):
        rule(stacking=stacking)
        done, refused = [], set()
        for name in names:
            try:
                done.append(redeem(codes[name], order_ref=ORDER))
            except NotRedeemable as error:
                refused.add(error.reason)
        assert len(done) == good
        assert refused <= {Reason.STACKED}
        assert Redemption.objects.for_store(store).filter(reversed_at=None).count() == good

    def test_the_quote_says_so_first(self, store, rule, codes, redeem):
        rule(stacking="one")
        redeem(codes["code"], order_ref=ORDER)
        told = redeeming.quote(store, codes["other"].code, BILL, at=NOW, order_ref=ORDER)
        assert (told.reason, told.discount_minor) == (Reason.STACKED, 0)

    def test_an_undone_one_makes_room(self, rule, codes, redeem):
        rule(stacking="one")
        redeeming.reverse(redeem(codes["code"], order_ref=ORDER), at=NOW)
        assert redeem(codes["other"], order_ref=ORDER).discount_minor == 50_00

    @pytest.mark.parametrize("also", [True, False])
    def test_beside_the_shops_own_discount(self, rule, codes, redeem, also):
        rule(with_shop_discount=also)
        reduced = Bill(900_00, "PHP", is_reduced=True)
        if also:
            assert redeem(codes["code"], reduced).discount_minor == 100_00
        else:
            with pytest.raises(NotRedeemable, match=Reason.STACKED):
                redeem(codes["code"], reduced)

    def test_the_counters_own_bill_gets_smaller_with_each_and_larger_again(self, store, rule, codes, redeem):
        rule(stacking="any")
        first = redeem(codes["code"])
        bill = OrderRef(redeeming.SOURCE, first.order.external_id)
        second = redeem(codes["other"], Bill(900_00, "PHP"), order_ref=bill)
        assert second.order == first.order
        second.order.refresh_from_db()
        assert second.order.total_minor == 850_00
        redeeming.reverse(first, at=NOW)
        second.order.refresh_from_db()
        assert (second.order.total_minor, second.order.cancelled_at) == (950_00, None)
        redeeming.reverse(second, at=NOW)
        second.order.refresh_from_db()
        assert second.order.cancelled_at == NOW


@pytest.mark.parametrize("rule", RewardSettings.Stacking.values)
def test_the_first_code_is_always_welcome(rule):
    for is_purse in (True, False):
        assert rules.may_stack(rule, is_purse=is_purse, offers=0, purses=0)
