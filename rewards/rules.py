"""Pure decisions about money. Amounts are integers in minor units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Promise:
    """The value of an offer: `percent` of the bill, or `amount_minor`."""

    percent: int | None
    amount_minor: int | None
    minimum_minor: int


def discount(promise: Promise, bill_minor: int) -> int:
    """What comes off a bill; never more than the bill. Half a minor unit rounds down, for the store."""
    if promise.percent is not None:
        return bill_minor * promise.percent // 100
    return min(promise.amount_minor or 0, bill_minor)


@dataclass(frozen=True)
class Step:
    """A tier as the rules see it."""

    pk: int
    threshold: int
    once: bool


def earned_tiers(steps: Iterable[Step], number: int) -> list[Step]:
    """What the advocate's `number`-th approved referral earns: the highest EACH step reached, and
    the ONCE steps whose threshold it is."""
    reached = [step for step in steps if not step.once and step.threshold <= number]
    best = [max(reached, key=lambda step: step.threshold)] if reached else []
    return best + [step for step in steps if step.once and step.threshold == number]


def next_step(steps: Iterable[Step], number: int) -> Step | None:
    """The nearest step above `number` approved referrals; None at the top."""
    return min((step for step in steps if step.threshold > number), key=lambda step: step.threshold, default=None)


class Reason:
    """Why a code cannot be redeemed; the slugs of API.md."""

    USED = "used"
    EXPIRED = "expired"
    NOT_STARTED = "not_started"
    BELOW_MINIMUM = "below_minimum"
    WRONG_CURRENCY = "wrong_currency"
    NOT_NEW_CUSTOMER = "not_new_customer"
    OWN_CODE = "own_code"
    PAUSED = "paused"
    UNKNOWN = "unknown"


def refusal(
    *,
    status: str,
    expires_at: datetime | None,
    currency: str,
    bill_currency: str,
    bill_minor: int,
    minimum_minor: int,
    at: datetime,
) -> str:
    """Why a voucher cannot be used on this bill at `at` (aware UTC); '' when it can."""
    if status == "redeemed":
        return Reason.USED
    if status == "expired" or (expires_at and expires_at <= at):
        return Reason.EXPIRED
    if status == "voided":
        return Reason.UNKNOWN
    if currency != bill_currency:
        return Reason.WRONG_CURRENCY
    if bill_minor < minimum_minor:
        return Reason.BELOW_MINIMUM
    return ""
