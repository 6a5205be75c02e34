"""Many close a contest at once while friends are decided for. Each race has a control that drops the guard."""

from __future__ import annotations

import secrets
from collections import Counter
from threading import Barrier

import pytest
from django.db import IntegrityError

from referrals.models import Contest, Referral, Standing
from referrals.services import contests, deciding
from referrals.services.leaderboards import leaderboard, prizes_of, recheck, undecided, won_by
from rewards.models import Reward
from rewards.services import granting, ledger
from stores.tenancy import acting_for
from tests.referrals.contest_world import END, SETTLED, advocate, brings, make, prizes, written
from tests.referrals.journey_world import DAY

AT_ONCE = 8


@pytest.fixture
def contest(committed_store, in_store) -> Contest:
    """Ann has two friends who counted, Ben one; another of Ben's is undecided, past its hold."""

    def build() -> Contest:
        made = make(committed_store)
        brings(advocate(committed_store, "Ann Cruz"), "A1", "A2")
        ben = advocate(committed_store, "Ben Diaz")
        brings(ben, "B1", at=END - 2 * DAY)
        brings(ben, "B2", at=END - DAY, counted=False)
        return made

    return in_store(build)


@pytest.fixture
def close(committed_store, contest):
    """Close it in a transaction of its own; True if this call did it."""

    def run(how=contests.close_contest, at=SETTLED, by=None) -> bool:
        with acting_for(committed_store):
            rows = Contest.objects.for_store(committed_store).select_related("store", "consolation")
            return how(rows.get(pk=contest.pk), by=by, at=at)

    return run


@pytest.fixture
def approve(committed_store):
    """Count the friend who is undecided, in a transaction of its own."""

    def run() -> bool:
        with acting_for(committed_store):
            rows = Referral.objects.for_store(committed_store).filter(status=Referral.Status.PENDING)
            return deciding.approve_referral(rows.select_related(*deciding.JOINED).get(), at=SETTLED)

    return run


def look(store, contest):
    """What was written down, and given; the books add up."""
    contest.refresh_from_db()
    assert ledger.total(store) == 0
    assert ledger.drift(store) == {}
    return written(contest), prizes(store)


def test_many_closers_and_an_approval_at_once_close_it_once(
    committed_store, in_store, at_once, contest, close, approve
):
    answers = at_once(AT_ONCE, lambda number: approve() if number == 0 else close())
    assert answers[0] is True
    assert Counter(answers[1:]) == {True: 1, False: AT_ONCE - 2}
    places, given = in_store(lambda: look(committed_store, contest))
    # The friend counted before the closing or after it, for everything that was written and given.
    first, second = places
    assert first == (1, "Ann Cruz", 2)
    assert second in [(2, "Ben Diaz", 1), (2, "Ben Diaz", 2)]
    assert given == [("Ann Cruz", "gift_card", 200_000), ("Ben Diaz", "store_credit", 50_000)]
    late = [one.customer.name for one in in_store(lambda: recheck(contest))]
    assert late == ([] if second[2] == 2 else ["Ben Diaz"])


def test_by_hand_nobody_who_is_decided_for_meanwhile_is_missed(
    committed_store, in_store, at_once, contest, close, approve
):
    answers = at_once(2, lambda number: approve() if number else close(at=END))
    assert answers[1] is True
    if isinstance(answers[0], contests.TooEarly):
        assert in_store(lambda: look(committed_store, contest)) == ([], [])
        assert close(at=END)
    places, _given = in_store(lambda: look(committed_store, contest))
    assert places == [(1, "Ann Cruz", 2), (2, "Ben Diaz", 2)]


def test_calling_off_and_closing_at_once_do_one_of_both(committed_store, in_store, at_once, contest, close):
    answers = at_once(2, lambda number: close([contests.close_contest, contests.call_off][number]))
    assert sorted(answers) == [False, True]
    places, given = in_store(lambda: look(committed_store, contest))
    assert (contest.status, len(places), len(given)) == (("closed", 2, 2) if answers[0] else ("cancelled", 0, 0))


# -- Controls: the same race, with a guard taken away --


def careless(gate, *, key=None, places=True):
    """What closing would be without its guard: look, then write. `key` names a prize in a way of its own."""

    def close(contest, *, by, at):
        if contest.status != Contest.Status.OPEN:
            return False
        gate.wait(timeout=30)
        Contest.objects.filter(pk=contest.pk).update(status=Contest.Status.CLOSED, closed_at=at)
        for row in leaderboard(contest, at, final=True):
            offer = won_by(row.place, prizes_of(contest), contest.consolation)
            name = key() if key else f"contest:{contest.pk}:{row.customer.pk}"
            reward = granting.grant(row.customer, offer, side=Reward.Side.CUSTOMER, key=name, at=at)
            if places:
                Standing.objects.bulk_create([contests._standing(contest, row, reward)])
        return True

    return close


def test_control_without_the_guard_prizes_are_given_many_times(committed_store, in_store, at_once, contest, close):
    way = careless(Barrier(AT_ONCE), key=lambda: secrets.token_hex(8), places=False)
    assert at_once(AT_ONCE, lambda _: close(way)) == [True] * AT_ONCE
    _places, given = in_store(lambda: look(committed_store, contest))
    assert Counter(name for name, *_ in given) == {"Ann Cruz": AT_ONCE, "Ben Diaz": AT_ONCE}


def test_the_prizes_key_alone_stops_the_careless_way(committed_store, in_store, at_once, contest, close):
    way = careless(Barrier(AT_ONCE), places=False)
    assert at_once(AT_ONCE, lambda _: close(way)) == [True] * AT_ONCE
    _places, given = in_store(lambda: look(committed_store, contest))
    assert len(given) == 2


def test_the_wall_around_the_places_alone_stops_it_too(committed_store, in_store, at_once, contest, close):
    way = careless(Barrier(AT_ONCE), key=lambda: secrets.token_hex(8))
    answers = at_once(AT_ONCE, lambda _: close(way))
    assert answers.count(True) == 1
    assert all(isinstance(one, IntegrityError) for one in answers if one is not True)
    places, given = in_store(lambda: look(committed_store, contest))
    assert len(places) == len(given) == 2


def test_control_counting_before_looking_for_the_undecided_misses_a_friend(
    committed_store, in_store, at_once, contest, close, approve
):
    counted, decided = Barrier(2), Barrier(2)

    def wrong_way_round(contest, *, by, at):
        rows = leaderboard(contest, at, final=True)
        counted.wait(timeout=30)
        decided.wait(timeout=30)
        if undecided(contest):
            raise contests.TooEarly
        contests._move(contest, Contest.Status.CLOSED, only=contests.Q(), by=by, at=at, closed_at=at)
        Standing.objects.bulk_create(contests._standing(contest, row, None) for row in rows)
        return True

    def decide():
        counted.wait(timeout=30)
        approve()
        decided.wait(timeout=30)

    at_once(2, lambda number: decide() if number else close(wrong_way_round, at=END))
    places, _given = in_store(lambda: look(committed_store, contest))
    assert places == [(1, "Ann Cruz", 2), (2, "Ben Diaz", 1)]  # Ben's second friend counts, and is not there
