"""Colleagues at one device: PINs, what they open, and what they never open."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from checkout.models import Pin
from checkout.services import pins
from rewards.models import Redemption
from stores import codes, limits, services
from stores.models import AuditEvent, Membership, Role

HOME = "/c/rosewater/"
PIN = "730415"


@pytest.fixture
def mate(store, make_user):
    """A colleague with a PIN: their membership."""
    user = make_user(Role.MANAGER, store, "mate@example.com")
    mine = Membership.objects.for_store(store).select_related("user", "store").get(user=user)
    pins.change(mine, PIN, at=timezone.now())
    return mine


@pytest.fixture
def take_over(staff, mate):
    """Type a PIN at the device where `staff` is logged in."""
    return lambda pin=PIN, who=None, client=staff: client.post(f"{HOME}switch/", {"who": who or mate.pk, "pin": pin})


def test_a_pin_is_set_by_oneself_and_kept_as_a_hash(staff, store):
    assert staff.get(f"{HOME}pin/").status_code == 200
    assert staff.post(f"{HOME}pin/", {"pin": "۷۳۰۴۱۵", "again": "۷۳۰۴۱۵"}).status_code == 302
    mine = Pin.objects.for_store(store).get()
    assert "730415" not in mine.hash
    assert mine.membership.user == staff.user
    assert AuditEvent.objects.for_store(store).get(action="pin.changed").after == {}


@pytest.mark.parametrize("pin", ["", "123", "1234", "4321", "0000", "999999", "12345678", "123456789", "12a4", "²³⁴⁵"])
def test_a_pin_that_anybody_would_try_is_refused(staff, store, pin):
    assert staff.post(f"{HOME}pin/", {"pin": pin, "again": pin}).status_code == 422
    assert not Pin.objects.for_store(store).exists()


def test_two_different_pins_are_refused(staff, store):
    assert staff.post(f"{HOME}pin/", {"pin": "7304", "again": "7305"}).status_code == 422
    assert not Pin.objects.for_store(store).exists()


def test_what_is_done_after_a_switch_is_done_by_the_colleague(take_over, staff, store, mate, voucher):
    assert take_over().url == HOME
    staff.post(f"{HOME}redeem/?code={voucher.code}&key={codes.public_id()}", {"amount": "100", "shown": 1000})
    assert Redemption.objects.for_store(store).get().by == mate.user
    taken = AuditEvent.objects.for_store(store).get(action="counter.taken_over")
    assert (taken.user, taken.after) == (mate.user, {"log_in_of": staff.user.pk})


@pytest.mark.parametrize(
    "path",
    ["/stores/", "/d/rosewater/", "/email/", "/password/change/", "/n/rosewater", "/d/rosewater/settings/people/"],
)
def test_a_device_taken_over_shows_the_counter_only(login, mate, path):
    """Neither what the colleague may see elsewhere, nor what whoever logged in may."""
    owner = login(Role.OWNER)
    owner.post(f"{HOME}switch/", {"who": mate.pk, "pin": PIN})
    for method in (owner.get, owner.post):
        answer = method(path)
        assert (answer.status_code, answer.url) == (302, HOME)
    assert owner.get(HOME).status_code == 200


def test_logging_out_ends_it(take_over, staff, store):
    take_over()
    staff.post("/logout/")
    staff.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert staff.get("/stores/?all=1").status_code == 200


def test_whoever_took_over_cannot_change_a_pin(take_over, staff, store, mate):
    take_over()
    before = Pin.objects.for_store(store).get().hash
    staff.post(f"{HOME}pin/", {"pin": "8264", "again": "8264"})
    assert Pin.objects.for_store(store).get().hash == before


def test_who_works_here_no_more_is_out_at_once(take_over, staff, store, mate, voucher):
    take_over()
    services.remove_person(mate, by=None, at=timezone.now())
    answer = staff.post(f"{HOME}redeem/?code={voucher.code}&key={codes.public_id()}", {"amount": "100", "shown": 1000})
    assert (answer.status_code, answer.url) == (302, f"{HOME}switch/")
    assert not Redemption.objects.for_store(store).exists()
    assert staff.get(f"{HOME}switch/").status_code == 200


def test_five_wrong_pins_lock_the_person_even_for_the_right_one(take_over, store):
    assert [take_over("000123").status_code for _ in range(5)] == [422] * 5
    page = take_over()
    assert page.status_code == 422
    assert "Too many tries" in page.content.decode()
    assert AuditEvent.objects.for_store(store).filter(action="pin.locked").count() == 1


def test_a_right_pin_begins_the_count_anew(take_over):
    for _ in range(3):
        assert [take_over("000123").status_code for _ in range(4)] == [422] * 4
        assert take_over().status_code == 302


def test_a_device_rests_after_thirty_tries_whoever_they_were_for(take_over, store, make_user):
    people = []
    for _ in range(8):
        user = make_user(Role.STAFF, store)
        people.append(Membership.objects.for_store(store).select_related("user", "store").get(user=user))
        pins.change(people[-1], PIN, at=timezone.now())
    for number in range(30):
        take_over("000123", who=people[number % 8].pk)
    fresh = people[7]
    cache.delete(f"pin:{store.pk}:{fresh.pk}")
    assert "Too many tries" in take_over(who=fresh.pk).content.decode()


def test_no_pin_opens_while_nobody_can_count(take_over, monkeypatch):
    monkeypatch.setattr(limits, "count", lambda name, per_seconds: 0)
    assert "Too many tries" in take_over().content.decode()


def test_only_people_of_the_store_with_a_pin_are_asked(staff, store, other_store, make_user, mate):
    stranger = make_user(Role.OWNER, other_store, "far@example.com")
    page = staff.get(f"{HOME}switch/").content.decode()
    assert str(mate.user) in page
    assert page.count('name="who"') == 1
    assert str(stranger.pk) not in page
    assert staff.post(f"{HOME}switch/", {"who": "999999", "pin": PIN}).status_code == 422


def test_nobody_has_a_pin_yet(staff, store):
    assert "Nobody has a PIN yet" in staff.get(f"{HOME}switch/").content.decode()
