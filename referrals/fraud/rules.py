"""Signals: what makes one look twice at a referral, what each weighs, and what follows from their sum.

Pure: facts in, signals out. A weight of the default threshold (40) or more holds a referral by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from disposable_email_domains import blocklist
from django.db import models
from django.utils.translation import gettext_lazy as _

HOLD_AT, REFUSE_AT = 40, 100
MOST_WEIGHT = 200

HASTE = timedelta(seconds=20)  # from the gift, or the visit, to the purchase
HASTE_TO_CLAIM = timedelta(minutes=2)  # from the making of the link to the gift
NEWCOMER = timedelta(hours=1)
FAR = 3  # times the usual span of orders
ENOUGH_ORDERS = 30
MANY_A_DAY, MANY_A_WEEK = 5, 12  # friends of one customer, where the store's own norm is not higher
ABOVE_NORM = 2
RETURNS = 2  # friends' purchases that were returned after the reward
LONGEST_RING = 6
PRECISE_ADDRESS = 3  # words, one of them with a digit

# Sites that list codes for everybody. A host counts with all its subdomains.
COUPON_SITES = frozenset(
    {
        "coupons.com", "couponcabin.com", "couponfollow.com", "couponbirds.com", "couponchief.com", "coupert.com",
        "dealspotr.com", "dontpayfull.com", "goodsearch.com", "groupon.com", "hotdeals.com", "hotukdeals.com",
        "joinhoney.com", "knoji.com", "latestdeals.co.uk", "mydealz.de", "myvouchercodes.co.uk", "ozbargain.com.au",
        "picodi.com", "promocodes.com", "rakuten.com", "refer.codes", "referandearn.com", "referralcodes.com",
        "retailmenot.com", "savings.com", "simplycodes.com", "slickdeals.net", "takhfifan.com", "vouchercloud.com",
        "vouchercodes.co.uk", "wethrift.com", "wikibuy.com", "invitation.codes", "iprice.ph", "cuponation.com",
    }
)  # fmt: skip


class Name(models.TextChoices):
    """A signal, in the words of the approvals page."""

    EMAIL = "email", _("same e-mail as the customer who sent them")
    ALIAS = "alias", _("same mailbox as the customer who sent them, written another way")
    PHONE = "phone", _("same phone number as the customer who sent them")
    DEVICE = "device", _("same device as the customer who sent them")
    CARD = "card", _("paid with a card of the customer who sent them")
    RING = "ring", _("customers who sent each other in a ring")
    TWIN = "twin", _("same mailbox as another customer, written another way")
    SHARED_DEVICE = "shared_device", _("same device as other friends")
    SHARED_CARD = "shared_card", _("same card as other friends")
    THROWAWAY = "throwaway", _("throw-away e-mail address")
    RETURNS = "returns", _("earlier friends returned their goods after the reward")
    ADDRESS = "address", _("same postal address as the customer who sent them")
    NAME = "name", _("same name as the customer who sent them")
    VELOCITY = "velocity", _("many more friends in a short time than is usual here")
    COUPON_SITE = "coupon_site", _("the link stands on a site for coupons")
    FAR_ORDER = "far_order", _("an order far from what is usual here")
    NETWORK = "network", _("same internet connection")
    FAST = "fast", _("quicker than people are")
    NEWCOMER = "newcomer", _("the customer who sent them had come just before")


WEIGHTS: dict[str, int] = {
    Name.EMAIL: 100,
    Name.ALIAS: 60,
    Name.PHONE: 60,
    Name.DEVICE: 60,
    Name.CARD: 60,
    Name.RING: 60,
    Name.TWIN: 40,
    Name.SHARED_DEVICE: 40,
    Name.SHARED_CARD: 40,
    Name.THROWAWAY: 30,
    Name.RETURNS: 30,
    Name.ADDRESS: 20,
    Name.NAME: 20,
    Name.VELOCITY: 20,
    Name.COUPON_SITE: 20,
    Name.FAR_ORDER: 15,
    Name.NETWORK: 15,  # never alone: see `signals`
    Name.FAST: 10,
    Name.NEWCOMER: 10,
}

Signals = dict[str, dict[str, Any]]  # name -> what it agrees with


class Verdict(StrEnum):
    """What follows from a score."""

    ALLOW, HOLD, REFUSE = "allow", "hold", "refuse"


@dataclass(frozen=True)
class Identity:
    """What is known of one side; sets hold every value of theirs, '' is never in them."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    name: str = ""
    address: str = ""


@dataclass(frozen=True)
class Norm:
    """What orders of the store usually come to: the 5th and the 95th in a hundred, in minor units."""

    low: int = 0
    high: int = 0
    orders: int = 0


@dataclass(frozen=True)
class Pace:
    """Friends of one customer on that day and in the seven days up to it; and what three in four do not exceed."""

    day: int = 0
    week: int = 0
    usual_day: int = 0
    usual_week: int = 0


@dataclass(frozen=True)
class Times:
    """When what happened (aware UTC); None for what did not, or is not known."""

    placed: datetime
    visited: datetime | None = None  # by the visit the shop passed on
    claimed: datetime | None = None
    link_made: datetime | None = None
    advocate_known: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """All that the signals of one referral look at."""

    advocate: Identity
    friend: Identity
    times: Times
    total_minor: int = 0
    norm: Norm = Norm()
    pace: Pace = Pace()
    is_partner: bool = False  # whose work it is to bring many
    twins: int = 0  # other customers with the friend's mailbox
    device_friends: int = 0  # others who took a gift with this device
    card_friends: int = 0
    network_friends: int = 0  # other friends of this advocate on the same connection
    referrers: frozenset[str] = frozenset()
    returns: int = 0
    ring: int = 0  # how many are in it; 0: none
    blocked: frozenset[str] = frozenset()  # which kinds of Block match


def signals(facts: Facts) -> Signals:
    """What speaks against the referral. The network counts only beside something else."""
    found = _of_identity(facts) | _of_others(facts) | _of_conduct(facts)
    on_one_network = facts.advocate.networks & facts.friend.networks or facts.network_friends
    if found and on_one_network:
        found[Name.NETWORK] = {"friends": facts.network_friends}
    return found


def _of_identity(facts: Facts) -> Signals:
    """The friend looks like the advocate."""
    one, other = facts.advocate, facts.friend
    found: Signals = {}
    if one.emails & other.emails:
        found[Name.EMAIL] = {}
    elif one.mailboxes & other.mailboxes:
        found[Name.ALIAS] = {}
    if one.phones & other.phones:
        found[Name.PHONE] = {}
    if one.devices & other.devices:
        found[Name.DEVICE] = {}
    if one.cards & other.cards:
        found[Name.CARD] = {}
    if one.name and one.name == other.name and " " in one.name:
        found[Name.NAME] = {}
    if one.address and one.address == other.address and is_precise(one.address):
        found[Name.ADDRESS] = {}
    return found


def _of_others(facts: Facts) -> Signals:
    """The friend looks like somebody else, or hangs together with others."""
    found: Signals = {}
    if facts.twins and Name.ALIAS not in _of_identity(facts):
        found[Name.TWIN] = {"customers": facts.twins}
    if facts.device_friends:
        found[Name.SHARED_DEVICE] = {"friends": facts.device_friends}
    if facts.card_friends:
        found[Name.SHARED_CARD] = {"friends": facts.card_friends}
    if facts.ring:
        found[Name.RING] = {"customers": facts.ring}
    if any(is_throwaway(email) for email in facts.friend.emails):
        found[Name.THROWAWAY] = {}
    if facts.returns >= RETURNS:
        found[Name.RETURNS] = {"orders": facts.returns}
    return found


def _of_conduct(facts: Facts) -> Signals:
    """How it came about is unusual."""
    found: Signals = {}
    seconds = haste(facts.times)
    if seconds is not None:
        found[Name.FAST] = {"seconds": seconds}
    if _is_newcomer(facts.times):
        found[Name.NEWCOMER] = {}
    if is_far(facts.total_minor, facts.norm):
        found[Name.FAR_ORDER] = {"low": facts.norm.low, "high": facts.norm.high}
    if not facts.is_partner and is_rushed(facts.pace):
        found[Name.VELOCITY] = {"day": facts.pace.day, "week": facts.pace.week}
    site = next((host for host in sorted(facts.referrers) if is_coupon_site(host)), "")
    if site:
        found[Name.COUPON_SITE] = {"site": site}
    return found


def haste(times: Times) -> int | None:
    """The seconds that were too few between two steps; None where people took their time."""
    spans = [
        (times.claimed, times.placed, HASTE),
        (times.visited, times.placed, HASTE),
        (times.link_made, times.claimed, HASTE_TO_CLAIM),
    ]
    short = [end - start for start, end, least in spans if start and end and timedelta(0) <= end - start < least]
    return int(min(short).total_seconds()) if short else None


def _is_newcomer(times: Times) -> bool:
    first = times.claimed or times.placed
    known = times.advocate_known
    return known is not None and timedelta(0) <= first - known < NEWCOMER


def is_far(total_minor: int, norm: Norm) -> bool:
    """Whether an order is far outside of what nine in ten come to; never told from a few orders."""
    if norm.orders < ENOUGH_ORDERS or total_minor <= 0:
        return False
    return total_minor * FAR < norm.low or total_minor > norm.high * FAR


def is_rushed(pace: Pace) -> bool:
    """Whether so many friends in a day or week are many, and many for this store."""
    by_day = pace.day >= MANY_A_DAY and pace.day > ABOVE_NORM * pace.usual_day
    return by_day or (pace.week >= MANY_A_WEEK and pace.week > ABOVE_NORM * pace.usual_week)


def is_precise(address: str) -> bool:
    """Whether a folded address names a house, not a town."""
    words = address.split()
    return len(words) >= PRECISE_ADDRESS and any(character.isdigit() for character in address)


def domain_of(email: str) -> str:
    """The domain of a compared address."""
    return email.rpartition("@")[2]


def is_throwaway(email: str) -> bool:
    """Whether the mail domain, or one it is part of, hands out addresses for ten minutes."""
    return bool(_with_parents(domain_of(email)) & blocklist)


def is_coupon_site(host: str) -> bool:
    """Whether this host lists codes for everybody."""
    return bool(_with_parents(host) & COUPON_SITES)


def _with_parents(host: str) -> set[str]:
    parts = host.split(".")
    return {".".join(parts[place:]) for place in range(max(len(parts) - 1, 1))}


def weights_for(own: Mapping[str, int]) -> dict[str, int]:
    """Every signal's weight: the store's own where it has one."""
    return {name: max(0, min(int(own.get(name, weight)), MOST_WEIGHT)) for name, weight in WEIGHTS.items()}


def score(names: Iterable[str], weights: Mapping[str, int]) -> int:
    """The sum of what these signals weigh."""
    return sum(weights.get(name, 0) for name in names)


def verdict(points: int, *, hold_at: int = HOLD_AT, refuse_at: int = REFUSE_AT) -> Verdict:
    """What follows from a score."""
    if points >= refuse_at:
        return Verdict.REFUSE
    return Verdict.HOLD if points >= hold_at else Verdict.ALLOW


def followed(default: int, *, confirmed: int, overturned: int) -> int:
    """A weight that follows what people decided: between nothing and twice the default.

    Laplace's share of those confirmed, so that two decisions do not make a rule: with none it is a half,
    which gives the default.
    """
    decided = confirmed + overturned
    return round(2 * default * (confirmed + 1) / (decided + 2))
