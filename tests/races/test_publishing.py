"""Two managers publish at once: one wins, the other is told and nothing of theirs is lost unseen."""

from __future__ import annotations

from dataclasses import replace

from referrals.services import drafting, programs
from referrals.services.terms import OfferTerms, describe, terms_of
from rewards.models import Offer, Terms
from stores import drafts
from stores.models import Draft
from stores.tenancy import acting_for
from tests.conftest import NOW

MANAGERS = 6


def shown(store, percent):
    """A change of the friend's gift, and the seal of the page that showed it."""
    program = programs.program_of(store, NOW)
    terms = replace(terms_of(program), friend=OfferTerms(Offer.Kind.PERCENT_OFF, percent=percent))
    wanted = programs.wished(terms, programs.Schedule(), store.currency)
    return program, terms, drafts.seal(describe(program), wanted)


def race(store, in_store, at_once):
    """What becomes of several managers who press Publish at the same moment; the percentages that held."""
    pages = in_store(lambda: [shown(store, 20 + number) for number in range(MANAGERS)])

    def press(number):
        program, terms, seal = pages[number]
        with acting_for(store):
            return drafting.publish(program, terms, programs.Schedule(), seal=seal, by=None, at=NOW)

    answers = at_once(MANAGERS, press)
    versions = in_store(lambda: list(Terms.objects.for_store(store).values_list("friend_offer__percent", flat=True)))
    return answers, versions


def test_the_first_wins_and_the_others_are_told(committed_store, in_store, at_once):
    answers, versions = race(committed_store, in_store, at_once)
    told = [one for one in answers if isinstance(one, drafts.Unseen)]
    assert len(told) == MANAGERS - 1
    assert len(versions) == 2


def test_control_without_the_seal_everybody_overwrites_everybody(committed_store, in_store, at_once, monkeypatch):
    monkeypatch.setattr(drafts, "check_seal", lambda *_: None)
    answers, versions = race(committed_store, in_store, at_once)
    assert not [one for one in answers if isinstance(one, drafts.Unseen)]
    assert len(versions) == 1 + MANAGERS


def save(store, begun):
    def press(number):
        with acting_for(store):
            facts = {"base": "x", "begun": begun, "by": None, "at": NOW}
            return drafts.save_draft(store, "program:one", {"value": str(number)}, **facts)

    return press


def test_one_draft_of_a_thing_and_the_others_are_told(committed_store, in_store, at_once):
    begun = ""
    for _round in range(2):  # the first, and the next over it
        answers = at_once(MANAGERS, save(committed_store, begun))
        told = [one for one in answers if isinstance(one, drafts.SavedMeanwhile)]
        assert len(told) == MANAGERS - 1
        (kept,) = in_store(lambda: list(Draft.objects.for_store(committed_store)))
        (mine,) = [one for one in answers if isinstance(one, Draft)]
        assert (kept.typed, kept.revision) == (mine.typed, mine.revision)
        begun = kept.revision
