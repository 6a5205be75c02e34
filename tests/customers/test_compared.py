"""Mailboxes and addresses as checks compare them."""

from __future__ import annotations

import pytest

from customers import particulars
from customers.models import Customer
from customers.rules import folded_address, mailbox_of
from customers.services import Person, find_or_create_customer
from customers.services.comparing import fill_compared
from stores.tenancy import acting_for
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("", ""),
        ("sara@example.com", "sara@example.com"),
        ("sara+gift+2@example.com", "sara@example.com"),
        ("sa.ra@example.com", "sa.ra@example.com"),
        ("s.a.ra+x@gmail.com", "sara@gmail.com"),
        ("sara@googlemail.com", "sara@gmail.com"),
        ("+only@example.com", "+only@example.com"),
        ("...@gmail.com", "...@gmail.com"),
    ],
)
def test_the_mailbox_behind_an_address(email, mailbox):
    assert mailbox_of(email) == mailbox


def test_an_address_is_compared_without_case_and_punctuation():
    assert folded_address("12, Rizal St.\nMANILA") == folded_address("12 rizal st manila") == "12 rizal st manila"
    assert folded_address("پلاک ۱۲، تهران") == folded_address("پلاک 12 تهران")


def test_a_new_customer_has_both(store):
    one = find_or_create_customer(store, Person("Sara", "Sa.Ra+x@Gmail.com"), at=NOW, source="test")
    particulars.change(one, birthday=None, time_zone="", postal_address="12 Rizal St., Manila")
    one.refresh_from_db()
    assert (one.email_alias, one.address_norm) == ("sara@gmail.com", "12 rizal st manila")


def test_an_e_mail_that_is_learnt_later_has_its_mailbox(store):
    one = find_or_create_customer(store, Person("Sara", phone="+639171234567"), at=NOW, source="test")
    assert one.email_alias == ""
    find_or_create_customer(store, Person("Sara", "sara+1@example.com", "+639171234567"), at=NOW, source="test")
    one.refresh_from_db()
    assert one.email_alias == "sara@example.com"


def test_what_was_written_before_is_filled_in_bounded_nights(store, other_store):
    for number in range(5):
        find_or_create_customer(store, Person("Old", f"old{number}+x@example.com"), at=NOW, source="test")
    Customer.objects.for_store(store).update(email_alias="", postal_address="1 Rizal St Manila")
    assert [fill_compared(store, NOW, limit=3) for _ in range(3)] == [3, 2, 0]
    found = Customer.objects.for_store(store).values_list("email_alias", "address_norm").order_by("pk")
    assert found[0] == ("old0@example.com", "1 rizal st manila")
    with acting_for(other_store):
        assert fill_compared(other_store, NOW) == 0


def test_filling_takes_two_statements(store, django_assert_num_queries):
    for number in range(5):
        find_or_create_customer(store, Person("Old", f"old{number}@example.com"), at=NOW, source="test")
    Customer.objects.for_store(store).update(email_alias="")
    with django_assert_num_queries(2):
        fill_compared(store, NOW)
