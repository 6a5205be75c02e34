"""What the owner types becomes terms, and terms become what stands in the fields: nothing is lost on the way."""

from dataclasses import replace

import pytest
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referrals import changes
from referrals.forms import Editor, as_typed, reshaped, typed_terms
from referrals.forms.fields import MomentField, moment_input
from referrals.services.terms import Crediting, Limits, OfferTerms, TierTerms, describe, facts_of, terms_of
from rewards.models import Offer, Terms, Tier
from tests.conftest import NOW
from tests.referrals.program_world import (
    ADVOCATES,
    CASH,
    CREDIT,
    EVERYTHING,
    FRIENDS,
    ONCE,
    PERCENT,
    draft,
    terms_with,
)

Kind, Gives = Offer.Kind, Tier.Gives


@pytest.fixture
def goods(make_order):
    """The store sells mugs: product MUG-1 of the category "kitchen"."""
    return make_order()


def read(typed, store):
    editor = Editor(typed, store)
    assert editor.is_valid(), [editor.form.errors, *(row.errors for row in [*editor.steps, *editor.laters])]
    return editor.terms


def same(one, other, store):
    return facts_of(one, store.currency) == facts_of(other, store.currency)


@pytest.mark.parametrize("offer", ADVOCATES, ids=lambda offer: f"{offer.kind}-{offer.months}")
def test_every_kind_for_the_customer_comes_back_as_it_was(store, goods, offer):
    terms = terms_with(tiers=[TierTerms(1, Gives.EACH, offer)])
    assert same(read(typed_terms(terms, store), store), terms, store)
    kept = terms_of(draft(store, terms))
    assert same(kept, terms, store)
    assert changes.in_words(facts_of(kept, store.currency), facts_of(terms, store.currency), store) == []


@pytest.mark.parametrize("offer", FRIENDS, ids=lambda offer: str(offer.kind))
def test_every_kind_for_the_friend_comes_back_as_it_was(store, goods, offer):
    terms = terms_with(friend=offer)
    assert same(terms_of(draft(store, read(typed_terms(terms, store), store))), terms, store)


def test_everything_at_once_comes_back_as_it_was(store, goods):
    made = draft(store)
    assert same(read(as_typed(made), store), EVERYTHING, store)
    lines = changes.in_words(describe(made), {**describe(made), **facts_of(read(as_typed(made), store), "PHP")}, store)
    assert lines == []


def test_a_friend_gets_no_cash_and_no_commission(store):
    for offer in (CASH, ONCE):
        assert "kind" in invalid(store, terms_with(friend=offer)).form.errors


def invalid(store, terms, **typed):
    editor = Editor(typed_terms(terms, store) | typed, store)
    assert not editor.is_valid()
    return editor


amounts = st.integers(1, 10**9)
texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=30)


@st.composite
def offers(draw, kinds=tuple(Kind)):
    """An offer of any kind, with what its kind has."""
    kind = draw(st.sampled_from(kinds))
    worth = (
        {"percent": draw(st.integers(1, 100)), "most_minor": draw(st.none() | amounts)}
        if kind.is_percentage
        else {"amount_minor": draw(amounts)}
    )
    if kind.is_code:
        worth |= {"minimum_minor": draw(st.integers(0, 10**6)), "valid_days": draw(st.integers(1, 3650))}
        worth |= {"is_personal": draw(st.booleans())}
    if kind == Kind.COMMISSION:
        worth["months"] = draw(st.none() | st.integers(0, 600))
    if kind == Kind.FREE_PRODUCT:
        worth |= {"sku": "MUG-1", "words": "Mug"}
    if kind in (Kind.DONATION, Kind.CUSTOM):
        worth["words"] = draw(texts)
    return OfferTerms(kind, **worth)


def tiers(kinds=tuple(Kind)):
    """A ladder: each step at a number of its own."""
    days = st.none() | st.integers(1, 3650)
    step = st.builds(
        TierTerms,
        st.integers(1, 10_000),
        st.sampled_from(Gives),
        offers(kinds),
        st.just("") | texts,
        days,
        st.lists(offers(kinds), max_size=3),
    )
    return st.lists(step, max_size=4, unique_by=lambda one: (one.threshold, one.gives))


FRIEND_KINDS = tuple(kind for kind in Kind if kind not in (Kind.CASH, Kind.COMMISSION))
some = st.none() | st.integers(1, 1000)
rules = st.lists(st.sampled_from([("sku", "MUG-1"), ("category", "kitchen")]), unique=True).map(
    lambda pairs: [dict([pair]) for pair in pairs]
)
found = ["voucher", "code", "receipt", "claim", "visit", "name"]
orders = st.permutations(found).map(lambda order: () if order == found else ("staff", *order))
programs = st.builds(
    lambda **parts: terms_with(**parts),
    friend=offers(FRIEND_KINDS),
    tiers=tiers(),
    hold_days=st.integers(0, 365),
    claim_days=st.integers(1, 3650),
    friend_tiers=tiers(FRIEND_KINDS),
    second=st.none() | offers(),
    limits=st.builds(
        Limits,
        some,
        some,
        st.integers(1, 3650),
        st.integers(0, 10**6),
        st.booleans(),
        some,
        st.booleans(),
        rules,
        rules,
    ),
    crediting=st.builds(
        Crediting,
        st.integers(1, 3650),
        st.sampled_from(Terms.Touch),
        st.booleans(),
        orders,
        st.sampled_from(Terms.Refund),
    ),
    places=some,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(terms=programs, language=st.sampled_from(["en", "fa", "fil"]))
def test_any_program_comes_back_as_it_was_in_any_language(store, goods, terms, language):
    with translation.override(language):
        assert same(read(typed_terms(terms, store), store), terms, store)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(terms=programs)
def test_any_program_is_kept_as_it_was(store, goods, terms):
    assert same(terms_of(draft(store, terms)), terms, store)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(before=programs, after=programs)
def test_the_history_has_words_exactly_for_what_is_different(store, goods, before, after):
    old, new = facts_of(before, "PHP"), facts_of(after, "PHP")
    assert (changes.in_words(old, new, store) == []) == (old == new)
    assert changes.in_words(new, new, store) == []


# -- What is refused, by the field that is wrong --


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"kind": "free_product", "value": "10", "sku": "NO-SUCH"}, "sku"),
        ({"kind": "donation", "value": "10", "words": ""}, "words"),
        ({"kind": "gift_card", "value": "0"}, "value"),
        ({"most": "-1"}, "most"),
        ({"starts": "tomorrow"}, "starts"),
        ({"starts": "2026-12-01 10:00", "ends": "2026-12-01 10:00"}, "ends"),
        ({"ends": "2026-02-30 10:00"}, "ends"),
        ({"only_products": "MUG-1\nNO-SUCH"}, "only_products"),
        ({"ceiling": "0"}, "ceiling"),
        ({"places": "0"}, "places"),
        ({"audience": "9"}, "audience"),
        ({"refund": "maybe"}, "refund"),
        ({"period_days": "x"}, "period_days"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(store, goods, typed, field):
    assert field in invalid(store, terms_with(), **typed).form.errors


def test_commission_for_some_months_needs_their_number(store):
    typed = {"tier-0-kind": "commission", "tier-0-value": "5", "tier-0-lasts": "months", "tier-0-months": ""}
    assert "months" in invalid(store, terms_with(), **typed).steps[0].errors


def test_what_a_kind_does_not_use_does_not_count(store):
    typed = typed_terms(terms_with(friend=CREDIT), store) | {"valid_days": "", "minimum": "nonsense", "months": "-4"}
    assert read(typed, store).friend == CREDIT


def test_a_budget_asks_for_a_cap_on_every_percentage(store, goods):
    open_ended = replace(PERCENT, most_minor=None)
    steps = [TierTerms(1, Gives.EACH, CREDIT, choices=[ONCE]), TierTerms(2, Gives.ONCE, open_ended)]
    terms = terms_with(friend=open_ended, tiers=steps, friend_tiers=[TierTerms(2, Gives.ONCE, open_ended)], second=ONCE)
    editor = invalid(store, terms, ceiling="10000")
    forms = [editor.form, editor.steps[0].choices[0], editor.steps[1], editor.laters[0], editor.second]
    assert ["most" in form.errors for form in forms] == [True] * 5
    assert not editor.steps[0].errors
    assert read(typed_terms(terms, store), store) == read(typed_terms(terms, store) | {"ceiling": ""}, store)


def test_without_a_budget_no_cap_is_asked_for(store):
    read(typed_terms(terms_with(), store) | {"places": "20"}, store)


# -- Days and times on the store's clock --


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_moment_is_typed_on_the_stores_clock(store, language):
    with timezone.override(store.zone), translation.override(language):
        assert MomentField().clean(moment_input(NOW)) == NOW


def test_persian_days_are_jalali(store):
    with timezone.override(store.zone), translation.override("fa"):
        assert moment_input(NOW) == "۱۴۰۵-۰۸-۲۹ ۱۸:۰۰"
        assert MomentField().clean("۱۴۰۵/۸/۲۹ ۱۸:۰۰") == NOW
        assert MomentField().clean("2026-11-20 18:00") == NOW


# -- Rows, without script --


def typed_with(store, **step):
    return typed_terms(EVERYTHING, store) | step


def test_a_choice_is_added_and_taken_away(store, goods):
    typed = reshaped(typed_with(store, step="choose-1"))
    assert typed["tier-1-choices"] == "1"
    assert len(Editor(typed, store, check=False).steps[1].choices) == 1
    typed = reshaped(typed_with(store, step="unchoose-0-0"))
    assert [typed["tier-0-choices"], typed["tier-0-choice-0-kind"], typed["tier-0-choice-1-kind"]] == [
        "2",
        "donation",
        "commission",
    ]


def test_no_more_than_three_choices(store, goods):
    assert reshaped(typed_with(store, step="choose-0"))["tier-0-choices"] == "3"


def test_a_step_between_others_is_taken_away(store, goods):
    typed = reshaped(typed_with(store, step="remove-0"))
    terms = read(typed | {"nothing_first": "on"}, store)
    assert [tier.threshold for tier in terms.tiers] == [3, 5]


def test_steps_for_later_purchases_are_their_own(store, goods):
    typed = reshaped(typed_with(store, step="later-remove-0"))
    terms = read(typed, store)
    assert [tier.threshold for tier in terms.friend_tiers] == [3]
    assert len(terms.tiers) == 3
    assert reshaped(typed_terms(terms_with(), store) | {"step": "later-add"})["later-0-threshold"] == "2"


def test_evidence_moves_up_one_place(store):
    typed = reshaped(typed_terms(terms_with(), store) | {"step": "up-1"})
    order = read(typed, store).crediting.evidence
    assert order == ["staff", "code", "voucher", "receipt", "claim", "visit", "name"]
    assert read(reshaped(typed | {"step": "up-1"}), store).crediting.evidence == []


@pytest.mark.parametrize("step", ["up-0", "up-99", "up-x", "remove-99", "choose-99", "unchoose-0-9", "later-", "dance"])
def test_a_step_that_makes_no_sense_changes_nothing(store, goods, step):
    assert same(read(reshaped(typed_with(store, step=step)), store), EVERYTHING, store)


@given(st.dictionaries(st.sampled_from(["tiers", "laters", "tier-0-choices", "evidence", "step", "starts"]), st.text()))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_the_editor_bears_anything(store, typed):
    Editor(typed_terms(terms_with(), store) | typed, store).is_valid()
    Editor(reshaped(typed_terms(terms_with(), store) | typed), store, check=False)
