"""Pure decisions about who sent whom."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from referrals.models import Referral
from rewards import rules as reward_rules
from rewards.models import Terms
from stores.codes import random_characters

Rule = dict[str, str]
PREFIX_LENGTH = 8
RANDOM_LENGTH = 5  # 28.6 M codes a name; a code carries no value by itself
# Link-preview fetchers, crawlers and mail scanners, by what they call themselves.
BOTS = re.compile(
    r"bot\b|bot/|crawl|spider|preview|scanner|facebookexternalhit|whatsapp|telegram|slack|discord|viber|skype|"
    r"linkedin|pinterest|twitter|embedly|curl|wget|python|httpx|go-http|java/|headlesschrome-preview|barracuda|"
    r"proofpoint|mimecast|safelinks",
    re.IGNORECASE,
)


def is_bot(user_agent: str) -> bool:
    """Whether an opening with this User-Agent is no person's; none at all is none either."""
    return not user_agent.strip() or BOTS.search(user_agent) is not None


def code_prefix(name: str, fallback: str) -> str:
    """The speakable start of a share code: the first name in A-Z, or `fallback` where it has none."""
    first = name.split(" ", maxsplit=1)[0] if name else ""
    letters = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Z]", "", letters.upper())[:PREFIX_LENGTH]
    return plain if len(plain) >= 2 else re.sub(r"[^A-Z]", "", fallback.upper())[:PREFIX_LENGTH] or "GIFT"


def new_code(name: str, fallback: str) -> str:
    """A share code as shown: SARA-7K2Q9."""
    return f"{code_prefix(name, fallback)}-{random_characters(RANDOM_LENGTH)}"


@dataclass(frozen=True)
class Candidate:
    """What is known when an order is to be credited."""

    is_own: bool  # the buyer is the advocate, by number, e-mail or phone
    bought_before: bool  # an earlier order of the buyer still stands
    refunded: bool
    cancelled: bool
    paused: bool
    too_small: bool = False  # below the smallest purchase that counts
    other_products: bool = False  # nothing was bought that counts
    same_household: bool = False  # somebody who lives there was here before


def reason_not_to_count(candidate: Candidate) -> str:
    """A Referral.Reason, or '' when the order counts."""
    if candidate.is_own:
        return Referral.Reason.OWN_CODE
    if candidate.bought_before:
        return Referral.Reason.KNOWN_CUSTOMER
    if candidate.cancelled:
        return Referral.Reason.CANCELLED
    if candidate.refunded:
        return Referral.Reason.REFUNDED
    if candidate.paused:
        return Referral.Reason.PAUSED
    if candidate.too_small:
        return Referral.Reason.TOO_SMALL
    if candidate.other_products:
        return Referral.Reason.OTHER_PRODUCTS
    return Referral.Reason.HOUSEHOLD if candidate.same_household else ""


def counts(lines: Iterable[tuple[str, str]], only: Sequence[Rule], without: Sequence[Rule]) -> bool:
    """Whether one of an order's lines (sku, category) is among `only` and not among `without`.

    A rule is {"sku": ...} or {"category": ...}; no rules of a kind let everything pass. An order whose
    lines nobody told counts only where there is no rule.
    """
    lines = list(lines)
    if not only and not without:
        return True
    fits = [line for line in lines if not only or any(_matches(rule, line) for rule in only)]
    return any(not any(_matches(rule, line) for rule in without) for line in fits)


def _matches(rule: Rule, line: tuple[str, str]) -> bool:
    return rule.get("sku") == line[0] if "sku" in rule else rule.get("category") == line[1]


def pays_again(*, rewarded: int, in_period: int, most: int | None, most_in_period: int | None) -> bool:
    """Whether an advocate with so many rewarded friends, in all and in the period, is rewarded for one more."""
    return (most is None or rewarded < most) and (most_in_period is None or in_period < most_in_period)


def kept_share(refund: str, *, total_minor: int, refunded_minor: int) -> Fraction:
    """Which share (0..1) of what an order brought stands after a partial refund, by a Terms.Refund."""
    if not refunded_minor or refund == Terms.Refund.KEEP:
        return Fraction(1)
    return Fraction(0) if refund == Terms.Refund.TAKE_BACK else reward_rules.kept(total_minor, refunded_minor)


def reason_by_refund(refund: str, *, total_minor: int, refunded_minor: int, minimum_minor: int) -> str:
    """Why an order of which part came back counts no more, a Referral.Reason; '' while it does."""
    if kept_share(refund, total_minor=total_minor, refunded_minor=refunded_minor) == 0:
        return Referral.Reason.REFUNDED
    is_small = refund != Terms.Refund.KEEP and refunded_minor and total_minor - refunded_minor < minimum_minor
    return Referral.Reason.TOO_SMALL if is_small else ""


def months_after(start: datetime, months: int) -> datetime:
    """The same day and time so many months later; the month's last day where it has no such day."""
    year, month = divmod(start.month - 1 + months, 12)
    day = min(start.day, monthrange(start.year + year, month + 1)[1])
    return start.replace(year=start.year + year, month=month + 1, day=day)
