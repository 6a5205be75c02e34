"""Partner stores: sweeps that settle at once, two who ask each other, an answer and its withdrawal; and a control."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from referrals.models import Partnership, PartnerStatement
from referrals.services import partner_statements, partners
from referrals.services.partners import AlreadyThere, Deal
from referrals.services.programs import open_store
from rewards.models import Account
from stores.tenancy import acting_for
from tests.referrals import partner_world as world
from tests.referrals.partner_world import side_of

AT_ONCE = 6
START, LATER = datetime(2026, 8, 5, 12, tzinfo=UTC), datetime(2026, 9, 3, 12, tzinfo=UTC)


@pytest.fixture
def other(committed_store):
    """A second store, committed."""
    facts = {"currency": "PHP", "timezone": "Asia/Manila", "country": "PH"}
    return open_store(slug=f"shop-{secrets.token_hex(4)}", name="Other", at=START - timedelta(days=400), **facts)


@pytest.fixture
def due(committed_store, other) -> str:
    """An agreement with 150.00 of commission in August, both ways."""
    agreement = world.agreed(committed_store, other, Deal(10, 0), START)
    for one in (committed_store, other):
        world.buys(one, agreement, 150_000, at=START + timedelta(hours=1))
        world.engine(one, START + timedelta(days=18))
    return agreement


def settled(store, agreement) -> int:
    with acting_for(store):
        purses = Account.objects.for_store(store).filter(kind="payable", customer=side_of(store, agreement).customer)
        return purses.get().settled_minor


def test_sweeps_that_settle_at_once_settle_once(committed_store, other, due, at_once):
    answers = at_once(AT_ONCE, lambda number: world.settle((committed_store, other)[number % 2], LATER))
    assert sorted(answers) == [0] * (AT_ONCE - 2) + [1, 1], answers
    for one, two in ((committed_store, other), (other, committed_store)):
        assert settled(one, due) == 15_000
        assert world.figures(one, payer=True) == world.figures(two, payer=False)
        assert len(world.statements(one)) == 2


def test_control_without_the_unique_statement_it_is_settled_as_often_as_it_is_swept(
    committed_store, other, due, at_once, monkeypatch
):
    """Whoever looks first and settles then, without the statement's index between, lets it be paid twice."""
    looked = Barrier(AT_ONCE)

    def careless(_row) -> bool:
        looked.wait(timeout=30)
        return True

    class Copies:
        """Nobody's copy."""

        @staticmethod
        def create(**_facts) -> None:
            return None

    monkeypatch.setattr(partner_statements, "insert_new", careless)
    monkeypatch.setattr(PartnerStatement, "objects", _Both(PartnerStatement.objects, Copies))
    at_once(AT_ONCE, lambda _number: world.settle(committed_store, LATER))
    assert settled(committed_store, due) == AT_ONCE * 15_000


class _Both:
    """A manager whose `create` is another's."""

    def __init__(self, real, copies) -> None:
        self.real, self.create = real, copies.create

    def __getattr__(self, name):
        return getattr(self.real, name)


def test_two_who_ask_each_other_at_once_have_one_offer(committed_store, other, at_once):
    pair = (committed_store, other)

    def ask(number):
        return world.offered(pair[number % 2], pair[(number + 1) % 2], at=START)

    answers = at_once(AT_ONCE, ask)
    refused = [one for one in answers if isinstance(one, AlreadyThere)]
    assert len(refused) == AT_ONCE - 1, answers
    for one in pair:
        with acting_for(one):
            assert Partnership.objects.for_store(one).count() == 1


def test_taken_back_and_accepted_at_once_both_sides_agree_on_which(committed_store, other, at_once):
    agreement = world.offered(committed_store, other, at=START)
    theirs, ours = side_of(other, agreement), side_of(committed_store, agreement)

    def act(number):
        if number % 2:
            with acting_for(other):
                return partners.accept(theirs, by=None, at=START)
        with acting_for(committed_store):
            return partners.end(ours, by=None, at=START)

    answers = at_once(AT_ONCE, act)
    assert not [one for one in answers if isinstance(one, Exception)], answers
    assert sum(answers) == 1
    states = {side_of(one, agreement).status for one in (committed_store, other)}
    assert len(states) == 1


def test_sweeps_of_three_stores_that_tell_each_other_do_not_wait_in_a_circle(committed_store, other, at_once):
    facts = {"currency": "PHP", "timezone": "Asia/Manila", "country": "PH"}
    third = open_store(slug=f"shop-{secrets.token_hex(4)}", name="Third", at=START, **facts)
    stores = [committed_store, other, third]
    for one, two in ((0, 1), (1, 2), (0, 2)):
        world.agreed(stores[one], stores[two], Deal(10, 0), START)

    def tell(number):
        store, at = stores[number % 3], START + timedelta(days=31 * number)  # another month: other numbers
        with acting_for(store):
            return partner_statements.tell_numbers(store, at)

    answers = at_once(AT_ONCE, tell)
    assert not [one for one in answers if isinstance(one, Exception)], answers
