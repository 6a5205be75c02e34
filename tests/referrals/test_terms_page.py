from dataclasses import replace

import pytest

from referrals.models import Program
from referrals.services import programs
from referrals.services.programs import change_program, program_of
from referrals.services.terms import Crediting, Limits, OfferTerms, TierTerms, terms_of
from rewards.models import Offer, Terms, Tier
from stores import tokens

Kind, Gives = Offer.Kind, Tier.Gives
TEN = OfferTerms(Kind.PERCENT_OFF, percent=10)
CREDIT = OfferTerms(Kind.STORE_CREDIT, amount_minor=100_00)
COMMISSION = OfferTerms(Kind.COMMISSION, percent=5, months=6)


def url_of(terms):
    return f"/terms/{tokens.make(tokens.Purpose.TERMS, terms.store_id, terms)}"


@pytest.fixture
def full(store, now):
    """A program with everything."""
    program = program_of(store)
    terms = replace(
        terms_of(program),
        friend=replace(TEN, minimum_minor=500_00),
        tiers=[
            TierTerms(1, Gives.EACH, CREDIT, choices=[COMMISSION]),
            TierTerms(3, Gives.EVERY, CREDIT, within_days=60),
            TierTerms(10, Gives.ONCE, CREDIT, "Gold"),
        ],
        friend_tiers=[TierTerms(2, Gives.ONCE, TEN)],
        second=CREDIT,
        limits=Limits(
            most_rewards=20,
            most_in_period=5,
            minimum_order_minor=700_00,
            look_back_days=365,
            one_a_household=True,
            not_products=[{"category": "Gift cards"}],
        ),
        crediting=Crediting(touch=Terms.Touch.FIRST, refund=Terms.Refund.TAKE_BACK),
    )
    return change_program(program, terms, by=None, at=now).terms


def test_everything_stands_there_in_words(client, full):
    text = client.get(url_of(full)).content.decode()
    for words in (
        "Your friend gets 10% off on the first order at Rosewater Café.",
        "in the last 365 days",
        "one person of each household",
        "The bill has to be ₱500 or more.",
        "With their purchase number 2 your friend gets 10% off once.",
        "For each friend who buys you get ₱100 store credit or 5% of what the friend buys for 6 months.",
        "Each time 3 friends have bought you get ₱100 store credit. They must count within 60 days.",
        "When 10 friends have bought you get ₱100 store credit once.",
        "When a friend of your friend buys, you get ₱100 store credit.",
        "You are rewarded for 20 friends at most.",
        "You are rewarded for 5 friends in 30 days at most.",
        "It has to come to ₱700 or more.",
        "These do not count: Gift cards.",
        "whoever was first is thanked",
        "That is so, too, if only a part of it is returned.",
        "14 days after it was placed",
    ):
        assert words in text, words


def test_an_older_version_stays_and_says_so(client, store, full):
    first = Terms.objects.for_store(store).order_by("number").first()
    old, new = client.get(url_of(first)).content.decode(), client.get(url_of(full)).content.decode()
    assert "There is a newer version" in old
    assert "There is a newer version" not in new
    assert "₱100 store credit" not in old


def test_it_stays_while_the_program_rests(client, store, full, now):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=now)
    assert client.get(url_of(full)).status_code == 200


@pytest.mark.parametrize("token", ["x", "é", "A" * 4096])
def test_a_bad_token_is_gone(client, store, token):
    assert client.get(f"/terms/{token}").status_code == 404


def test_another_purpose_or_store_does_not_open_it(client, store, other_store, full):
    for token in (
        tokens.make(tokens.Purpose.SHARE, store.pk, full.pk),
        tokens.make(tokens.Purpose.TERMS, other_store.pk, full.pk),
        tokens.make(tokens.Purpose.TERMS, store.pk, 987654),
    ):
        assert client.get(f"/terms/{token}").status_code == 404
    assert client.post(url_of(full)).status_code == 405


@pytest.mark.parametrize("language", ["fa", "fil"])
def test_it_speaks_the_readers_language(client, full, language):
    assert client.get(f"{url_of(full)}?lang={language}")["Content-Language"] == language
