"""Checks that look at one moment, and a sweep that counts at the same; each race has its control."""

from __future__ import annotations

from threading import Barrier

import pytest

from referrals.fraud import blocks, examining, looking
from referrals.fraud.blocks import Suspect
from referrals.models import Block, Referral, ReferralEvent, Signal
from referrals.services import deciding
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.referrals.fraud.world import DAY, Story, play

LATER = NOW + 60 * DAY


@pytest.fixture
def rings(committed_store, in_store):
    """Referrals that were let through before the ring was closed."""

    def make(count: int) -> list[int]:
        for _ in range(count):
            play(committed_store, Story(ring=2, claimed_for=None))
        rows = Referral.objects.for_store(committed_store).filter(status="pending")
        return list(rows.order_by("pk").values_list("pk", flat=True))

    return lambda count: in_store(lambda: make(count))


@pytest.fixture
def examine(committed_store):
    """Look at these again, in a transaction of its own."""

    def run(pks: list[int]) -> int:
        with acting_for(committed_store):
            rows = Referral.objects.for_store(committed_store).filter(pk__in=pks).select_related(*examining.JOINED)
            return examining.examine(committed_store, list(rows), NOW + DAY)

    return run


def test_many_who_look_at_once_hold_it_once(committed_store, in_store, at_once, rings, examine):
    held = rings(2)
    assert sum(at_once(6, lambda _: examine(held))) == 2

    def count():
        signals = Signal.objects.for_store(committed_store).filter(referral__in=held)
        steps = ReferralEvent.objects.for_store(committed_store).filter(referral__in=held, status="flagged")
        scores = Referral.objects.for_store(committed_store).filter(pk__in=held).values_list("score", flat=True)
        return signals.count(), steps.count(), list(scores)

    assert in_store(count) == (2, 2, [60, 60])


def test_what_is_held_while_the_sweep_has_it_in_hand_is_not_counted(
    committed_store, in_store, at_once, rings, examine, monkeypatch
):
    (pk,) = rings(1)
    in_hand, looked = Barrier(2), Barrier(2)
    whole = deciding.whole

    def slow(store, pks):
        found = whole(store, pks)
        in_hand.wait(timeout=30)
        looked.wait(timeout=30)
        return found

    monkeypatch.setattr(deciding, "whole", slow)

    def work(number):
        if number == 0:
            with acting_for(committed_store):
                return deciding.approve_due(committed_store, LATER)
        in_hand.wait(timeout=30)
        moved = examine([pk])
        looked.wait(timeout=30)
        return moved

    assert at_once(2, work) == [0, 1]
    assert in_store(lambda: Referral.objects.for_store(committed_store).get(pk=pk).status) == "flagged"


def test_a_block_and_an_approval_at_once_leave_one_state(committed_store, in_store, at_once, examine):
    def wait_for_it():
        waiting = play(committed_store, Story())
        blocks.block(
            committed_store,
            Suspect(Block.What.EMAIL, waiting.friend.email_alias, "x"),
            reason="",
            by=None,
            at=NOW,
        )
        return waiting.pk

    def sweep():
        with acting_for(committed_store):
            return deciding.approve_due(committed_store, LATER)

    for _ in range(3):
        pk = in_store(wait_for_it)
        answers = at_once(2, lambda number, pk=pk: sweep() if number else examine([pk]))
        assert not any(isinstance(answer, Exception) for answer in answers)
        status = in_store(lambda pk=pk: Referral.objects.for_store(committed_store).get(pk=pk).status)
        # Whoever was first: never both, and never counted after it was refused.
        assert (answers[0], status) in [(1, "voided"), (0, "approved")]


# -- Control: the same look without its lock --


def test_control_without_the_lock_one_state_is_overwritten(
    committed_store, in_store, at_once, rings, examine, monkeypatch
):
    """`_apply` that trusts what it read: the sweep counts in between, and the held state is written over it."""
    (pk,) = rings(1)
    read, counted = Barrier(2), Barrier(2)

    def careless(referral, finding, at):
        status = Referral.objects.for_store(referral.store).get(pk=referral.pk).status
        read.wait(timeout=30)
        counted.wait(timeout=30)
        looking.note_signals(referral, finding, at=at)
        if status == "pending":
            Referral.objects.for_store(referral.store).filter(pk=referral.pk).update(status="flagged")
        return status == "pending"

    monkeypatch.setattr(examining, "_apply", careless)

    def work(number):
        if number == 0:
            return examine([pk])
        read.wait(timeout=30)
        with acting_for(committed_store):
            done = deciding.approve_due(committed_store, LATER)
        counted.wait(timeout=30)
        return done

    assert at_once(2, work) == [1, 1]
    assert in_store(lambda: Referral.objects.for_store(committed_store).get(pk=pk).status) == "flagged"
