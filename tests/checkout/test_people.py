"""A customer by phone, or a new one in two fields."""

import pytest
from django.utils import timezone

from customers.models import Consent, Customer
from referrals.models import ShareLink
from referrals.services.programs import program_of
from rewards.services import vouchers

PAGE = "/c/rosewater/people/"
PHONE = "+639170000001"


@pytest.fixture
def sara(store, make_customer):
    """A customer with a phone, and a code to use."""
    sara = make_customer("Sara Ahmadi", "sara@example.com", phone=PHONE)
    vouchers.issue(store, program_of(store).terms.friend_offer, key="hers", at=timezone.now(), customer=sara)
    return sara


@pytest.mark.parametrize("typed", ["0917 000 0001", "+63 917 000 0001", "۰۹۱۷۰۰۰۰۰۰۱", "SARA@example.com"])
def test_a_customer_is_found_by_what_they_say(staff, sara, typed):
    page = staff.post(PAGE, {"who": typed}).content.decode()
    assert "Sara A., phone ending 01" in page
    assert "10% off" in page.replace("</b>", "")
    assert sara.vouchers.get().code in page
    assert "Ahmadi" not in page
    assert PHONE not in page


def test_the_field_of_codes_takes_a_phone_number(staff, sara):
    page = staff.get("/c/rosewater/quote/", {"code": "0917 000 0001"}).content.decode()
    assert "Sara A., phone ending 01" in page
    assert not ShareLink.objects.for_store(sara.store).exists()  # looking makes nothing


@pytest.mark.parametrize("typed", ["0917 000", "17 000 0001", "sara@", "Sara Ahmadi"])
def test_a_part_of_it_finds_nobody(staff, sara, typed):
    assert "Sara A." not in staff.post(PAGE, {"who": typed}).content.decode()


def test_somebody_new_is_made_in_two_fields(staff, store):
    asked = staff.post(PAGE, {"who": "0917 000 0002"}).content.decode()
    assert "Nobody is known by this" in asked
    assert 'value="0917 000 0002"' in asked
    page = staff.post(PAGE, {"who": "0917 000 0002", "name": "Bea Cruz"}).content.decode()
    bea = Customer.objects.for_store(store).get()
    assert (bea.name, bea.phone_norm) == ("Bea Cruz", "+639170000002")
    assert ShareLink.objects.for_store(store).get(customer=bea).code in page
    assert not Consent.objects.for_store(store).exists()  # nobody asked them


def test_a_second_press_makes_nobody_twice(staff, store):
    for _ in range(2):
        staff.post(PAGE, {"who": "0917 000 0002", "name": "Bea Cruz"})
    assert Customer.objects.for_store(store).count() == 1


def test_a_known_one_keeps_their_name(staff, sara):
    staff.post(PAGE, {"who": PHONE, "name": "Somebody Else"})
    sara.refresh_from_db()
    assert sara.name == "Sara Ahmadi"


@pytest.mark.parametrize(("who", "name"), [("12", "Bea"), ("bea@", "Bea"), ("0917 000 0002", "  ")])
def test_a_wrong_field_keeps_both(staff, store, who, name):
    answer = staff.post(PAGE, {"who": who, "name": name})
    assert answer.status_code == 422
    assert f'value="{who}"' in answer.content.decode()
    assert not Customer.objects.for_store(store).exists()


def test_looking_for_everybody_is_stopped(staff, sara):
    for number in range(30):
        staff.post(PAGE, {"who": f"0917 000 {number:04}"})
    assert "Too many look-ups" in staff.post(PAGE, {"who": PHONE}).content.decode()


def test_another_store_s_customer_is_not_known(staff, store, other_store, sara, login):
    from stores.models import Role

    other = login(Role.STAFF, of=other_store)
    assert "Nobody is known by this" in other.post("/c/elsewhere/people/", {"who": "sara@example.com"}).content.decode()
