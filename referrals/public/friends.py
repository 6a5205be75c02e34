"""Each of an advocate's friends with a plain state, a date and, where it did not count, the reason. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.rules import clean_name
from referrals.models import Appeal, Claim, Referral, ReferralEvent
from stores.models import Store

SHOWN = 50  # rows of each list; the page says how many more there are
NAME_LENGTH = 24
Reason = Referral.Reason

# What stands on the badge, and the whole sentence; they blame nobody and tell nobody how checks work.
REFUSALS: dict[str, tuple[Any, Any]] = {
    Reason.OWN_CODE: (_("Your own order"), _("Your own orders do not count.")),
    Reason.KNOWN_CUSTOMER: (_("Already knew the shop"), _("They had bought here before.")),
    Reason.REFUNDED: (_("Order returned"), _("What they bought was sent back.")),
    Reason.CANCELLED: (_("Order cancelled"), _("What they ordered was cancelled.")),
    Reason.UNDONE: (_("Order taken back"), _("The purchase was undone at the counter.")),
    Reason.PAUSED: (_("Program was paused"), _("The program was resting on the day they bought.")),
    Reason.FULL: (_("All places taken"), _("By the day they bought, all places of the program were taken.")),
    Reason.TOO_SMALL: (
        _("A smaller purchase"),
        _("What they bought came to less than the smallest purchase that counts."),
    ),
    Reason.OTHER_PRODUCTS: (_("Other products"), _("Nothing of what they bought is among what counts.")),
    Reason.HOUSEHOLD: (_("Same household"), _("Somebody of their household had bought here before.")),
    Reason.LIMIT: (_("Above the limit"), _("You had reached the most that is rewarded.")),
    Reason.MERGED: (_("Same person"), _("The shop found that you are the same person.")),
    Reason.REPLACED: (_("Somebody else's friend"), _("The shop found that somebody else had sent them.")),
}
OTHERWISE = (_("Did not count"), _("The shop looked at it and decided that it does not count."))
UNREWARDED = _("They count, but you had reached the most that is rewarded.")


@dataclass(frozen=True)
class Friend:
    """One friend as the advocate may see them: a short name, a state in words, a date."""

    name: str  # '' when unknown or erased
    state: str  # counted, waiting, checked, refused, taken, over: picks the colour
    words: str
    at: datetime
    until: datetime | None = None  # when it counts, or until when the gift is good
    why: str = ""
    referral: str = ""  # its public id, where something can be said against the decision
    appeal: Appeal | None = None

    @property
    def initial(self) -> str:
        """For the round picture."""
        return self.name[:1] or "?"

    @property
    def may_appeal(self) -> bool:
        """Once, against a refusal."""
        return bool(self.referral) and self.appeal is None


def friends_of(store: Store, owner: Customer, at: datetime, appeals: Iterable[Appeal]) -> tuple[list[Friend], int]:
    """Friends who bought, then those who only took the gift; newest first, and how many more there are."""
    bought = shown_referrals(store, owner)
    came = bought.exclude(friend=None).values("friend")
    waiting = Claim.objects.for_store(store).filter(link__customer=owner).exclude(friend__in=came)
    referrals = list(bought.select_related("friend", "terms").order_by("-created_at", "-pk")[: SHOWN + 1])
    claims = list(waiting.select_related("friend").order_by("-at", "-pk")[: SHOWN + 1])
    said = {appeal.referral_id: appeal for appeal in appeals if appeal.referral_id}
    unrewarded = _unrewarded(store, referrals)
    rows = [_bought(one, owner, said.get(one.pk), rewarded=one.pk not in unrewarded) for one in referrals]
    rows += [_took(one, at) for one in claims]
    rows.sort(key=lambda friend: friend.at, reverse=True)
    return rows[:SHOWN], _more(len(rows), bought, waiting)


def _more(found: int, bought: QuerySet[Any], waiting: QuerySet[Any]) -> int:
    """Counted only where the page cannot show all."""
    return bought.count() + waiting.count() - SHOWN if found > SHOWN else 0


def shown_referrals(store: Store, owner: Customer) -> QuerySet[Any]:
    """The advocate's referrals, without those that another of theirs took the place of.

    Nor what a friend bought once more, who counts or may yet: that they come again is no refusal.
    """
    mine = Referral.objects.for_store(store).filter(advocate=owner)
    newer = mine.filter(order=OuterRef("order"), replaced_at=None)
    first = mine.filter(friend=OuterRef("friend")).exclude(status=Referral.Status.VOIDED)
    return mine.exclude(Exists(newer), replaced_at__isnull=False).exclude(
        Exists(first), status=Referral.Status.VOIDED, reason=Reason.KNOWN_CUSTOMER
    )


def _unrewarded(store: Store, referrals: list[Referral]) -> set[int]:
    """Of these, the ones that count above a limit; asked only where the terms have one."""
    limited = [
        one.pk
        for one in referrals
        if one.status == Referral.Status.APPROVED
        and (one.terms.most_rewards is not None or one.terms.most_in_period is not None)
    ]
    if not limited:
        return set()
    events = ReferralEvent.objects.for_store(store).filter(referral__in=limited, reason=Reason.LIMIT)
    return set(events.values_list("referral_id", flat=True))


def _bought(referral: Referral, owner: Customer, appeal: Appeal | None, *, rewarded: bool) -> Friend:
    state, words, why = state_of(referral, rewarded=rewarded)
    return Friend(
        name=shown_name(referral.friend, owner),
        state=state,
        words=words,
        at=referral.created_at,
        until=referral.hold_until if referral.status == Referral.Status.PENDING else None,
        why=why,
        referral=referral.public_id if referral.status == Referral.Status.VOIDED else "",
        appeal=appeal,
    )


def state_of(referral: Referral, *, rewarded: bool = True) -> tuple[str, str, str]:
    """The referral's state, in the advocate's words, and why."""
    if referral.status == Referral.Status.APPROVED:
        return "counted", str(_("Counted")), "" if rewarded else str(UNREWARDED)
    if referral.status == Referral.Status.PENDING:
        return "waiting", str(_("Bought")), ""
    if referral.status == Referral.Status.FLAGGED:
        return "checked", str(_("Being checked")), str(_("Somebody of the shop looks at it; it needs nothing of you."))
    badge, sentence = REFUSALS.get(referral.reason, OTHERWISE)
    return "refused", str(badge), str(sentence)


def _took(claim: Claim, at: datetime) -> Friend:
    if claim.expires_at <= at:
        return Friend(shown_name(claim.friend), "over", str(_("Did not use the gift")), claim.at)
    return Friend(shown_name(claim.friend), "taken", str(_("Took your gift")), claim.at, claim.expires_at)


def shown_name(friend: Customer | None, owner: Customer | None = None) -> str:
    """The friend's short name; '' when unknown, erased, or the advocate themselves."""
    if friend is None or friend == owner:
        return ""
    return short(friend.short_name)


def short(name: str) -> str:
    """A name as other people see it: no controls, not longer than a line."""
    clean = clean_name(name)
    return clean if len(clean) <= NAME_LENGTH else f"{clean[:NAME_LENGTH].rstrip()}…"
