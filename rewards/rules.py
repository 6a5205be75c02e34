"""Pure decisions about money. Amounts are integers in minor units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True)
class Promise:
    """The value of an offer: `percent` of the bill, of which at most `most_minor`; or `amount_minor`."""

    percent: int | None
    amount_minor: int | None
    minimum_minor: int
    most_minor: int | None = None


def discount(promise: Promise, bill_minor: int) -> int:
    """What comes off a bill; never more than the bill. Half a minor unit rounds down, for the store."""
    worth = promise.amount_minor or 0 if promise.percent is None else bill_minor * promise.percent // 100
    return min(worth, bill_minor) if promise.most_minor is None else min(worth, bill_minor, promise.most_minor)


def expected(promise: Promise, typical_minor: int) -> int:
    """What a promise is reckoned at before its bill is known: its cap, its amount, or its share of a typical bill."""
    if promise.percent is None:
        return promise.amount_minor or 0
    return promise.most_minor or typical_minor * promise.percent // 100


def share(percent: int, order_minor: int, most_minor: int | None = None) -> int:
    """A commission on an order, rounded down."""
    worth = order_minor * percent // 100
    return worth if most_minor is None else min(worth, most_minor)


def kept(total_minor: int, refunded_minor: int) -> Fraction:
    """Which share of an order stands after what was sent back (0..1)."""
    return Fraction(max(total_minor - refunded_minor, 0), total_minor) if total_minor > 0 else Fraction(1)


def part_of(amount_minor: int, kept: Fraction) -> int:
    """What a reward is worth when the share `kept` of its order stands, rounded down."""
    return int(amount_minor * kept)


@dataclass(frozen=True)
class Step:
    """A tier as the rules see it; `gives` is a Tier.Gives, `number` how many count towards it (None: all).

    Those of one period (`within_days`, None: ever) count alike.
    """

    pk: int
    threshold: int
    gives: str
    number: int | None = None
    within_days: int | None = None


def earned_tiers(steps: Iterable[Step], number: int) -> list[Step]:
    """What the `number`-th approved referral earns: the highest EACH step reached, the ONCE steps whose
    threshold it is, and the EVERY steps it fills."""
    steps = list(steps)
    reached = [step for step in steps if step.gives == "each" and step.threshold <= _count(step, number)]
    best = [max(reached, key=lambda step: step.threshold)] if reached else []
    once = [step for step in steps if step.gives == "once" and step.threshold == _count(step, number)]
    full = [step for step in steps if step.gives == "every" and _count(step, number) % step.threshold == 0]
    return best + once + full


def _count(step: Step, number: int) -> int:
    return number if step.number is None else step.number


def next_step(steps: Iterable[Step], number: int) -> Step | None:
    """The nearest step above `number` approved referrals; None at the top."""
    ahead = [(_missing(step, number), step) for step in steps if _missing(step, number) > 0]
    return min(ahead, key=lambda pair: pair[0])[1] if ahead else None


def _missing(step: Step, number: int) -> int:
    """How many more it takes until the step is reached next; 0 and less where it was."""
    count = _count(step, number)
    return step.threshold - (count % step.threshold if step.gives == "every" else count)


def most_at_once(steps: Iterable[Step], worth: dict[int, int]) -> int:
    """The most that one referral can earn, whichever it is; `worth` is each step's value in minor units."""
    steps = list(steps)
    each = max((worth[step.pk] for step in steps if step.gives == "each"), default=0)
    once = [
        max(worth[step.pk] for step in steps if step.gives == "once" and step.within_days == days)
        for days in {step.within_days for step in steps if step.gives == "once"}
    ]
    return each + sum(once) + sum(worth[step.pk] for step in steps if step.gives == "every")


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
    # Staff are told these; to the outside they are PAUSED (API.md names no others).
    OTHER_PLACE = "other_place"
    OTHER_HOLDER = "other_holder"
    STACKED = "stacked"  # not together with the other codes on the bill
    BLOCKED = "blocked"  # the store has blocked whoever sent them, or the buyer


def refusal(
    *,
    status: str,
    expires_at: datetime | None,
    currency: str,
    bill_currency: str,
    bill_minor: int,
    minimum_minor: int,
    at: datetime,
    starts_at: datetime | None = None,
    is_other_place: bool = False,
    is_other_holder: bool = False,
) -> str:
    """Why a voucher cannot be used on this bill at `at` (aware UTC); '' when it can."""
    if status == "redeemed":
        return Reason.USED
    if status == "expired" or (expires_at and expires_at <= at):
        return Reason.EXPIRED
    if status in ("voided", "waiting"):
        return Reason.UNKNOWN
    if starts_at and at < starts_at:
        return Reason.NOT_STARTED
    if is_other_holder:
        return Reason.OTHER_HOLDER
    if is_other_place:
        return Reason.OTHER_PLACE
    if currency != bill_currency:
        return Reason.WRONG_CURRENCY
    if bill_minor < minimum_minor:
        return Reason.BELOW_MINIMUM
    return ""


def may_stack(rule: str, *, is_purse: bool, offers: int, purses: int) -> bool:
    """Whether a code may join those already on the bill: `offers` promises and `purses` of money held.

    `rule` is a RewardSettings.Stacking: one code, one code and store credit, any number.
    """
    if rule == "any":
        return True
    if rule == "one":
        return offers + purses == 0
    return purses == 0 if is_purse else offers == 0
