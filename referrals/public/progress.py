"""What an advocate sees of their own friends and rewards. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.rules import clean_name
from referrals.models import Claim, Program, Referral, ShareLink, Visit
from rewards import rules as reward_rules
from rewards.models import Account, Tier, Voucher
from rewards.services import granting
from rewards.wording import offer_text
from stores.codes import spaced
from stores.models import Store

SHOWN = 50  # rows of each list; the page says how many more there are
NAME_LENGTH = 24


@dataclass(frozen=True)
class Friend:
    """One friend as the advocate may see them: a short name, a state in words, a date."""

    name: str  # '' when unknown or erased
    state: str  # counted, waiting, checked, refused, taken, over: picks the colour
    words: str
    at: datetime
    until: datetime | None = None  # for waiting and taken

    @property
    def initial(self) -> str:
        """For the round picture."""
        return self.name[:1] or "?"


@dataclass(frozen=True)
class Gift:
    """A code the advocate holds. `state`: ready, used, over, back."""

    code: str
    words: str
    state: str
    until: datetime | None
    minimum_minor: int = 0


@dataclass(frozen=True)
class Climb:
    """The way to the next step of the ladder."""

    done: int
    needed: int
    gets: str
    name: str
    once: bool

    @property
    def left(self) -> int:
        """Friends still to come."""
        return self.needed - self.done

    @property
    def parts(self) -> list[bool]:
        """One part a friend, True where reached; empty when there would be too many to tell apart."""
        return [place < self.done for place in range(self.needed)] if self.needed <= 12 else []


@dataclass(frozen=True)
class Progress:
    """Everything below the share buttons."""

    approved: int
    climb: Climb | None
    friends: list[Friend]
    more_friends: int
    opened: int
    opened_last: datetime | None
    gifts: list[Gift]
    credit_minor: int
    owed_minor: int
    credit_code: str

    @property
    def has_code(self) -> bool:
        """Whether there is something to show at the counter."""
        return bool(self.credit_minor) or any(gift.state == "ready" for gift in self.gifts)


def progress_of(store: Store, link: ShareLink, program: Program, at: datetime) -> Progress:
    """The advocate's own friends, rewards and credit at `at`; a fixed number of queries."""
    owner = link.customer
    approved = approved_by(store, link)
    friends, more = friends_of(store, link, at)
    opened = Visit.objects.for_store(store).filter(link=link, is_bot=False).aggregate(n=Count("pk"), last=Max("at"))
    gifts, credit_code = _gifts(store, owner, at)
    balances = _balances(store, owner)
    return Progress(
        approved=approved,
        climb=climb(store, program, approved),
        friends=friends,
        more_friends=more,
        opened=opened["n"],
        opened_last=opened["last"],
        gifts=gifts,
        credit_minor=balances.get(Account.Kind.CREDIT, 0),
        owed_minor=-balances.get(Account.Kind.OWED, 0),
        credit_code=credit_code,
    )


def approved_by(store: Store, link: ShareLink) -> int:
    """How many friends of the link's owner have counted."""
    mine = Referral.objects.for_store(store).filter(advocate=link.customer_id, status=Referral.Status.APPROVED)
    return int(mine.count())


def climb(store: Store, program: Program, approved: int) -> Climb | None:
    """The next step above `approved` friends; None at the top."""
    tiers = granting.steps_of(program.ladder)
    step = reward_rules.next_step(granting.as_steps(tiers), approved)
    if step is None:
        return None
    tier = tiers[step.pk]
    return Climb(approved, step.threshold, offer_text(tier.offer, store), tier.name, tier.gives == Tier.Gives.ONCE)


def friends_of(store: Store, link: ShareLink, at: datetime) -> tuple[list[Friend], int]:
    """Friends who bought, then those who only took the gift; newest first, and how many more there are."""
    bought = Referral.objects.for_store(store).filter(advocate=link.customer)
    came = set(bought.exclude(friend=None).values_list("friend_id", flat=True))
    waiting = Claim.objects.for_store(store).filter(link=link).exclude(friend__in=came)
    rows = [_bought(one, link) for one in bought.select_related("friend").order_by("-created_at")[:SHOWN]]
    rows += [_took(one, at) for one in waiting.select_related("friend").order_by("-at")[:SHOWN]]
    rows.sort(key=lambda friend: friend.at, reverse=True)
    total = bought.count() + waiting.count()
    return rows[:SHOWN], max(total - SHOWN, 0)


def _bought(referral: Referral, link: ShareLink) -> Friend:
    state, words = _state(referral)
    until = referral.hold_until if referral.status == Referral.Status.PENDING else None
    return Friend(_shown(referral.friend, link), state, words, referral.created_at, until)


def _state(referral: Referral) -> tuple[str, str]:
    """The referral's state in the advocate's words; it says why, and blames nobody."""
    if referral.status == Referral.Status.APPROVED:
        return "counted", _("Counted")
    if referral.status == Referral.Status.PENDING:
        return "waiting", _("Bought")
    if referral.status == Referral.Status.FLAGGED:
        return "checked", _("Being checked")
    return "refused", str(REFUSALS.get(referral.reason, gettext_lazy("Did not count")))


REFUSALS: dict[str, Any] = {
    Referral.Reason.OWN_CODE: gettext_lazy("Your own order"),
    Referral.Reason.KNOWN_CUSTOMER: gettext_lazy("Already knew the shop"),
    Referral.Reason.REFUNDED: gettext_lazy("Order returned"),
    Referral.Reason.CANCELLED: gettext_lazy("Order cancelled"),
    Referral.Reason.UNDONE: gettext_lazy("Order taken back"),
    Referral.Reason.PAUSED: gettext_lazy("Program was paused"),
}


def _took(claim: Claim, at: datetime) -> Friend:
    if claim.expires_at <= at:
        return Friend(_shown(claim.friend, None), "over", _("Did not use the gift"), claim.at)
    return Friend(_shown(claim.friend, None), "taken", _("Took your gift"), claim.at, claim.expires_at)


def _shown(friend: Customer | None, link: ShareLink | None) -> str:
    """The friend's short name; '' when unknown, erased, or the advocate themselves."""
    if friend is None or (link and friend.pk == link.customer_id):
        return ""
    return short(friend.short_name)


def short(name: str) -> str:
    """A name as other people see it: no controls, not longer than a line."""
    clean = clean_name(name)
    return clean if len(clean) <= NAME_LENGTH else f"{clean[:NAME_LENGTH].rstrip()}…"


def _gifts(store: Store, owner: Customer, at: datetime) -> tuple[list[Gift], str]:
    """The person's vouchers, ready ones first, and the code of their store credit (its kind sorts first)."""
    held = (
        Voucher.objects.for_store(store).filter(customer=owner).select_related("offer").order_by("kind", "-issued_at")
    )
    rows = list(held.select_related("offer")[:SHOWN])
    credit = next((one.code for one in rows if one.kind == Voucher.Kind.CREDIT), "")
    gifts = [_gift(store, one, at) for one in rows if one.offer]
    return sorted(gifts, key=lambda gift: gift.state != "ready"), spaced(credit)


def _gift(store: Store, voucher: Voucher, at: datetime) -> Gift:
    assert voucher.offer is not None
    words, minimum = offer_text(voucher.offer, store), voucher.offer.minimum_minor
    return Gift(spaced(voucher.code), words, voucher_state(voucher, at), voucher.expires_at, minimum)


def voucher_state(voucher: Voucher, at: datetime) -> str:
    """ready, used, over or back (taken back)."""
    if voucher.status == Voucher.Status.REDEEMED:
        return "used"
    if voucher.status == Voucher.Status.VOIDED:
        return "back"
    past = voucher.expires_at is not None and voucher.expires_at <= at
    return "over" if past or voucher.status == Voucher.Status.EXPIRED else "ready"


def _balances(store: Store, owner: Customer) -> dict[str, int]:
    """The person's accounts in the store's currency: kind -> minor units."""
    accounts = Account.objects.for_store(store).filter(customer=owner, currency=store.currency)
    return dict(accounts.values_list("kind", "balance_minor"))
