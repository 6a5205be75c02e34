"""What the checks do with a referral: when it comes, and again while it waits."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from referrals.fraud import blocks, examining, settings
from referrals.fraud.blocks import Suspect
from referrals.models import Block, Referral, ReferralEvent, Signal
from referrals.services import attribution, deciding
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.referrals.fraud.world import DAY, HOUR, Side, Story, both, outcome, play, signals_of, token

LATER = NOW + 60 * DAY


def fresh(referral: Referral) -> Referral:
    return Referral.objects.for_store(referral.store).select_related(*examining.JOINED).get(pk=referral.pk)


def look_again(referral: Referral, at=NOW + DAY) -> Referral:
    examining.examine(referral.store, [fresh(referral)], at)
    return fresh(referral)


def self_referral(store) -> Referral:
    return play(store, both(Story(), device=token()))


def test_what_is_held_never_counts_by_itself(store):
    held = self_referral(store)
    assert outcome(held) == "hold"
    for days in (30, 365, 3650):
        deciding.approve_due(store, NOW + days * DAY)
        examining.examine_due(store, NOW + days * DAY)
    assert fresh(held).status == "flagged"
    assert not deciding.approve_referral(fresh(held), at=LATER)  # as the sweep asks that had it in hand before


def test_a_person_may_count_what_is_held(store, owner):
    held = self_referral(store)
    assert deciding.approve_referral(fresh(held), at=NOW, by=owner.user)
    assert fresh(held).status == "approved"


def test_it_writes_down_why(store):
    held = self_referral(store)
    signal = Signal.objects.for_store(store).get(referral=held)
    assert (signal.name, signal.weight, held.score, held.examined_at) == ("device", 60, 60, NOW)
    assert list(ReferralEvent.objects.filter(referral=held).values_list("status", flat=True)) == ["flagged"]


def test_what_is_refused_takes_no_room_in_the_budget(store):
    refused = play(
        store, both(Story(claimed_for=None), card=token(), name=f"Sara {token()}", address="1 Rizal St Manila")
    )
    assert refused.status == "voided"
    assert (refused.reason, refused.promise, refused.score) == ("checks", None, 100)


def test_signals_are_written_once_and_for_good(store):
    held = self_referral(store)
    row = Signal.objects.for_store(store).get(referral=held)
    for change in (lambda: row.delete(), lambda: Signal.objects.filter(pk=row.pk).update(weight=0)):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    look_again(held)
    assert Signal.objects.for_store(store).filter(referral=held).count() == 1


# -- Later --


def test_a_ring_is_seen_in_its_first_referral_too(store):
    last = play(store, Story(ring=2, claimed_for=None))
    first = Referral.objects.for_store(store).exclude(pk=last.pk).get()
    assert (outcome(first), outcome(last)) == ("allow", "hold")
    assert outcome(look_again(first)) == "hold"
    assert signals_of(first) == {"ring"}


def test_friends_who_come_afterwards_count_against_the_first(store):
    first = play(store, Story())
    side = Side(name="Sara", email=first.advocate.email)
    for _ in range(4):
        play(store, Story(advocate=side))
    assert signals_of(first) == set()
    assert signals_of(look_again(first)) == {"velocity"}
    assert fresh(first).score == 20


def test_who_is_blocked_meanwhile_does_not_count(store):
    waiting = play(store, Story())
    box = waiting.friend.email_alias
    blocks.block(store, Suspect(Block.What.EMAIL, box, "x"), reason="", by=None, at=NOW)
    assert look_again(waiting).reason == "blocked"


def test_what_a_person_looks_at_stays_theirs(store):
    held = self_referral(store)
    blocks.block(store, Suspect(Block.What.EMAIL, held.friend.email_alias, "x"), reason="", by=None, at=NOW)
    assert look_again(held).status == "flagged"


def test_what_counts_is_left_alone(store, owner):
    waiting = play(store, Story())
    deciding.approve_referral(fresh(waiting), at=NOW, by=owner.user)
    blocks.block(store, Suspect(Block.What.EMAIL, waiting.friend.email_alias, "x"), reason="", by=None, at=NOW)
    assert look_again(waiting).status == "approved"


def test_stricter_settings_hold_what_waits(store, owner):
    waiting = play(store, both(Story(), name=f"Sara {token()}"))
    assert outcome(waiting) == "allow"
    now = settings.strictness_of(store)
    settings.change(store, settings.Strictness(20, 100, now.weights), by=owner.user, at=NOW)
    assert outcome(look_again(waiting)) == "hold"


def test_the_sweep_looks_every_six_hours_and_before_it_counts(store):
    waiting = play(store, Story())
    Referral.objects.filter(pk=waiting.pk).update(hold_until=NOW + 3 * HOUR)
    looked = []
    for hours in (1, 2, 2.5, 3.5, 5, 9):
        examining.examine_due(store, NOW + hours * HOUR)
        looked.append((fresh(waiting).examined_at - NOW) / HOUR)
    assert looked == [0, 2, 2, 3.5, 5, 9]


def test_the_sweep_asks_as_much_for_many_as_for_one(store):
    play(store, Story())
    asked = []
    for _ in range(2):
        Referral.objects.for_store(store).update(examined_at=None)
        with CaptureQueriesContext(connection) as queries:
            examining.examine_due(store, NOW)
        asked.append(len(queries))
        for _ in range(6):
            play(store, Story())
    assert asked[0] == asked[1] <= 24


def test_a_staff_members_word_is_only_held(store, owner, make_order):
    first = self_referral(store)
    friend = first.friend
    blocks.block(store, Suspect(Block.What.EMAIL, friend.email_alias, "x"), reason="", by=None, at=NOW)
    other = play(store, Story())
    order = fresh(other).order
    deciding.void_referral(fresh(other), reason=Referral.Reason.STAFF, at=NOW, by=owner.user)
    blocks.block(store, Suspect(Block.What.EMAIL, other.friend.email_alias, "y"), reason="", by=None, at=NOW)
    made = attribution.credit_by_hand(order, first.link, by=owner.user, reason="They told us", at=NOW)
    assert (made.status, made.reason) == ("flagged", "")


def test_another_store_sees_nothing_of_it(store, other_store):
    held = self_referral(store)
    with acting_for(other_store):
        assert not Signal.objects.filter(referral=held.pk).exists()
        assert examining.examine_due(other_store, NOW + DAY) == 0
    box = held.friend.email_alias
    blocks.block(store, Suspect(Block.What.EMAIL, box, "x"), reason="", by=None, at=NOW)
    with acting_for(other_store):
        assert outcome(play(other_store, Story(friend=Side(email=held.friend.email)))) == "allow"
