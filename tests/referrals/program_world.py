"""Programs for the tests of the editor: terms with everything in them, and what a page sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from referrals.models import Program
from referrals.services.programs import create_program, program_of
from referrals.services.terms import DEFAULT_TERMS, Crediting, Limits, OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Terms, Tier
from stores.models import Store
from tests.conftest import NOW

Kind, Gives = Offer.Kind, Tier.Gives
PERCENT = OfferTerms(Kind.PERCENT_OFF, percent=20, most_minor=50_000, minimum_minor=10_000, valid_days=30)
FIXED = OfferTerms(Kind.FIXED_OFF, amount_minor=10_000, is_personal=True)
CREDIT = OfferTerms(Kind.STORE_CREDIT, amount_minor=10_050)
CARD = OfferTerms(Kind.GIFT_CARD, amount_minor=20_000, valid_days=365)
CASH = OfferTerms(Kind.CASH, amount_minor=5_000)
ONCE = OfferTerms(Kind.COMMISSION, percent=5, months=0)
MONTHS = OfferTerms(Kind.COMMISSION, percent=5, months=6, most_minor=100_000)
ALWAYS = OfferTerms(Kind.COMMISSION, percent=3, months=None)
PRODUCT = OfferTerms(Kind.FREE_PRODUCT, amount_minor=15_000, sku="MUG-1", words="Mug")
DONATION = OfferTerms(Kind.DONATION, amount_minor=5_000, words="The animal shelter")
CUSTOM = OfferTerms(Kind.CUSTOM, amount_minor=30_000, words="A cooking class")
FRIENDS = [PERCENT, FIXED, CREDIT, CARD, PRODUCT, DONATION, CUSTOM]
ADVOCATES = [*FRIENDS, CASH, ONCE, MONTHS, ALWAYS]


def terms_with(**changes) -> ProgramTerms:
    """A plain program's terms, but for what is named."""
    return replace(DEFAULT_TERMS, name="Good words", **changes)


# Needs the product MUG-1 and the category "kitchen".
EVERYTHING = terms_with(
    friend=PERCENT,
    tiers=[
        TierTerms(1, Gives.EACH, CREDIT, "Start", None, [CASH, DONATION, MONTHS]),
        TierTerms(3, Gives.ONCE, PRODUCT, "", 90),
        TierTerms(5, Gives.EVERY, CARD),
    ],
    hold_days=7,
    claim_days=30,
    friend_tiers=[TierTerms(2, Gives.ONCE, FIXED), TierTerms(3, Gives.EACH, CREDIT)],
    second=CASH,
    limits=Limits(
        10, 3, 60, 5_000, True, 365, True, ({"sku": "MUG-1"}, {"category": "kitchen"}), ({"category": "kitchen"},)
    ),
    crediting=Crediting(
        14,
        Terms.Touch.FIRST,
        False,
        ("staff", "code", "voucher", "receipt", "claim", "visit", "name"),
        Terms.Refund.TAKE_BACK,
    ),
    ceiling_minor=9_000_000,
    places=20,
)


def draft(store: Store, terms: ProgramTerms = EVERYTHING, **facts) -> Program:
    """Another program of the store, not published."""
    facts = {"status": Program.Status.DRAFT, "by": None, "at": NOW, **facts}
    return create_program(store, replace(terms, name=terms.name or "Another"), **facts)


def first(store: Store, at: datetime | None = None) -> Program:
    """The program the store opened with."""
    return program_of(store, at)
