"""The shop of a sample: the owner's own name, money and rewards, with made-up goods and people."""

from __future__ import annotations

from dataclasses import replace

from insights.demo.shops import FERNHILL, GOLAB, ROSEWATER, Item, Shop
from insights.replay.people import Rates
from referrals.services.programs import program_of
from referrals.services.terms import DEFAULT_TERMS, ProgramTerms, terms_of
from stores.l10n import exponent
from stores.models import Store

DAYS = 60
PEOPLE = 70  # as many as it takes for a score: twenty answers in thirty days
ORDERS_A_DAY = 2.4
ANSWERING = 0.75
# More friends than a shop of this size has in these weeks, and some who wait for help: so that each page has something.
RATES = Rates(page_share=0.8, claim=0.5, buy=0.75, left_alone=0.4)
BY_LANGUAGE = {"en": FERNHILL, "fil": ROSEWATER, "fa": GOLAB}
AN_ORDER = 1.5 * 1.2  # goods: so many kinds, so many of each (insights.demo.past)
# What a usual purchase comes to, in whole units, where the owner did not say.
TYPICAL = {
    "EUR": 40, "GBP": 35, "IDR": 300_000, "INR": 1_500, "IRR": 6_000_000, "JPY": 6_000, "KRW": 50_000, "MXN": 800,
    "PHP": 900, "THB": 900, "TRY": 1_500, "USD": 45, "VND": 500_000,
}  # fmt: skip
TYPICAL_ELSEWHERE = 50
PREFIX = "+44770090"  # and 0000 to 0999: given to nobody. Source: Ofcom, numbers for use in drama


def shop_of(sample: Store) -> Shop:
    """The made-up shop that is played in a sample. Expects its transaction to be bound to it."""
    base = BY_LANGUAGE.get(sample.locale, FERNHILL)
    return replace(
        base,
        slug=sample.slug,
        name=sample.name,
        currency=sample.currency,
        timezone=sample.timezone,
        locale=sample.locale,
        country=sample.country,
        toman=sample.toman,
        items=priced(base.items, sample.setup["average_minor"]),
        phone_prefix=PREFIX,
        orders_a_day=ORDERS_A_DAY,
        people=PEOPLE,
        answering=ANSWERING,
        delivers=sample.delivers,
        days=sample.time_to_value_days,
        locations={},
    )


def typical(store: Store) -> int:
    """A usual purchase in minor units: what the owner typed, else what such a purchase comes to in this money."""
    typed: int | None = store.setup.get("average_minor")
    whole_units = TYPICAL.get(store.currency, TYPICAL_ELSEWHERE)
    return typed or whole_units * 10 ** exponent(store.currency)


def priced(items: tuple[Item, ...], average_minor: int) -> tuple[Item, ...]:
    """The goods at prices by which an order comes to about that much, none below one minor unit."""
    usual = AN_ORDER * sum(item.price_minor for item in items) / len(items)
    return tuple(replace(item, price_minor=_round(item.price_minor * average_minor / usual)) for item in items)


def _round(price: float) -> int:
    """As price tags are: two digits that count."""
    digits = max(len(str(int(price))) - 2, 0)
    return max(round(price / 10**digits) * 10**digits, 1)


def terms_for(store: Store) -> ProgramTerms:
    """The store's own rewards; the usual ones where hers name her goods or places, which the sample has not."""
    terms = terms_of(program_of(store))
    steps = [*terms.tiers, *terms.friend_tiers]
    offers = [terms.friend, *([terms.second] if terms.second else [])]
    offers += [offer for step in steps for offer in (step.offer, *step.choices)]
    is_own = any(offer.sku or offer.place for offer in offers) or terms.limits.only_products
    return replace(DEFAULT_TERMS, name=terms.name) if is_own else replace(terms, ceiling_minor=None, places=None)
