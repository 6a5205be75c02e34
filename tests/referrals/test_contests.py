"""Contests: who leads, how it is closed once and for all, and how it is looked at again."""

from dataclasses import replace

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from customers.models import Customer
from outreach.kinds import Kind
from outreach.models import Message
from referrals.models import Contest, Referral, Standing
from referrals.services import contests, deciding, erasing, merging
from referrals.services.contests import PrizeTerms
from referrals.services.leaderboards import leaderboard, recheck, standings_of, undecided
from referrals.services.terms import OfferTerms
from rewards.models import Account, Fulfilment, Offer, Reward, Voucher
from rewards.services import granting, ledger
from stores.models import AuditEvent
from tests.conftest import NOW
from tests.referrals.contest_world import (
    END,
    FIRST,
    SETTLED,
    SOMETHING,
    START,
    WEEK,
    advocate,
    board,
    brings,
    close,
    make,
    prizes,
    written,
)  # fmt: skip
from tests.referrals.journey_world import DAY
from tests.referrals.program_world import ADVOCATES, CASH, CUSTOM, DONATION, ONCE

MINUTE = DAY / 1440
Status = Contest.Status


@pytest.fixture
def people(store):
    """Ann, Ben and Cy, who can bring friends."""
    return [advocate(store, name) for name in ("Ann Cruz", "Ben Diaz", "Cy Eco")]


def void(referral, at=END + 2 * DAY):
    assert deciding.void_referral(referral, reason=Referral.Reason.REFUNDED, at=at)


# -- Who leads --


def test_more_friends_come_first_and_who_had_them_first_wins_a_tie(store, people):
    ann, ben, cy = people
    contest = make(store)
    brings(ben, "B1", "B2", at=START + 2 * DAY)
    brings(ann, "A1", "A2", at=START + DAY)
    brings(cy, "C1")
    assert board(contest) == [(1, "Ann Cruz", 2, 0), (2, "Ben Diaz", 2, 0), (3, "Cy Eco", 1, 0)]


def test_of_two_at_the_same_moment_the_earlier_referral_is_ahead(store, people):
    ann, ben, _cy = people
    contest = make(store)
    brings(ben, "B1", at=START + DAY)
    brings(ann, "A1", at=START + DAY)
    assert [name for _place, name, *_ in board(contest)] == ["Ben Diaz", "Ann Cruz"]


@pytest.mark.parametrize(
    ("bought", "counts"), [(START - MINUTE, 0), (START, 1), (END - MINUTE, 1), (END, 0), (END + DAY, 0)]
)
def test_what_counts_is_when_the_friend_bought(store, people, bought, counts):
    contest = make(store)
    brings(people[0], "A1", at=bought, counted=False)
    assert len(board(contest)) == counts


def test_friends_who_may_be_returned_are_shown_as_waiting_and_refused_ones_not_at_all(store, people):
    ann, ben, _cy = people
    contest = make(store)
    brings(ann, "A1")
    brings(ben, "B1", "B2", counted=False)
    assert board(contest) == [(1, "Ben Diaz", 0, 2), (2, "Ann Cruz", 1, 0)]
    assert board(contest, final=True) == [(1, "Ann Cruz", 1, 0)]
    void(Referral.objects.filter(advocate=ben).first())
    assert board(contest) == [(1, "Ben Diaz", 0, 1), (2, "Ann Cruz", 1, 0)] or board(contest)[1][1] == "Ben Diaz"
    assert undecided(contest) == 1


def test_whoever_was_found_to_be_somebody_else_counts_as_that_one(store, people, owner):
    ann, ben, cy = people
    contest = make(store)
    brings(ann, "A1")
    brings(ben, "B1")
    brings(cy, "C1", "C2", at=START + 3 * DAY)
    merging.merge(ann, ben, by=owner.user, at=END)
    assert board(contest) == [(1, "Ann Cruz", 2, 0), (2, "Cy Eco", 2, 0)]
    # A row written to the former row in that very moment counts, too, before it is brought along.
    Referral.objects.filter(advocate=ann).update(advocate=ben)
    assert board(contest) == [(1, "Ann Cruz", 2, 0), (2, "Cy Eco", 2, 0)]


def test_who_was_erased_has_left(store, people, owner):
    ann, ben, _cy = people
    contest = make(store)
    brings(ann, "A1", "A2")
    brings(ben, "B1")
    erasing.erase(ann, by=owner.user, at=END)
    assert board(contest, END) == [(1, "Ben Diaz", 1, 0)]
    assert len(leaderboard(contest, END - MINUTE)) == 2


def test_only_the_best_are_asked_for_and_oneself(store, people):
    ann, ben, cy = people
    contest = make(store)
    brings(ann, "A1", "A2", "A3")
    brings(ben, "B1", "B2")
    brings(cy, "C1")
    assert [row[1] for row in board(contest, most=1)] == ["Ann Cruz"]
    assert [row[:2] for row in board(contest, most=1, me=cy)] == [(1, "Ann Cruz"), (3, "Cy Eco")]


def test_another_stores_friends_are_not_there(store, other_store, people):
    contest = make(store)
    elsewhere = Contest(store=other_store, starts_at=START, ends_at=END)
    brings(people[0], "A1")
    assert len(board(contest)) == 1
    assert board(elsewhere) == []


def test_its_queries_do_not_grow(store, people, django_assert_num_queries):
    contest = make(store)
    brings(people[0], "A1")
    with django_assert_num_queries(2):
        leaderboard(contest, END, most=50)
    for number in range(10):
        brings(advocate(store, f"More {number}"), f"M{number}", f"N{number}")
    with django_assert_num_queries(2):
        assert len(leaderboard(contest, END, most=50)) == 11


# -- Drafts and steps --


def test_a_draft_can_be_changed_and_what_is_announced_stays(store):
    contest = make(store, announced=False)
    changed = replace(WEEK, name="Month", prizes=[PrizeTerms(1, 2, SOMETHING)], consolation=None)
    contests.change_contest(contest, changed, by=None, at=START)
    contest.refresh_from_db()
    assert (contest.name, contest.consolation) == ("Month", None)
    assert [(one.first, one.last) for one in contest.prizes.all()] == [(1, 2)]
    assert contests.announce(contest, by=None, at=START)
    with pytest.raises(contests.Announced):
        contests.change_contest(contest, WEEK, by=None, at=START)
    contest.refresh_from_db()
    assert contest.name == "Month"
    assert [(one.first, one.last) for one in contest.prizes.all()] == [(1, 2)]


@pytest.mark.parametrize(
    ("changes", "at", "reason"),
    [({}, END, "over"), ({"prizes": [], "consolation": None}, START, "empty"), ({"money": "EUR"}, START, "currency")],
)
def test_it_is_not_announced_when_nobody_could_win_it(store, changes, at, reason):
    money = changes.pop("money", store.currency)
    contest = make(store, announced=False, **changes)
    contest.store.currency = money
    with pytest.raises(contests.NotYet, match=reason):
        contests.announce(contest, by=None, at=at)
    contest.refresh_from_db()
    assert contest.status == Status.DRAFT


def test_announcing_can_be_taken_back_until_it_begins(store):
    contest = make(store)
    assert not contests.announce(contest, by=None, at=START)
    assert not contests.withdraw(contest, by=None, at=START)
    assert contests.withdraw(contest, by=None, at=START - MINUTE)
    contest.refresh_from_db()
    assert contest.status == Status.DRAFT


@pytest.mark.parametrize("announced", [True, False])
def test_calling_off_can_be_undone(store, people, announced):
    contest = make(store, announced=announced)
    before = contest.status
    brings(people[0], "A1")
    assert contests.call_off(contest, by=None, at=END)
    assert not contests.call_off(contest, by=None, at=END)
    assert not close(contest)
    assert contests.close_due(store, SETTLED) == 0
    assert contests.put_back(contest, by=None, at=END)
    assert not contests.put_back(contest, by=None, at=END)
    contest.refresh_from_db()
    assert contest.status == before
    assert prizes(store) == []


def test_what_is_closed_cannot_be_called_off(store, people):
    contest = make(store)
    brings(people[0], "A1")
    assert close(contest)
    assert not contests.call_off(contest, by=None, at=NOW)
    assert not contests.put_back(contest, by=None, at=NOW)
    assert not contests.withdraw(contest, by=None, at=NOW)


def test_every_step_stands_in_the_history(store, people, owner):
    contest = contests.make_contest(store, WEEK, by=owner.user, at=START - 3 * DAY)
    contests.announce(contest, by=owner.user, at=START - 2 * DAY)
    contests.call_off(contest, by=owner.user, at=START)
    contests.put_back(contest, by=owner.user, at=START + DAY)
    close(contest)
    steps = [(row.action, row.after.get("status"), row.user) for row in contests.history(contest)]
    assert steps == [
        ("contest.status", "closed", None),
        ("contest.status", "open", owner.user),
        ("contest.status", "cancelled", owner.user),
        ("contest.status", "open", owner.user),
        ("contest.made", None, owner.user),
    ]


# -- Closing --


def test_closing_writes_it_down_and_gives_the_prizes(store, people):
    ann, ben, cy = people
    contest = make(store, prizes=[PrizeTerms(1, 1, FIRST), PrizeTerms(2, 2, CASH)])
    brings(ann, "A1", "A2", "A3")
    brings(ben, "B1", "B2")
    brings(cy, "C1")
    dee = advocate(store, "Dee Foz")
    brings(dee, "D1", counted=False)
    assert close(contest)
    contest.refresh_from_db()
    assert (contest.status, contest.closed_at) == (Status.CLOSED, SETTLED)
    assert written(contest) == [(1, "Ann Cruz", 3), (2, "Ben Diaz", 2), (3, "Cy Eco", 1)]
    assert prizes(store) == [
        ("Ann Cruz", "gift_card", 200_000),
        ("Ben Diaz", "cash", 5_000),
        ("Cy Eco", "fixed_off", 5_000),
    ]
    held = {row.customer.name: row.reward.offer.kind for row in standings_of(contest)}
    assert held == {"Ann Cruz": "gift_card", "Ben Diaz": "cash", "Cy Eco": "fixed_off"}
    purse = Account.objects.get(store=store, kind=Account.Kind.PAYABLE, customer=ben)
    assert purse.balance_minor == 5_000
    assert ledger.total(store) == 0
    assert ledger.drift(store) == {}


def test_closing_twice_gives_once(store, people):
    contest = make(store)
    brings(people[0], "A1")
    assert close(contest)
    assert not close(contest)
    assert not contests.close_contest(contest, by=None, at=SETTLED)
    assert len(prizes(store)) == len(written(contest)) == 1


def test_without_a_consolation_the_others_come_in_without_a_prize(store, people):
    contest = make(store, prizes=[PrizeTerms(1, 1, FIRST)], consolation=None)
    brings(people[0], "A1", "A2")
    brings(people[1], "B1")
    assert close(contest)
    assert [row.reward for row in standings_of(contest)][1] is None
    assert len(prizes(store)) == 1


def test_nobody_in_it_is_closed_as_well(store):
    contest = make(store)
    assert contests.close_due(store, SETTLED) == 1
    assert written(contest) == []
    contest.refresh_from_db()
    assert recheck(contest) == []


@pytest.mark.parametrize("offer", [one for one in ADVOCATES if one.kind in contests.KINDS], ids=lambda one: one.kind)
def test_every_kind_of_prize_can_be_won(store, people, offer):
    contest = make(store, prizes=[PrizeTerms(1, 1, offer)])
    brings(people[0], "A1")
    assert close(contest)
    reward = standings_of(contest).get().reward
    assert (reward.offer.kind, reward.status) == (offer.kind, Reward.Status.GRANTED)
    assert bool(Voucher.objects.for_store(store).filter(reward=reward)) == Offer.Kind(offer.kind).is_code
    by_hand = offer in (DONATION, CUSTOM)
    assert bool(Fulfilment.objects.for_store(store).filter(reward=reward)) == by_hand
    assert ledger.total(store) == 0
    assert ledger.drift(store) == {}


def test_a_commission_is_no_prize():
    assert ONCE.kind not in contests.KINDS


def test_winners_are_told_what_they_won_and_where_they_came_in(store, people):
    contest = make(store)
    brings(people[0], "A1", "A2")
    brings(people[1], "B1")
    Message.objects.filter(store=store).delete()
    assert close(contest)
    told = Message.objects.for_store(store).filter(kind=Kind.REWARD).order_by("pk").select_related("customer")
    assert [(one.customer.name, one.context["contest"], one.context["place"]) for one in told] == [
        ("Ann Cruz", "Friends’ week", 1),
        ("Ben Diaz", "Friends’ week", 2),
    ]


# -- When it is closed --


def test_by_hand_it_waits_for_its_end_and_for_whoever_is_undecided(store, people, owner):
    contest = make(store)
    (waiting,) = brings(people[0], "A1", counted=False)
    with pytest.raises(contests.TooEarly):
        contests.close_contest(contest, by=owner.user, at=END - MINUTE)
    with pytest.raises(contests.TooEarly) as early:
        contests.close_contest(contest, by=owner.user, at=END)
    assert early.value.waiting == 1
    assert contest.status == Status.OPEN
    contest.refresh_from_db()
    assert (contest.status, contest.closed_at) == (Status.OPEN, None)
    assert not AuditEvent.objects.filter(store=store, after__status="closed").exists()
    void(waiting, at=END)
    assert contests.close_contest(contest, by=owner.user, at=END)


def test_the_sweep_closes_what_has_settled(store, people):
    contest = make(store)
    brings(people[0], "A1")
    assert contests.close_due(store, SETTLED - MINUTE) == 0
    assert contests.close_due(store, SETTLED) == 1
    assert contests.close_due(store, SETTLED) == 0
    assert len(written(contest)) == 1


def test_the_sweep_waits_for_a_longer_hold_but_not_for_a_person(store, people):
    contest = make(store, settle_days=0)
    brings(people[0], "A1", at=END - DAY, counted=False)
    hold = Referral.objects.get(store=store).hold_until
    assert contests.close_due(store, END) == 0
    assert contests.close_due(store, hold) == 0  # whoever counts it may be a moment late
    assert contests.close_due(store, hold + DAY) == 1
    assert written(contest) == []

    flagged = make(store, settle_days=0, name="Another")
    assert deciding.flag_referral(Referral.objects.select_related("store").get(store=store), at=END)
    assert contests.close_due(store, END) == 1
    flagged.refresh_from_db()
    assert flagged.status == Status.CLOSED


def test_one_that_fails_does_not_stop_the_others(store, people, monkeypatch):
    make(store, name="Broken", ends_at=END - DAY)
    fine = make(store)
    brings(people[0], "A1")
    real = contests.close_contest

    def close_some(contest, **facts):
        if contest.name == "Broken":
            raise ValueError
        return real(contest, **facts)

    monkeypatch.setattr(contests, "close_contest", close_some)
    assert contests.close_due(store, SETTLED) == 1
    assert len(written(fine)) == 1


def test_the_sweeps_queries_do_not_grow_with_what_is_not_due(store, people, django_assert_num_queries):
    for number in range(10):
        make(store, name=f"C{number}")
    with django_assert_num_queries(1):
        assert contests.close_due(store, SETTLED - MINUTE) == 0


# -- Looking again --


def test_nothing_is_different_when_nothing_has_happened(store, people):
    contest = make(store)
    brings(people[0], "A1", "A2")
    brings(people[1], "B1")
    close(contest)
    contest.refresh_from_db()
    assert recheck(contest) == []


def test_a_late_refund_is_shown_and_nothing_is_changed(store, people):
    ann, ben, _cy = people
    contest = make(store)
    first, second = brings(ann, "A1", "A2")
    brings(ben, "B1", at=START + 2 * DAY)
    close(contest)
    before = (written(contest), prizes(store))
    void(first, at=SETTLED + DAY)
    void(second, at=SETTLED + DAY)
    contest.refresh_from_db()
    gone, moved_up = recheck(contest)
    assert (gone.customer, gone.now, gone.is_other_prize) == (ann, None, True)
    assert (moved_up.customer, moved_up.now.place, moved_up.written.place) == (ben, 1, 2)
    assert moved_up.would_win.kind == "gift_card"
    assert moved_up.is_other_prize
    assert (written(contest), prizes(store)) == before
    assert Reward.objects.filter(store=store, side="customer").exclude(status="granted").count() == 0
    # A person takes it back: then what is held is what today's place brings.
    assert granting.take_back(gone.written.reward, reason="staff", at=SETTLED + DAY)
    assert not recheck(contest)[0].is_other_prize


def test_a_friend_who_counts_after_the_closing_is_shown(store, people):
    ann, ben, _cy = people
    contest = make(store)
    brings(ann, "A1")
    (late,) = brings(ben, "B1", "B2", at=START + 2 * DAY, counted=False)[:1]
    close(contest)
    deciding.approve_referral(
        Referral.objects.select_related(*deciding.JOINED).get(pk=late.pk), at=SETTLED + DAY, by_hand=True
    )
    contest.refresh_from_db()
    (new,) = recheck(contest)
    assert (new.customer, new.written, new.now.place, new.would_win.kind) == (ben, None, 2, "store_credit")


def test_two_who_are_found_to_be_one_are_shown(store, people, owner):
    ann, ben, cy = people
    contest = make(store)
    brings(ann, "A1", "A2")
    brings(ben, "B1", at=START + 2 * DAY)
    brings(cy, "C1", at=START + 3 * DAY)
    close(contest)
    merging.merge(ann, ben, by=owner.user, at=SETTLED)
    contest.refresh_from_db()
    found = {one.customer.name: one for one in recheck(contest)}
    assert found["Ann Cruz"].now.friends == 3
    assert found["Ben Diaz"].same_as == ann
    assert found["Cy Eco"].now.place == 2


def test_whoever_is_erased_after_the_closing_makes_no_difference(store, people, owner):
    contest = make(store)
    brings(people[0], "A1")
    brings(people[1], "B1", at=START + 2 * DAY)
    close(contest)
    erasing.erase(people[0], by=owner.user, at=SETTLED + DAY)
    contest.refresh_from_db()
    assert recheck(contest) == []


def test_rechecks_queries_do_not_grow(store, people, django_assert_num_queries):
    contest = make(store)
    brings(people[0], "A1")
    for number in range(10):
        brings(advocate(store, f"More {number}"), f"M{number}")
    close(contest)
    contest = Contest.objects.select_related("store", "consolation").get(pk=contest.pk)
    with django_assert_num_queries(4):
        recheck(contest)


# -- Walls --


def test_what_was_written_down_stays(store, people):
    contest = make(store)
    brings(people[0], "A1")
    close(contest)
    for write in (lambda rows: rows.update(place=2), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            write(Standing.objects.filter(contest=contest))
    assert written(contest) == [(1, "Ann Cruz", 1)]


def test_a_place_and_a_person_stand_there_once(store, people):
    contest = make(store)
    for columns in ({"customer": people[0], "place": 2}, {"customer": people[1], "place": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            for facts in ({"customer": people[0], "place": 1}, columns):
                Standing.objects.create(store=store, contest=contest, friends=1, reached_at=START, **facts)


def test_another_stores_customer_or_prize_is_refused(store, other_store, people):
    contest = make(store)
    foreign = Customer.objects.filter(store=store).first()
    with pytest.raises(DatabaseError), transaction.atomic():
        Standing.objects.create(
            store=other_store, contest=contest, customer=foreign, place=1, friends=1, reached_at=START
        )


def test_an_offer_that_was_won_is_the_one_that_was_announced(store, people):
    contest = make(store, prizes=[PrizeTerms(1, 1, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=777))])
    brings(people[0], "A1")
    announced = contest.prizes.get().offer_id
    close(contest)
    assert standings_of(contest).get().reward.offer_id == announced
