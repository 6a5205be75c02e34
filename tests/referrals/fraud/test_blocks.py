"""Whom a store has blocked."""

from __future__ import annotations

import pytest

from referrals.fraud import blocks, facts
from referrals.fraud.blocks import Suspect
from referrals.models import Block
from referrals.services import devices
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.referrals.fraud.world import Side, Story, both, play, token

EMAIL = Suspect(Block.What.EMAIL, "bea@gmail.com", "b…@gmail.com")


def block(store, what, value):
    return blocks.block(store, Suspect(what, value, "x"), reason="", by=None, at=NOW)


def test_nobody_can_read_whom(store):
    row = blocks.block(store, EMAIL, reason="Three accounts", by=None, at=NOW)
    assert "bea" not in str(vars(row))
    assert row.value_hash == blocks.hashed(store, "email", "bea@gmail.com")


def test_another_store_makes_another_hash(store, other_store):
    assert blocks.hashed(store, "email", "bea@gmail.com") != blocks.hashed(other_store, "email", "bea@gmail.com")


def test_it_stands_once(store):
    assert blocks.block(store, EMAIL, reason="", by=None, at=NOW).pk == block(store, "email", "bea@gmail.com").pk
    assert AuditEvent.objects.for_store(store).filter(action="checks.blocked").count() == 1


@pytest.mark.parametrize("what", ["email", "phone", "domain", "card", "device"])
def test_each_kind_refuses(store, what):
    values = {"phone": "+639171234567", "card": token(), "device": token()}
    friend = Side(email="be.a+x@gmail.com", **values)
    from_browser = {"device": devices.hashed(store, values["device"])}
    value = {"email": "bea@gmail.com", "domain": "gmail.com", **values, **from_browser}[what]
    block(store, what, value)
    assert play(store, Story(friend=friend)).reason == "blocked"


def test_an_advocate_who_is_blocked_brings_nobody(store):
    block(store, "email", "sara@example.com")
    assert play(store, Story(advocate=Side(email="sara@example.com"))).reason == "blocked"


def test_what_is_lifted_counts_again_and_lifting_can_be_undone(store):
    row = block(store, "domain", "example.com")
    assert blocks.lift(row, by=None, at=NOW)
    assert not blocks.lift(row, by=None, at=NOW)
    assert play(store, Story()).status == "pending"
    assert blocks.restore(row, by=None, at=NOW)
    assert not blocks.restore(row, by=None, at=NOW)
    assert play(store, Story()).reason == "blocked"


def test_a_newer_block_is_not_doubled_by_undoing(store):
    row = block(store, "domain", "example.com")
    blocks.lift(row, by=None, at=NOW)
    block(store, "domain", "example.com")
    assert not blocks.restore(row, by=None, at=NOW)
    assert blocks.standing(store).count() == 1


def test_another_store_does_not_know(store, other_store):
    block(store, "domain", "example.com")
    with acting_for(other_store):
        assert blocks.standing(other_store).count() == 0
        assert play(other_store, Story()).status == "pending"


def test_what_is_shown_is_masked(store):
    friend = Side(email="beatrice@example.com", phone="+639171234567", card=token())
    held = play(store, both(Story(friend=friend), device=token()))
    shown = [one.shown for one in blocks.suspects(_facts(store, held))]
    assert "b…@example.com" in shown
    assert "+63…67" in shown
    assert not any("beatrice" in one or "1712345" in one for one in shown)


def _facts(store, referral):

    return facts.read(store, [referral], NOW)[0]
