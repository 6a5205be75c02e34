"""Two taps on a poster's button at the same moment give one link."""

from __future__ import annotations

from threading import Barrier

import pytest

from customers.models import Customer
from customers.services import Person
from referrals.models import ShareLink
from referrals.services import prints
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.referrals.print_world import Material, printed

NINA = Person("Nina", "nina@example.com")
TAPS = 6


@pytest.fixture
def poster(committed_store, in_store):
    return in_store(lambda: printed(committed_store, Material.POSTER))


def links(in_store) -> int:
    return in_store(lambda: ShareLink.objects.count())


def test_two_taps_give_one_link(committed_store, poster, at_once, in_store):
    def tap(_number):
        with acting_for(committed_store):
            return prints.join(poster, NINA, at=NOW).public_id

    answers = at_once(TAPS, tap)
    assert len(set(answers)) == 1
    assert links(in_store) == 1


def test_without_the_lock_there_are_several(committed_store, poster, at_once, in_store, monkeypatch):
    """The control: everybody has looked before anybody writes."""
    in_store(lambda: Customer.objects.create(store=committed_store, name="Nina", email_norm="nina@example.com"))
    looked = Barrier(TAPS)
    real = prints._new_joined

    def late(*args):
        looked.wait(timeout=30)
        return real(*args)

    monkeypatch.setattr(prints, "_new_joined", late)
    monkeypatch.setattr(prints, "_held", lambda customer: customer)

    def tap(_number):
        with acting_for(committed_store):
            return prints.join(poster, NINA, at=NOW).public_id

    answers = at_once(TAPS, tap)
    assert len(set(answers)) == TAPS
    assert links(in_store) == TAPS
