"""The counter without internet: what a device takes along, and what becomes of what it brings back."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from checkout.models import Held
from checkout.services import facts, limits, permits, replaying
from customers.models import Order
from referrals.models import Referral
from referrals.services.links import share_link_of
from referrals.services.programs import program_of, set_status
from rewards.models import Redemption, Voucher
from rewards.services import ledger, vouchers
from stores import codes, services
from stores.models import AuditEvent, Location, Membership, Role, User

HOME = "/c/rosewater/offline/"


@pytest.fixture
def permit(store, make_user):
    """A permit of an hour ago."""
    issued = timezone.now() - timedelta(hours=1)
    return permits.issue(store, make_user(Role.STAFF, store), device="device", location=None, at=issued)


@pytest.fixture
def bring(staff, permit):
    """Send one code as a device does: `bring(code, key=..., amount=10000, discount=1000)`."""

    def go(code, *, key="", amount=100_00, discount=10_00, minutes_ago=30, client=staff, signed=None, **more):
        body = {
            "key": key or codes.public_id(),
            "code": code,
            "amount": amount,
            "discount": discount,
            "given_at": int((timezone.now() - timedelta(minutes=minutes_ago)).timestamp() * 1000),
            "permit": permits.sign(permit) if signed is None else signed,
            **more,
        }
        return client.post(f"{HOME}held/", json.dumps(body), content_type="application/json")

    return go


def told(facts_, code):
    return facts_["codes"].get(facts.hashed(facts_["salt"], code))


# -- What goes along --


def test_a_device_takes_along_what_codes_give_and_no_code(staff, store, share_link, now):
    mine = vouchers.issue(store, program_of(store).terms.friend_offer, key="one", at=timezone.now())
    answer = staff.get(f"{HOME}facts/")
    body = answer.json()
    assert mine.code not in answer.content.decode()
    assert share_link.code_norm not in answer.content.decode()
    assert told(body, mine.code) == {"offer": 0}
    assert told(body, share_link.code_norm) == {"offer": 0, "who": "Sara A.", "again": True}
    assert body["offers"] == [{"gives": "10% off", "percent": 10, "amount": None, "most": None, "minimum": 0}]
    assert body["until"] - body["issued"] == 12 * 3600
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "redeemed"},
        {"status": "voided"},
        {"expires_at": 11},  # it may have ended before it is sent
        {"starts_at": 1},
        {"is_personal": True},
        {"uses": 3},
        {"uses": 0},
    ],
    ids=str,
)
def test_what_may_change_meanwhile_stays_at_home(staff, store, voucher, change):
    hours = {
        name: timezone.now() + timedelta(hours=change[name]) for name in ("expires_at", "starts_at") if name in change
    }
    changed = {"expires_at": timezone.now() + timedelta(days=9), **change, **hours}
    Voucher.objects.for_store(store).filter(pk=voucher.pk).update(**changed)
    assert staff.get(f"{HOME}facts/").json()["codes"] == {}


def test_a_code_for_another_place_stays_at_home(staff, store, voucher):
    here = Location.objects.create(store=store, code="here", name="Here")
    ends = timezone.now() + timedelta(days=9)
    Voucher.objects.for_store(store).filter(pk=voucher.pk).update(location=here, expires_at=ends)
    assert staff.get(f"{HOME}facts/").json()["codes"] == {}
    staff.get(f"/c/rosewater/?location={here.public_id}")
    assert told(staff.get(f"{HOME}facts/").json(), voucher.code)


def test_a_paused_program_sends_no_share_code_along(staff, store, share_link, now):
    set_status(program_of(store), "paused", by=None, at=now)
    assert staff.get(f"{HOME}facts/").json()["codes"] == {}


def test_where_the_owner_says_no_nothing_goes_along(staff, store, share_link):
    limits.change(store, {"works_offline": False}, by=None, at=timezone.now())
    assert staff.get(f"{HOME}facts/").json() == {"permit": ""}


def test_the_list_costs_the_same_however_long_it_is(staff, store, share_link, make_customer):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            staff.get(f"{HOME}facts/")
        return len(queries)

    offer, at = program_of(store).terms.friend_offer, timezone.now()
    vouchers.issue(store, offer, key="first", at=at)
    few = cost()
    for number in range(12):
        vouchers.issue(store, offer, key=f"more:{number}", at=at)
        share_link_of(make_customer(f"Advocate {number}"), at=at)
    assert cost() == few
    assert few <= 25


# -- What comes back --


def test_what_was_held_becomes_a_redemption_of_when_it_was_given(bring, staff, store, voucher, permit):
    key = codes.public_id()
    assert bring(voucher.code, key=key).json() == {"state": "done", "why": ""}
    redemption = Redemption.objects.for_store(store).get(public_id=key)
    assert (redemption.discount_minor, redemption.amount_minor) == (1000, 10000)
    assert redemption.by_id == permit.user != staff.user.pk
    assert abs(timezone.now() - redemption.at - timedelta(minutes=30)) < timedelta(seconds=10)
    held = Held.objects.for_store(store).get()
    assert (held.public_id, held.redemption, held.status, held.odd) == (key, redemption, "done", "")
    assert ledger.total(store) == 0


def test_a_share_code_held_brings_its_referral(bring, store, share_link):
    assert bring(share_link.code).json()["state"] == "done"
    assert bring(share_link.code).json()["state"] == "done"  # another friend
    assert Referral.objects.for_store(store).filter(advocate=share_link.customer).count() == 2
    assert Order.objects.for_store(store).filter(source="checkout", code=share_link.code_norm).count() == 2


def test_the_same_key_is_answered_the_same(bring, store, voucher):
    key = codes.public_id()
    answers = [bring(voucher.code, key=key).json() for _ in range(3)]
    assert answers == [{"state": "done", "why": ""}] * 3
    assert Redemption.objects.for_store(store).count() == Held.objects.for_store(store).count() == 1


def test_the_same_key_with_another_bill_is_refused(bring, store, voucher):
    key = codes.public_id()
    bring(voucher.code, key=key)
    answer = bring(voucher.code, key=key, amount=200_00, discount=20_00)
    assert (answer.status_code, answer.json()["state"]) == (422, "refused")
    assert Redemption.objects.for_store(store).get().amount_minor == 100_00


def test_a_redemption_whose_answer_was_lost_is_found_again(bring, staff, store, voucher):
    key = codes.public_id()
    staff.post(f"/c/rosewater/redeem/?code={voucher.code}&key={key}", {"amount": "100", "shown": 1000})
    assert bring(voucher.code, key=key).json()["state"] == "done"
    assert Redemption.objects.for_store(store).count() == 1
    assert Held.objects.for_store(store).get().redemption.public_id == key


def test_a_second_device_is_told_who_was_first(bring, store, voucher, manager):
    here = Location.objects.create(store=store, code="here", name="Katipunan")
    bring(voucher.code)
    Redemption.objects.for_store(store).update(location=here)
    answer = bring(voucher.code).json()
    assert answer["state"] == "refused"
    assert "had been used already: on" in answer["why"]
    assert "Leila, Katipunan" in answer["why"]
    assert Redemption.objects.for_store(store).count() == 1
    held = Held.objects.for_store(store).get(status="refused")
    assert (held.reason, held.redemption) == ("used", Redemption.objects.for_store(store).get())


def test_a_code_worth_something_else_meanwhile_is_a_conflict(bring, store, voucher):
    Voucher.objects.for_store(store).filter(pk=voucher.pk).update(most_minor=500)
    answer = bring(voucher.code).json()
    assert answer == {"state": "refused", "why": "The code was good, but for another amount."}
    assert not Redemption.objects.for_store(store).exists()
    assert not Order.objects.for_store(store).exists()


def test_a_code_that_does_not_exist_is_counted_as_a_guess(bring, staff, store):
    for _ in range(20):
        assert bring("NOTACODE234").json()["state"] == "refused"
        cache.delete(f"codes-wait:{store.pk}:{staff.user.pk}")  # as if they came five seconds apart
    stopped = bring("NOTACODE234")
    assert stopped.status_code == 429
    assert stopped.json()["state"] == "held"  # the device keeps it
    assert Held.objects.for_store(store).count() == 20


def test_more_than_the_owner_allows_counts_and_is_shown(bring, store, permit, make_customer):
    limits.change(store, {"most_held": 2, "most_minor": 15_00}, by=None, at=timezone.now())
    small = permits.issue(store, _user(permit), device="device", location=None, at=timezone.now() - timedelta(hours=1))
    offer = program_of(store).terms.friend_offer
    for number in range(3):
        one = vouchers.issue(store, offer, key=f"over:{number}", at=timezone.now() - timedelta(days=1))
        assert bring(one.code, signed=permits.sign(small)).json()["state"] == "done"
    over = list(Held.objects.for_store(store).order_by("pk").values_list("odd", flat=True))
    assert over == ["", "over", "over"]  # 10.00 is within 15.00; 20.00 is not; the third is too many besides
    assert replaying.conflicts(store).count() == 2


def _user(permit):
    return User.objects.get(pk=permit.user)


@pytest.mark.parametrize("minutes_ago", [-600, 9000])
def test_a_wrong_clock_is_believed_within_the_permit_only(bring, store, voucher, permit, minutes_ago):
    assert bring(voucher.code, minutes_ago=minutes_ago).json()["state"] == "done"
    at = Redemption.objects.for_store(store).get().at
    assert permit.issued <= at.timestamp() <= timezone.now().timestamp()


@pytest.mark.parametrize("signed", ["", "x:y:z", "forged"])
def test_a_permit_of_nobody_is_of_now_and_shown(bring, store, voucher, permit, signed):
    if signed == "forged":
        signed = signing.dumps({"store": store.pk}, key="another", salt=permits.SALT)
    assert bring(voucher.code, signed=signed).json()["state"] == "done"
    held = Held.objects.for_store(store).get()
    assert held.odd == "permit"
    assert timezone.now() - held.given_at < timedelta(seconds=10)


def test_a_permit_of_another_store_is_of_nobody(bring, staff, store, other_store, make_user, voucher):
    stranger = make_user(Role.STAFF, other_store)
    facts_ = {"device": "far", "location": None, "at": timezone.now() - timedelta(hours=1)}
    far = permits.issue(other_store, stranger, **facts_)
    assert bring(voucher.code, signed=permits.sign(far)).json()["state"] == "done"
    held = Held.objects.for_store(store).get()
    assert (held.odd, held.by, held.redemption.by) == ("permit", staff.user, staff.user)
    assert held.device != "far"


def test_a_permit_that_was_changed_is_of_nobody(bring, store, permit, voucher):
    """More codes, more money, another day: whatever is changed breaks what signed it."""
    body, _stamp, signature = permits.sign(replace(permit, most_held=500, most_minor=None)).split(":")
    _body, stamp, _signature = permits.sign(permit).split(":")
    bring(voucher.code, signed=f"{body}:{stamp}:{signature[::-1]}")
    assert Held.objects.for_store(store).get().odd == "permit"


@pytest.mark.parametrize(("days", "odd"), [(7, ""), (8, "late")])
def test_what_comes_back_long_after_counts_and_is_looked_at(bring, store, permit, voucher, days, odd):
    """Otherwise whoever keeps an old permit could date a use as they like, and nobody would know."""
    issued = timezone.now() - permits.VALID - timedelta(days=days, minutes=-1 if not odd else 0)
    Voucher.objects.for_store(store).filter(pk=voucher.pk).update(starts_at=issued, expires_at=None)
    old = permits.issue(store, _user(permit), device="device", location=None, at=issued)
    assert bring(voucher.code, signed=permits.sign(old), minutes_ago=days * 24 * 60).json()["state"] == "done"
    assert Held.objects.for_store(store).get().odd == odd


def test_what_somebody_gave_who_works_here_no_more_is_looked_at(bring, store, permit, voucher, manager):
    services.remove_person(Membership.objects.for_store(store).get(user=permit.user), by=None, at=timezone.now())
    assert bring(voucher.code).json()["state"] == "done"
    assert Held.objects.for_store(store).get().odd == "left"
    assert "works here no more" in manager.get("/d/rosewater/approvals/held/").content.decode()


def test_who_works_here_no_more_brings_nothing_back_and_takes_nothing_along(bring, staff, store, voucher):
    services.remove_person(Membership.objects.for_store(store).get(user=staff.user), by=None, at=timezone.now())
    assert bring(voucher.code).status_code == 404
    assert staff.get(f"{HOME}facts/").status_code == 404
    assert not Held.objects.for_store(store).exists()
    assert not Redemption.objects.for_store(store).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "short"}, {"key": "X" * 20}, {"code": ""}, {"code": "-- --"}, {"code": 7}, {"amount": -1},
        {"amount": 1.5}, {"amount": True}, {"amount": "100"}, {"amount": 10**14}, {"discount": 100_01},
        {"discount": None}, {"given_at": "now"}, {"permit": 5}, {"code": "A\x00B"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_read_changes_nothing(bring, store, voucher, wrong):
    answer = bring(**{"code": voucher.code, **wrong})
    assert (answer.status_code, answer.json()["state"]) == (400, "refused")
    assert not Held.objects.for_store(store).exists()
    assert not Redemption.objects.for_store(store).exists()


@pytest.mark.parametrize("body", ["", "[]", "{", "null", "[" * 5000, '"x"', "x" * 20_000])
def test_a_broken_body_is_refused(staff, store, body):
    answer = staff.post(f"{HOME}held/", body, content_type="application/json")
    assert answer.status_code == 400


def test_it_is_posted_with_the_page_s_own_token_only(store, staff):
    outside = Client(enforce_csrf_checks=True)
    outside.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert outside.post(f"{HOME}held/", "{}", content_type="application/json").status_code == 403


# -- For the manager and the owner --


def test_the_manager_sees_one_conflict_and_puts_it_away(bring, store, voucher, manager):
    bring(voucher.code)
    bring(voucher.code, discount=9_00, amount=90_00)
    page = manager.get("/d/rosewater/approvals/held/").content.decode()
    assert "₱9 off a bill of ₱90" in page
    assert "had been used already" in page
    assert page.count("/settle/") == 1
    held = Held.objects.for_store(store).get(status="refused")
    after = manager.post(f"/d/rosewater/approvals/held/{held.public_id}/settle/", follow=True)
    assert "No conflict from the counter" in after.content.decode()
    held.refresh_from_db()
    assert held.settled_by == manager.user
    manager.post(f"/d/rosewater/approvals/held/{held.public_id}/unsettle/")
    assert replaying.conflicts(store).count() == 1


def test_the_page_of_conflicts_costs_the_same_for_many(bring, store, voucher, manager):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert manager.get("/d/rosewater/approvals/held/").status_code == 200
        return len(queries)

    bring(voucher.code), bring(voucher.code)
    few = cost()
    for _ in range(10):
        bring(voucher.code)
    assert cost() == few
    assert few <= 14


def test_the_owner_sets_the_limits(owner, store):
    path = "/d/rosewater/settings/counter/"
    assert owner.get(path).status_code == 200
    bad = owner.post(path, {"most_held": "0", "most_minor": "x"})
    assert bad.status_code == 422
    assert 'value="x"' in bad.content.decode()
    owner.post(path, {"works_offline": "on", "most_held": "۵", "most_minor": "2,000"})
    settings = limits.settings_of(store)
    assert (settings.works_offline, settings.most_held, settings.most_minor) == (True, 5, 200_000)
    assert AuditEvent.objects.for_store(store).filter(action="counter.settings").count() == 1


# -- The files of the app --


def test_the_worker_and_the_app_are_of_this_store(staff, store):
    worker = staff.get("/c/rosewater/worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert '"/c/rosewater/offline/"' in worker.content.decode()
    assert '"/static/js/counter/vault.js"' in worker.content.decode()
    app = staff.get("/c/rosewater/app.webmanifest").json()
    assert (app["scope"], app["start_url"], app["display"]) == ("/c/rosewater/", "/c/rosewater/", "standalone")
    sizes = {(icon["sizes"], icon["purpose"]) for icon in app["icons"]}
    assert sizes == {(f"{side}x{side}", purpose) for side in (192, 512) for purpose in ("any", "maskable")}
    for icon in app["icons"]:
        with Image.open(finders.find(icon["src"].removeprefix("/static/"))) as picture:
            assert "x".join(map(str, picture.size)) == icon["sizes"]
            # A phone cuts a maskable one to its own shape: it reaches to the edge.
            assert (picture.mode == "RGB") == (icon["purpose"] == "maskable")


def test_only_the_counter_has_the_camera_and_runs_the_reader(staff, owner, store):
    page = staff.get("/c/rosewater/")
    assert page["Permissions-Policy"].startswith("camera=(self)")
    assert "script-src 'self' 'wasm-unsafe-eval'" in page["Content-Security-Policy"]
    for elsewhere in (owner.get("/d/rosewater/"), Client().get("/login/")):
        assert "camera=(self)" not in elsewhere.get("Permissions-Policy", "")
        assert "wasm" not in elsewhere["Content-Security-Policy"]


def test_every_file_of_the_app_is_there(staff, store):
    listed = re.findall(r'"/static/([^"]+)"', staff.get("/c/rosewater/worker.js").content.decode())
    assert len(listed) == 15
    assert [name for name in listed if not finders.find(name)] == []
    sources = "".join(Path(finders.find(name)).read_text() for name in listed if name.startswith("js/counter/"))
    assert set(re.findall(r'from "\./(\w+)\.js"', sources)) <= {Path(name).stem for name in listed}


def test_a_key_that_stands_for_another_bill_is_a_conflict(bring, staff, store, voucher):
    """Redeemed with internet, then typed anew without it on another bill."""
    key = codes.public_id()
    staff.post(f"/c/rosewater/redeem/?code={voucher.code}&key={key}", {"amount": "100", "shown": 1000})
    assert bring(voucher.code, key=key, amount=200_00, discount=20_00).json()["state"] == "refused"
    held = Held.objects.for_store(store).get()
    assert (held.reason, held.redemption.public_id) == ("changed", key)
    assert Redemption.objects.for_store(store).get().amount_minor == 100_00
