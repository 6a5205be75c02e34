"""Pure decisions about who sent whom."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from referrals.models import Referral
from stores.codes import random_characters

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
    return Referral.Reason.PAUSED if candidate.paused else ""
