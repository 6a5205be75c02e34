"""A database that finds itself elsewhere sends nothing until a person says so."""

from io import StringIO

import pytest
from django.core.management import call_command

from stores import holding
from stores.models import Installation
from tests.conftest import NOW


def moved(db):
    """As after a restore: the row is of another timeline."""
    holding.held_since(NOW)
    Installation.objects.update(place="1:00000001:1")


def test_a_new_installation_is_not_held(db):
    assert holding.held_since(NOW) is None
    assert holding.held_since(NOW) is None  # nor at the second look
    assert Installation.objects.get().place.count(":") == 2


def test_another_place_holds_it_from_the_first_look_on(db):
    moved(db)
    assert holding.held_since(NOW) == NOW
    assert holding.held_since() == NOW
    assert Installation.objects.get().held_because == holding.MOVED


def test_released_it_is_at_home(db):
    moved(db)
    holding.held_since(NOW)
    assert holding.release(NOW)
    assert holding.held_since(NOW) is None
    assert not holding.release(NOW)


def test_where_replicas_are_promoted_it_may_be_switched_off(db, settings):
    settings.HOLD_WHEN_MOVED = False
    moved(db)
    assert holding.held_since(NOW) is None


def test_by_hand(db):
    say = StringIO()
    call_command("hold", stdout=say)
    call_command("hold", stdout=say)
    assert "Held" in say.getvalue()
    assert "already" in say.getvalue()
    assert holding.held_since(NOW) is not None


@pytest.mark.parametrize("part", ["system_identifier", "timeline", "database"])
def test_the_place_is_of_three_parts(db, part):
    """Each alone tells a move: a new cluster, a recovery to a point in time, a copy on the same server."""
    holding.held_since(NOW)
    mine = Installation.objects.get()
    parts = mine.place.split(":")
    number = ["system_identifier", "timeline", "database"].index(part)
    parts[number] = "0" * len(parts[number])
    Installation.objects.update(place=":".join(parts))
    assert holding.held_since(NOW) == NOW
