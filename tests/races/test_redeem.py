"""One code, many tills (RELIABILITY G2, G4). Each race has a control that drops the guard and must fail."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from customers.models import Order
from customers.services import Person
from referrals.models import Referral
from referrals.services import redeeming
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Account, Commitment, Offer, Redemption, Reward, Voucher
from rewards.services import granting, ledger, vouchers
from rewards.services.vouchers import Bill, NotRedeemable
from stores import codes
from stores.models import ApiKey, Membership, Role, User
from stores.tenancy import acting_for
from tests.checkout.tills import Till, wish_for
from tests.conftest import NOW, make_order_of

TILLS = 12
BILL = Bill(100_00, "PHP")
FLOOR = "account_not_overdrawn"


@pytest.fixture
def voucher(committed_store, in_store):
    """One voucher of 10 %."""
    return in_store(
        lambda: vouchers.issue(committed_store, program_of(committed_store).terms.friend_offer, key="race", at=NOW)
    )


@pytest.fixture
def share_code(committed_store, in_store):
    """Sara's share code."""
    sara = Person("Sara Ahmadi", "sara@example.com")
    return in_store(lambda: share_link_of(make_order_of(committed_store, sara, at=NOW).customer, at=NOW).code)


def redeem_over_api(header, code, key, **more):
    body = {"code": code, "amount_minor": 100_00, "currency": "PHP", **more}
    return Client(headers={**header, "idempotency-key": key}).post(
        "/api/v1/vouchers/redeem/", json.dumps(body), content_type="application/json"
    )


@pytest.fixture
def tills(committed_store, in_store, key_header):
    """Twelve tills of one key, each a process of its own; their doors have seen one answer."""

    def prepare() -> Voucher:
        ApiKey.objects.for_store(committed_store).update(last_used_at=timezone.now())
        return vouchers.issue(committed_store, program_of(committed_store).terms.friend_offer, key="first", at=NOW)

    first = in_store(prepare)
    one = Till(key_header["authorization"].removeprefix("Bearer "))
    assert one.ask(wish_for(first), "first")[0] == 201
    all_of_them = [Till(one.key) for _ in range(TILLS)]
    for till in all_of_them:
        till.door.headers |= one.door.headers
    return all_of_them


def test_at_the_door_one_voucher_is_redeemed_once(tills, committed_store, in_store, at_once, voucher):
    answers = at_once(TILLS, lambda number: tills[number].ask(wish_for(voucher), f"call-{number}"))
    assert Counter(one[0] for one in answers) == {201: 1, 409: 11}
    assert in_store(lambda: Redemption.objects.for_store(committed_store).filter(voucher=voucher).count()) == 1


def test_at_the_door_one_call_is_one_redemption(tills, committed_store, in_store, at_once, voucher):
    answers = at_once(TILLS, lambda number: tills[number].ask(wish_for(voucher), "the-same"))
    assert {one[0] for one in answers} <= {201, 409}
    bodies = {one[2] for one in answers if one[0] == 201}
    assert len(bodies) == 1
    assert in_store(lambda: Redemption.objects.for_store(committed_store).filter(voucher=voucher).count()) == 1
    assert sum(till.left for till in tills) == TILLS - 1


def test_twelve_tills_redeem_one_voucher_once(committed_store, in_store, at_once, key_header, voucher):
    answers = at_once(TILLS, lambda number: redeem_over_api(key_header, voucher.code, f"till-{number}"))
    assert Counter(one.status_code for one in answers) == {201: 1, 409: 11}
    assert Counter(one.json()["type"] for one in answers if one.status_code == 409) == {"used": 11}
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == 1
    assert in_store(lambda: Order.objects.for_store(committed_store).count()) == 1
    assert in_store(lambda: ledger.total(committed_store)) == 0


def until_somebody_waits():
    """Until another connection stands before a row that this one holds."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_till_that_comes_while_another_redeems_waits_and_is_told(committed_store, in_store, at_once, voucher):
    """The short way holds the code's row before it judges it; without that the second till would meet the index.

    The code is a campaign's: nothing was promised with it, whose row would stop the second till as well.
    """
    in_store(lambda: Commitment.objects.for_store(committed_store).filter(key=f"voucher:{voucher.key}").delete())
    offer = in_store(lambda: voucher.offer)
    first = in_store(lambda: vouchers.issue(committed_store, offer, key="opens the books", at=NOW))
    in_store(lambda: redeeming.redeem(committed_store, first.code, BILL, at=NOW))
    begun = Event()

    def till(number):
        with acting_for(committed_store):
            if number:
                begun.wait(timeout=30)
            redeeming.redeem(committed_store, voucher.code, BILL, at=NOW)
            if not number:
                begun.set()
                until_somebody_waits()

    won, lost = at_once(2, till)
    assert won is None
    assert isinstance(lost, NotRedeemable)
    assert lost.reason == "used"


def test_twelve_tills_give_one_friend_one_gift(committed_store, in_store, at_once, key_header, share_code):
    friend = {"name": "Bea", "phone": "+639170000001"}
    answers = at_once(TILLS, lambda number: redeem_over_api(key_header, share_code, f"{number}", customer=friend))
    assert Counter(one.status_code for one in answers) == {201: 1, 409: 11}
    assert {one.json()["type"] for one in answers if one.status_code == 409} <= {"used", "not_new_customer"}
    assert in_store(lambda: Referral.objects.for_store(committed_store).count()) == 1
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == 1


def test_twins_with_one_key_have_one_effect(committed_store, in_store, at_once, key_header, share_code):
    """A share code without a person may be used again and again: only the key stands in the way."""
    answers = at_once(TILLS, lambda _: redeem_over_api(key_header, share_code, "the-same"))
    for one in answers:
        assert one.status_code in (201, 409)
        if one.status_code == 409:
            assert one.json()["type"] == "in-progress"
            assert one.headers["Retry-After"] == "1"
    assert len({one.content for one in answers if one.status_code == 201}) == 1
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == 1
    late = redeem_over_api(key_header, share_code, "the-same")
    assert late.headers["Idempotent-Replay"] == "true"


def test_control_twins_with_other_keys_have_many_effects(committed_store, in_store, at_once, key_header, share_code):
    at_once(TILLS, lambda number: redeem_over_api(key_header, share_code, f"key-{number}"))
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == TILLS


def test_a_double_tap_at_the_counter_is_one_redemption(committed_store, in_store, at_once, share_code):
    staff = User.objects.create_user(f"{secrets.token_hex(4)}@example.com")
    in_store(lambda: Membership.objects.create(store=committed_store, user=staff, role=Role.STAFF))
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    path = f"/c/{committed_store.slug}/redeem/?code={share_code}&key={codes.public_id()}"
    answers = at_once(4, lambda number: clients[number].post(path, {"amount": "100", "shown": "1000"}))
    assert {one.status_code for one in answers} == {302}
    assert len({one.url for one in answers}) == 1
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == 1


def test_store_credit_is_never_overdrawn(committed_store, in_store, at_once):
    def earn():
        sara = make_order_of(committed_store, Person("Sara", "sara@example.com"), at=NOW).customer
        offer = make_offer(committed_store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=250_00))
        granting.grant(sara, offer, side=Reward.Side.ADVOCATE, key="credit", at=NOW)
        return Voucher.objects.for_store(committed_store).get(kind="credit").code

    code = in_store(earn)

    def spend(_):
        with acting_for(committed_store):
            return redeeming.redeem(committed_store, code, BILL, at=NOW)

    answers = at_once(TILLS, spend)
    refused = [one for one in answers if isinstance(one, NotRedeemable)]
    given = sorted(one.redemption.discount_minor for one in answers if not isinstance(one, Exception))
    assert given == [50_00, 100_00, 100_00]
    assert len(refused) == TILLS - 3
    assert in_store(lambda: ledger.total(committed_store)) == 0
    assert in_store(lambda: ledger.drift(committed_store)) == {}
    totals = in_store(
        lambda: sorted(
            Order.objects.for_store(committed_store).filter(source="checkout").values_list("total_minor", flat=True)
        )
    )
    assert totals == [0, 0, 50_00]


# -- Controls: the same race, with the guards taken away --


def careless_redeem(store, voucher, look_done):
    """What redeem would be without its guards: look, then write."""
    with acting_for(store):
        seen = Voucher.objects.for_store(store).get(pk=voucher.pk)
        if seen.status != Voucher.Status.ISSUED or Redemption.objects.for_store(store).filter(voucher=seen).exists():
            raise NotRedeemable("used")
        look_done.wait(timeout=30)
        Voucher.objects.for_store(store).filter(pk=seen.pk).update(status=Voucher.Status.REDEEMED)
        return Redemption.objects.create(
            store=store, voucher=seen, amount_minor=100_00, discount_minor=10_00, currency="PHP", at=NOW
        )


@contextmanager
def without_index(store):
    """Drop the partial unique index as the owner, and put it back with this store's doubles removed."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'redeemed_once'")
        (definition,) = cursor.fetchone()
        cursor.execute("DROP INDEX redeemed_once")
    try:
        yield
    finally:
        with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
            cursor.execute("SELECT set_config('app.store', %s, true)", [str(store.pk)])
            cursor.execute("DELETE FROM rewards_redemption WHERE store_id = %s", [store.pk])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what names a redemption is looked at now, not at the end
            cursor.execute(definition)


def test_control_without_guards_one_voucher_is_redeemed_many_times(committed_store, in_store, at_once, voucher):
    gate = Barrier(TILLS)
    with without_index(committed_store):
        at_once(TILLS, lambda _: careless_redeem(committed_store, voucher, gate))
        assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) > 1


def test_the_index_alone_stops_the_careless_way(committed_store, in_store, at_once, voucher):
    gate = Barrier(TILLS)
    answers = at_once(TILLS, lambda _: careless_redeem(committed_store, voucher, gate))
    assert sum(isinstance(one, Redemption) for one in answers) == 1
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == 1


def test_sixty_codes_at_twelve_tills(committed_store, in_store, at_once):
    """E7 of the study: 60 codes x 12 clients gave 247 redemptions without guards."""
    offer = in_store(lambda: program_of(committed_store).terms.friend_offer)
    made = in_store(lambda: [vouchers.issue(committed_store, offer, key=f"m{n}", at=NOW).code for n in range(60)])

    def till(_):
        reasons = []
        for code in made:
            try:
                with acting_for(committed_store):
                    redeeming.redeem(committed_store, code, BILL, at=NOW)
            except NotRedeemable as refused:
                reasons.append(refused.reason)
        return reasons

    begun = time.perf_counter()
    answers = at_once(TILLS, till)
    print(f"60 codes, 12 tills: {time.perf_counter() - begun:.1f} s")
    assert Counter(reason for reasons in answers for reason in reasons) == {"used": 60 * 11}
    assert in_store(lambda: Redemption.objects.for_store(committed_store).count()) == 60


def careless_spend(store, purse, shop, look_done):
    """What spending would be if looking were enough."""
    with acting_for(store):
        assert Account.objects.for_store(store).get(pk=purse.pk).balance_minor >= 100_00
        look_done.wait(timeout=30)
        return ledger.post(
            store, key=secrets.token_hex(6), kind="redeem", amounts={purse: -100_00, shop: 100_00}, at=NOW
        )


@contextmanager
def without_floor(store, purse, shop):
    """Let balances fall below zero, and put the rule back with what is missing paid in."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [FLOOR])
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE rewards_account DROP CONSTRAINT {FLOOR}")
    try:
        yield
    finally:
        with acting_for(store):
            missing = -Account.objects.for_store(store).get(pk=purse.pk).balance_minor
            ledger.post(store, key="paid in", kind="redeem", amounts={purse: missing, shop: -missing}, at=NOW)
        connections["default"].close()
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"ALTER TABLE rewards_account ADD CONSTRAINT {FLOOR} {definition}")


@pytest.fixture
def purse(committed_store, in_store):
    """Store credit for two bills and a half, and the shop's side of the books."""

    def earn():
        sara = make_order_of(committed_store, Person("Sara", "sara@example.com"), at=NOW).customer
        offer = make_offer(committed_store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=250_00))
        granting.grant(sara, offer, side=Reward.Side.ADVOCATE, key="credit", at=NOW)
        accounts = Account.objects.for_store(committed_store)
        return accounts.get(kind=Account.Kind.CREDIT), accounts.get(kind=Account.Kind.COST)

    return in_store(earn)


def balance(store, purse):
    with acting_for(store):
        return Account.objects.for_store(store).get(pk=purse.pk).balance_minor


def test_control_looking_first_overdraws_where_nothing_else_stands(committed_store, at_once, purse):
    gate = Barrier(TILLS)
    with without_floor(committed_store, *purse):
        at_once(TILLS, lambda _: careless_spend(committed_store, *purse, gate))
        assert balance(committed_store, purse[0]) == 250_00 - TILLS * 100_00


def test_the_floor_alone_stops_the_careless_way(committed_store, at_once, purse):
    gate = Barrier(TILLS)
    answers = at_once(TILLS, lambda _: careless_spend(committed_store, *purse, gate))
    assert sum(isinstance(one, IntegrityError) for one in answers) == TILLS - 2
    assert balance(committed_store, purse[0]) == 50_00
