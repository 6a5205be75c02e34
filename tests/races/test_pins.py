"""Many wrong PINs at once: five are judged, however they come; with a control."""

from __future__ import annotations

import secrets
from threading import Barrier, Lock

import pytest
from django.core.cache import cache
from django.utils import timezone

from checkout.services import pins
from stores import limits
from stores.models import Membership, Role, User
from stores.tenancy import acting_for

THREADS = 12


@pytest.fixture
def guess(committed_store, in_store, monkeypatch):
    """`guess()`: a wrong PIN for one person, from whatever device; and how many were judged."""
    user = User.objects.create_user(f"{secrets.token_hex(4)}@example.com")

    def make():
        Membership.objects.create(store=committed_store, user=user, role=Role.STAFF)
        mine = Membership.objects.for_store(committed_store).select_related("user", "store").get(user=user)
        pins.change(mine, "730415", at=timezone.now())
        return pins.holders(committed_store).get(pk=mine.pk)

    mine, lock, judged = in_store(make), Lock(), []

    def judge(typed, _hash):
        with lock:
            judged.append(typed)
        return False

    monkeypatch.setattr(pins, "check_password", judge)

    def go(number):
        with acting_for(committed_store):
            facts = {"device": f"device-{number}", "login": user, "at": timezone.now()}
            pins.take_over(committed_store, mine, f"{number:04}", **facts)

    go.judged = judged
    return go


def test_of_twelve_at_once_five_are_judged(at_once, guess):
    answers = at_once(THREADS, guess)
    assert len(guess.judged) == pins.TRIES
    assert sum(isinstance(one, pins.WrongPin) for one in answers) == pins.TRIES
    assert sum(isinstance(one, pins.Locked) for one in answers) == THREADS - pins.TRIES


def test_control_looking_and_then_counting_judges_all(at_once, guess, monkeypatch):
    gate = Barrier(THREADS)

    def careless(name, *, per_seconds):
        number = int(cache.get(name, 0)) + 1
        gate.wait(timeout=30)
        cache.set(name, number, timeout=per_seconds)
        return number

    monkeypatch.setattr(limits, "count", careless)
    at_once(THREADS, guess)
    assert len(guess.judged) == THREADS
