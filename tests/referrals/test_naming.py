"""Advocates by name: only who allowed it, masked, a few, not for guessers; at the counter and for the public."""

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Customer, Order
from referrals.models import Referral
from referrals.services import naming, programs
from referrals.services.links import share_link_of
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, pause


@pytest.fixture
def advocate(make_customer):
    """`advocate("Sara Ahmadi")`: a customer who lets friends find them by name."""

    def make(name: str, *, allowed: bool = True, **person) -> Customer:
        made = make_customer(name, at=NOW - 100 * DAY, **person)
        Customer.objects.filter(pk=made.pk).update(found_by_name=allowed)
        return made

    return make


def names(store, typed) -> list[str]:
    return [one.name for one in naming.candidates(store, typed)]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Sara Ahmadi", "sara ahmadi"),
        ("Sara Ahmadi", "  SARA   a. "),
        ("Sara Ahmadi", "Sar"),
        ("كيان عليزاده", "کیان علی"),  # Arabic yeh and kaf, Persian typed
        ("کیان علیزاده", "كيان"),
        ("José Núñez", "jose nunez"),
        ("María José", "MARÍA"),
    ],
)
def test_a_name_is_found_however_it_is_typed(name, typed, advocate, store):
    advocate(name)
    assert names(store, typed) == [name]


@pytest.mark.parametrize("typed", ["", "Sa", "S a", "12345", "...", "%%%", "__a", "sara'; --", "ahmadi"])
def test_too_little_or_something_else_finds_nobody(typed, advocate, store):
    advocate("Sara Ahmadi")
    assert names(store, typed) == []


def test_the_same_name_comes_first_and_never_more_than_five(advocate, store):
    for last in "FGHIJK":
        advocate(f"Sara {last}hmadi")
    advocate("Sara")
    found = names(store, "Sara")
    assert (found[0], len(found)) == ("Sara", 5)


def test_only_who_allowed_it_is_here_and_alone(advocate, store, other_store):
    advocate("Sara Ahmadi", allowed=False)
    merged, stays, erased = advocate("Sara Azimi"), advocate("Omid Karimi"), advocate("Sara Gone")
    Customer.objects.filter(pk=merged.pk).update(merged_into=stays)
    Customer.objects.filter(pk=erased.pk).update(erased_at=NOW)
    assert names(store, "Sara") == []
    assert names(other_store, "Omid") == []


def test_a_person_is_masked(advocate):
    assert naming.masked(advocate("Sara Ahmadi", phone="+639171234521")) == "Sara A., phone ending 21"
    assert naming.masked(advocate("Sara Ahmadi")) == "Sara A."


@pytest.mark.parametrize(
    ("called", "typed", "meant"),
    [
        (["Sara Ahmadi"], "Sara", "Sara Ahmadi"),
        (["Sara Ahmadi", "Sara Azimi"], "Sara", None),
        (["Sara Ahmadi", "Sara Ahmadinejad"], "Sara Ahmadi", "Sara Ahmadi"),
        (["Sara Ahmadi", "Sara Ahmadi"], "Sara Ahmadi", None),
        (["Sara", "Sara Ahmadi"], "Sara", None),  # a first name alone may be anybody's
        ([], "Sara", None),
    ],
)
def test_whom_a_name_can_only_mean(called, typed, meant, advocate, store):
    for number, name in enumerate(called):
        advocate(name, email=f"a{number}@example.com")
    found = naming.only_one(typed, naming.matches(store, [typed]).get(typed, []))
    assert (found.name if found else None) == meant


def test_many_names_cost_two_queries(advocate, store, django_assert_num_queries):
    for number in range(20):
        advocate(f"Sara Nr{number} Ahmadi")
    with django_assert_num_queries(2):
        found = naming.matches(store, [f"Sara Nr{number} Ahmadi" for number in range(20)])
    assert len(found) == 20


# -- At the counter --


@pytest.fixture
def till(store):
    return reverse("checkout:names", args=[store.slug])


def test_staff_find_and_pick_who_sent_them(staff, till, store, advocate):
    sara = advocate("Sara Ahmadi", phone="+639171234521")
    page = staff.get(till, {"q": "sara"}).content.decode()
    assert "Sara A., phone ending 21" in page
    assert "Ahmadi" not in page
    answer = staff.post(till, {"q": "sara", "advocate": sara.public_id})
    code = share_link_of(sara, at=NOW).code
    assert answer.url == f"/c/{store.slug}/quote/?code={code}&named=sara"


def test_what_was_found_by_name_stays_a_name(staff, till, store, advocate):
    sara = advocate("Sara Ahmadi")
    url = staff.post(till, {"q": "sara", "advocate": sara.public_id}).url
    shown = staff.post(url, {"amount": "1,550", "friend": "bea@example.com"})
    state = shown.context["state"]
    assert "named=sara" in state
    done = staff.post(
        f"/c/{store.slug}/redeem/?{state}", {"amount": "1,550", "friend": "bea@example.com", "shown": "15500"}
    )
    assert "/done/" in done.url
    referral = Referral.objects.for_store(store).get()
    assert (referral.evidence, referral.advocate, referral.status) == ("name", sara, "pending")
    order = Order.objects.for_store(store).get(pk=referral.order_id)
    assert (order.code, order.named) == ("", "sara")


def test_only_a_candidate_can_be_picked(staff, till, advocate):
    hidden = advocate("Sara Ahmadi", allowed=False)
    answer = staff.post(till, {"q": "sara", "advocate": hidden.public_id})
    assert answer.status_code == 200
    assert not hidden.share_links.exists()


@pytest.mark.parametrize("typed", ["Sa", "\x00", "<b>x</b>", "ﷺ" * 200])
def test_a_bad_name_keeps_what_was_typed(typed, staff, till):
    answer = staff.get(till, {"q": typed})
    assert answer.status_code == 200
    assert "<b>x" not in answer.content.decode()


def test_a_till_that_guesses_is_stopped(staff, till, advocate):
    advocate("Sara Ahmadi")
    for _ in range(30):
        assert "Sara A." in staff.get(till, {"q": "sara"}).content.decode()
    page = staff.get(till, {"q": "sara"}).content.decode()
    assert "Too many names" in page
    assert "Sara A." not in page


# -- For the public --


@pytest.fixture
def page(store):
    return reverse("referral:who_sent_you", args=[store.slug])


def test_a_friend_finds_the_gift_by_name(page, store, advocate):
    sara = advocate("Sara Ahmadi", phone="+639171234521")
    shown = Client().get(page, {"q": "sara"}).content.decode()
    assert "Sara A." in shown
    assert "Ahmadi" not in shown
    assert "21" not in shown.split("Whom do you mean")[1].split("</form>")[0].replace(sara.public_id, "")
    answer = Client().post(page, {"q": "sara", "advocate": sara.public_id})
    assert answer.url == f"/r/{share_link_of(sara, at=NOW).code}"


def test_a_look_writes_nothing(page, advocate):
    sara = advocate("Sara Ahmadi")
    Client().get(page, {"q": "sara"})
    assert not sara.share_links.exists()


def test_a_network_that_guesses_is_stopped(page, advocate):
    advocate("Sara Ahmadi")
    answers = [Client().get(page, {"q": "sara"}) for _ in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert answers[-1]["Retry-After"] == "600"
    assert "Sara A." not in answers[-1].content.decode()


def test_many_networks_together_are_stopped_too(page, advocate):
    advocate("Sara Ahmadi")
    seen = [
        Client(REMOTE_ADDR=f"10.0.{n // 200}.{n % 200 + 1}").get(page, {"q": "sara"}).status_code for n in range(302)
    ]
    assert seen[299:] == [200, 429, 429]


def test_where_nothing_runs_there_is_nothing_to_see(page, store, advocate):
    advocate("Sara Ahmadi")
    closed = Client().get("/n/no-such-store/")
    pause(store)
    paused = Client().get(f"{page}/")
    assert (closed.status_code, paused.status_code) == (404, 404)
    assert closed.content == paused.content.replace(f"{page}/".encode(), b"/n/no-such-store/")


def test_who_allowed_nothing_is_not_picked(page, store, advocate):
    hidden = advocate("Sara Ahmadi", allowed=False)
    assert Client().post(page, {"q": "sara", "advocate": hidden.public_id}).status_code == 200
    assert programs.live_program(store, NOW)
    assert not hidden.share_links.exists()
