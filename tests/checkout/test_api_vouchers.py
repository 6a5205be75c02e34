import pytest

from customers.models import Customer, Order
from referrals.models import Referral, ShareLink
from referrals.services import deciding
from referrals.services.programs import program_of, set_status
from rewards.models import Redemption, Voucher
from rewards.services import ledger
from stores.models import ApiKey, IdempotentCall

BILL = {"amount_minor": 100_00, "currency": "PHP"}
SHOWN = {"valid", "kind", "discount_minor", "payable_minor", "advocate", "expires_at", "message"}


def counts(store):
    return [
        model.objects.for_store(store).count() for model in (Customer, Order, Voucher, Redemption, ShareLink, Referral)
    ]


def test_a_quote_of_a_voucher_changes_nothing(api, post, store, voucher):
    before = counts(store)
    answer = post(api, "vouchers/quote/", {"code": voucher.code, **BILL})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == SHOWN
    assert (body["valid"], body["kind"], body["discount_minor"], body["payable_minor"]) == (True, "voucher", 1000, 9000)
    assert body["advocate"] is None
    assert body["expires_at"]
    assert counts(store) == before


def test_a_quote_of_a_share_code_names_the_advocate(api, post, store, share_link):
    before = counts(store)
    body = post(
        api, "vouchers/quote/", {"code": share_link.code, **BILL, "customer": {"phone": "+639170000009"}}
    ).json()
    assert (body["kind"], body["advocate"], body["discount_minor"]) == ("share_code", "Sara A.", 1000)
    assert "Sara A." in body["message"]
    assert counts(store) == before


@pytest.mark.parametrize("typed", ["{}\n", " {} ", "https://shop.example/r/{}?utm=1"])
def test_a_code_is_read_however_it_comes(api, post, share_link, typed):
    code = typed.format(share_link.code.lower().replace("-", " ") if "/" not in typed else share_link.code)
    assert post(api, "vouchers/quote/", {"code": code, **BILL}).json()["valid"]


def refused(api, post, code, **changes):
    """The reason a quote gives, which the redemption must give too, changing nothing."""
    body = {"code": code, **BILL, **changes}
    quote = post(api, "vouchers/quote/", body).json()
    assert quote.keys() == {"valid", "reason", "message"}
    assert not quote["valid"]
    answer = post(api, "vouchers/redeem/", body, key="refused")
    assert answer.json()["type"] == quote["reason"]
    assert answer.status_code == (404 if quote["reason"] == "unknown" else 409)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return quote["reason"]


def test_each_reason_is_told_apart(api, post, store, share_link, voucher, make_order, now):
    assert refused(api, post, "nothing") == "unknown"
    assert refused(api, post, voucher.code[:-1] + ("A" if voucher.code[-1] != "A" else "B")) == "unknown"
    assert refused(api, post, voucher.code, currency="USD") == "wrong_currency"
    assert refused(api, post, share_link.code, customer={"email": "SARA@example.com "}) == "own_code"
    make_order("bea@example.com")
    assert refused(api, post, share_link.code, customer={"email": "bea@example.com"}) == "not_new_customer"
    set_status(program_of(store), "paused", by=None, at=now)
    assert refused(api, post, share_link.code) == "paused"
    mine = Voucher.objects.for_store(store).filter(pk=voucher.pk)
    mine.update(status="voided")
    assert refused(api, post, voucher.code) == "unknown"
    mine.update(status="issued", expires_at=now.replace(year=2020))
    assert refused(api, post, voucher.code) == "expired"
    assert not Redemption.objects.for_store(store).exists()
    assert not IdempotentCall.objects.for_store(store).exists()


def test_a_voucher_is_redeemed_once(api, post, store, voucher):
    body = {"code": voucher.code, **BILL}
    answer = post(api, "vouchers/redeem/", body, key="one")
    assert answer.status_code == 201
    done = answer.json()
    assert done.keys() == {"redemption", "discount_minor", "payable_minor", "currency", "referral"}
    assert (done["discount_minor"], done["payable_minor"], done["currency"]) == (1000, 9000, "PHP")
    assert done["referral"] is None
    assert refused(api, post, voucher.code) == "used"
    order = Order.objects.for_store(store).get()
    assert (order.source, order.external_id, order.total_minor) == ("checkout", done["redemption"], 9000)
    assert Redemption.objects.for_store(store).get().order == order
    assert ledger.total(store) == 0


def test_the_same_key_gets_the_same_answer(api, post, store, voucher):
    body = {"code": voucher.code, **BILL}
    first = post(api, "vouchers/redeem/", body, key="one")
    again = post(api, "vouchers/redeem/", body, key="one")
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers
    other = post(api, "vouchers/redeem/", {**body, "amount_minor": 1}, key="one")
    assert other.status_code == 422
    assert other.json()["type"] == "idempotency-mismatch"
    assert Redemption.objects.for_store(store).count() == 1


def test_an_old_key_is_a_new_request_that_the_code_still_stops(api, post, store, voucher, now):
    body = {"code": voucher.code, **BILL}
    post(api, "vouchers/redeem/", body, key="one")
    IdempotentCall.objects.for_store(store).update(at=now.replace(year=2020))
    assert post(api, "vouchers/redeem/", body, key="one").json()["type"] == "used"


def test_the_key_is_required_and_must_be_printable(api, post, store, voucher):
    body = {"code": voucher.code, **BILL}
    answer = post(api, "vouchers/redeem/", body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "idempotency-key-required"
    assert post(api, "vouchers/redeem/", body, key="k" * 256).status_code == 400
    assert post(api, "vouchers/redeem/", body, key="k\tk").status_code == 400
    assert not Redemption.objects.for_store(store).exists()


def test_a_friend_with_a_share_code_becomes_a_referral(api, post, store, share_link):
    body = {"code": share_link.code, **BILL, "customer": {"name": "Bea Cruz", "phone": "0917 000 0001"}}
    done = post(api, "vouchers/redeem/", body, key="one").json()
    assert done["referral"]["status"] == "pending"
    assert done["referral"]["advocate"] == "Sara A."
    referral = Referral.objects.for_store(store).get()
    assert (referral.friend.name, referral.evidence) == ("Bea Cruz", "code")
    assert post(api, "vouchers/redeem/", body, key="two").json()["type"] == "used"


def test_a_share_code_works_by_voice_for_anybody(api, post, store, share_link):
    body = {"code": share_link.code, **BILL}
    for key in ("one", "two"):
        done = post(api, "vouchers/redeem/", body, key=key)
        assert done.status_code == 201
        assert done.json()["referral"]["status"] == "pending"
    assert Referral.objects.for_store(store).filter(friend=None).count() == 2


def test_the_order_named_is_the_order_credited(api, post, store, share_link, order_body):
    post(api, "orders/", order_body)
    body = {"code": share_link.code, **BILL, "order": {"source": "pos", "external_id": "1001"}}
    done = post(api, "vouchers/redeem/", body, key="one").json()
    order = Order.objects.for_store(store).get(source="pos")
    assert done["referral"]["status"] == "pending"
    assert (order.referrals.get().friend.email, order.redemptions.get().public_id) == (
        "bea@example.com",
        done["redemption"],
    )
    assert order.total_minor == 155000


def test_an_unknown_order_is_recorded(api, post, store, voucher):
    body = {"code": voucher.code, **BILL, "location": "north", "order": {"source": "pos", "external_id": "77"}}
    assert post(api, "vouchers/redeem/", body, key="one").status_code == 201
    order = Order.objects.for_store(store).get()
    assert (order.source, order.external_id, order.location.code) == ("pos", "77", "north")
    assert Redemption.objects.for_store(store).get().location == order.location


def test_reversing_gives_the_voucher_back(api, post, store, share_link):
    body = {"code": share_link.code, **BILL, "customer": {"email": "bea@example.com"}}
    done = post(api, "vouchers/redeem/", body, key="one").json()
    path = f"redemptions/{done['redemption']}/reverse/"
    assert post(api, path).json()["type"] == "idempotency-key-required"
    answer = post(api, path, key="back")
    assert answer.status_code == 201
    assert answer.json()["redemption"] == done["redemption"]
    assert post(api, path, key="back").headers["Idempotent-Replay"] == "true"
    assert post(api, path, key="again").status_code == 409
    referral = Referral.objects.for_store(store).get()
    assert (referral.status, referral.reason) == ("voided", "undone")
    assert Order.objects.for_store(store).get(source="checkout").cancelled_at
    assert ledger.total(store) == 0
    assert Voucher.objects.for_store(store).get().status == "issued"
    assert post(api, "vouchers/redeem/", body, key="three").json()["referral"]["status"] == "pending"


def test_store_credit_is_spent_in_parts(api, post, store, make_customer, now):
    from referrals.services.terms import OfferTerms, make_offer
    from rewards.models import Offer, Reward
    from rewards.services import granting

    sara = make_customer()
    offer = make_offer(store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=150_00))
    granting.grant(sara, offer, side=Reward.Side.ADVOCATE, key="gift", at=now)
    code = Voucher.objects.for_store(store).get(kind="credit").code
    first = post(api, "vouchers/redeem/", {"code": code, **BILL}, key="one").json()
    second = post(api, "vouchers/redeem/", {"code": code, **BILL}, key="two").json()
    assert (first["payable_minor"], second["payable_minor"]) == (0, 50_00)
    assert refused(api, post, code) == "used"
    assert ledger.total(store) == 0
    assert set(Order.objects.for_store(store).filter(source="checkout").values_list("total_minor", flat=True)) == {
        0,
        5000,
    }
    post(api, f"redemptions/{first['redemption']}/reverse/", key="back")
    assert post(api, "vouchers/quote/", {"code": code, **BILL}).json()["kind"] == "credit"


def test_a_gift_taken_before_is_good_while_the_program_is_paused(api, post, store, share_link, now):
    from customers.services import Person
    from referrals.services import claims

    taken = claims.claim(share_link, Person("Bea", "bea@example.com"), at=now)
    set_status(program_of(store), "paused", by=None, at=now)
    quote = post(api, "vouchers/quote/", {"code": taken.voucher.code, **BILL}).json()
    assert quote["valid"]
    assert quote["advocate"] == "Sara A."
    own = {"code": taken.voucher.code, **BILL, "customer": {"email": "sara@example.com"}}
    assert post(api, "vouchers/quote/", own).json()["reason"] == "own_code"


BAD = [
    {"amount_minor": 100.5},
    {"amount_minor": "100"},
    {"amount_minor": True},
    {"amount_minor": -5},
    {"currency": "ZZZ"},
    {"code": 12},
    {"code": ""},
    {"discount_minor": 5},
    {"customer": {"email": "nobody"}},
    {"customer": {}},
    {"order": "1001"},
]


@pytest.mark.parametrize("change", BAD, ids=str)
def test_a_bad_redemption_is_refused(api, post, store, voucher, change):
    answer = post(api, "vouchers/redeem/", {"code": voucher.code, **BILL, **change}, key="one")
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert not Redemption.objects.for_store(store).exists()


def test_another_stores_objects_do_not_exist(api, foreign_api, post, store, voucher):
    assert post(foreign_api, "vouchers/quote/", {"code": voucher.code, **BILL}).json()["reason"] == "unknown"
    assert post(foreign_api, "vouchers/redeem/", {"code": voucher.code, **BILL}, key="a").status_code == 404
    done = post(api, "vouchers/redeem/", {"code": voucher.code, **BILL}, key="a").json()
    assert post(foreign_api, f"redemptions/{done['redemption']}/reverse/", key="b").status_code == 404
    assert Redemption.objects.for_store(store).get().reversed_at is None


def test_guessing_is_slowed_down(api, post, voucher, monkeypatch):
    monkeypatch.setattr("checkout.guesses.PER_KEY", 3)
    for _ in range(3):
        post(api, "vouchers/quote/", {"code": "wrong", **BILL})
    answer = post(api, "vouchers/redeem/", {"code": voucher.code, **BILL}, key="a")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "600"


def test_an_approved_referral_of_a_redemption_is_clawed_back(api, post, store, share_link, now):
    body = {"code": share_link.code, **BILL, "customer": {"email": "bea@example.com"}}
    done = post(api, "vouchers/redeem/", body, key="one").json()
    deciding.approve_referral(Referral.objects.for_store(store).get(), at=now, by_hand=True)
    post(api, f"redemptions/{done['redemption']}/reverse/", key="back")
    assert Referral.objects.for_store(store).get().status == "voided"
    assert not Voucher.objects.for_store(store).filter(reward__isnull=False, status="issued").exists()
    assert ApiKey.objects.for_store(store).count() == 1
