"""Things that happened, as sentences: the newest for the home page; one customer's stand in `insights.timeline`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.models import Consent, Customer, Order
from insights.words import isolated, of_name, voucher_name
from outreach.models import Message, Task
from outreach.wording import reason_text
from referrals.models import Claim, Referral, ShareLink
from rewards.models import Redemption, Reward
from rewards.wording import offer_text
from stores.l10n import format_money, local_digits
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response
from surveys.rules import Group


@dataclass(frozen=True)
class Happening:
    """One line: when, what (a sentence), and a word more; `url` is where it can be looked at."""

    at: datetime
    icon: str
    tone: str  # good, bad, wait, plain
    text: str
    detail: str = ""
    url: str = ""


Teller = Callable[[Store, Any], Happening]


def latest(store: Store, *, limit: int = 7, of_a_kind: int = 3) -> list[Happening]:
    """The newest happenings of the store, few of each kind, so that one busy sweep does not hide the
    rest; five queries, whatever its size."""
    sources: list[tuple[Any, str, Teller]] = [
        (
            Response.objects.for_store(store).filter(is_suspect=False).select_related("customer", "case"),
            "-at",
            told_response,
        ),
        # By id: it follows the time closely, and (store, id) is an index.
        (Claim.objects.for_store(store).select_related("friend", "link__customer"), "-pk", told_claim),
        (_referrals(store), "-created_at", told_referral),
        (Reward.objects.for_store(store).select_related("customer", "offer"), "-granted_at", told_reward),
        (_redemptions(store), "-at", told_redemption),
    ]
    told = [tell(store, row) for rows, order, tell in sources for row in rows.order_by(order)[:of_a_kind]]
    return sorted(told, key=lambda one: one.at, reverse=True)[:limit]


def _referrals(store: Store) -> Any:
    return Referral.objects.for_store(store).select_related("advocate", "friend", "order__location")


def _redemptions(store: Store) -> Any:
    return Redemption.objects.for_store(store).select_related("voucher__customer", "location", "by")


def money(store: Store, minor: int, currency: str) -> str:
    """An amount in words of the active language."""
    return format_money(minor, currency, get_language() or "en", toman=store.toman)


def number(value: int) -> str:
    """A whole number in the digits of the active language."""
    return local_digits(str(value), get_language() or "en")


def page_of(store: Store, customer: Customer | None) -> str:
    """The customer's page; '' for nobody."""
    return reverse("insights:customer", args=[store.slug, customer.public_id]) if customer else ""


def told_order(store: Store, order: Order) -> Happening:
    """A purchase, with what became of it."""
    amount = money(store, order.total_minor, order.currency)
    text = _("Bought for %(amount)s") % {"amount": amount}
    if order.cancelled_at:
        return Happening(order.placed_at, "bag", "bad", text, _("The order was cancelled."))
    if order.refunded_at:
        return Happening(order.placed_at, "bag", "bad", text, _("The order was refunded."))
    where = order.location.name if order.location else order.source
    return Happening(order.placed_at, "bag", "plain", text, f"{where} · {isolated(order.external_id)}")


def told_invitation(store: Store, invitation: Invitation) -> Happening:
    """The question about an order: to come, asked, or not and why."""
    texts = {
        Invitation.Status.PLANNED: _("To be asked how it was"),
        Invitation.Status.INVITED: _("Asked how it was"),
        Invitation.Status.SKIPPED: _("Not asked how it was"),
    }
    tones = {Invitation.Status.PLANNED: "wait", Invitation.Status.SKIPPED: "plain"}
    status = Invitation.Status(invitation.status)
    detail = reason_text(invitation.reason) or invitation.product_name
    moment = invitation.decided_at or invitation.due_at
    return Happening(moment, "clock", tones.get(status, "good"), texts[status], detail)


def told_message(store: Store, message: Message) -> Happening:
    """A message with its fate."""
    text = _("Message “%(subject)s”: %(fate)s") % {
        "subject": message.get_kind_display(),
        "fate": message.get_status_display(),
    }
    tones = {
        Message.Status.SENT: "good",
        Message.Status.FAILED: "bad",
        Message.Status.UNKNOWN: "bad",
        Message.Status.PENDING: "wait",
    }
    tone = tones.get(Message.Status(message.status), "plain")
    detail = reason_text(message.reason) or isolated(message.to)
    return Happening(message.sent_at or message.due_at, "message", tone, text, detail)


def told_task(store: Store, task: Task) -> Happening:
    """Something the staff did by hand."""
    assert task.ended_at is not None
    text = _("%(way)s for “%(subject)s”: %(fate)s") % {
        "way": task.get_way_display(),
        "subject": task.message.get_kind_display(),
        "fate": task.get_status_display(),
    }
    tone = "good" if task.status == Task.Status.DONE else "plain"
    return Happening(task.ended_at, "phone", tone, text)


def told_response(store: Store, response: Response) -> Happening:
    """An answer to the question."""
    text = _("%(name)s answered %(score)s out of %(most)s") % {
        "name": of_name(response.customer),
        "score": number(response.score),
        "most": number(response.best),
    }
    case = getattr(response, "case", None)
    unhappy = response.group is Group.DETRACTOR
    detail = response.comment or (case.get_status_display() if case else "")
    url = reverse("surveys:case", args=[store.slug, case.public_id]) if case else page_of(store, response.customer)
    icons = ("mood-sad", "bad") if unhappy else ("mood-smile", "good")
    return Happening(response.at, *icons, text, detail, url)


def told_case(store: Store, case: RecoveryCase) -> Happening:
    """An unhappy person to be helped."""
    text = _("A case for your team was opened: %(status)s") % {"status": case.get_status_display()}
    tone = "bad" if case.status == RecoveryCase.Status.OPEN else "good"
    url = reverse("surveys:case", args=[store.slug, case.public_id])
    return Happening(case.opened_at, "lifebuoy", tone, text, str(case.assignee or ""), url)


def told_share(store: Store, link: ShareLink) -> Happening:
    """The first tap on a share button."""
    assert link.shared_at is not None
    text = _("%(name)s shared their link") % {"name": of_name(link.customer)}
    return Happening(link.shared_at, "share", "good", text, isolated(link.code), page_of(store, link.customer))


def told_claim(store: Store, claim: Claim) -> Happening:
    """A friend took the gift."""
    text = _("%(friend)s took the gift that %(advocate)s sent") % {
        "friend": of_name(claim.friend),
        "advocate": of_name(claim.link.customer),
    }
    return Happening(claim.at, "gift", "good", text, "", page_of(store, claim.friend))


def told_referral(store: Store, referral: Referral) -> Happening:
    """A friend bought."""
    text = _("%(advocate)s sent %(friend)s, who bought for %(amount)s") % {
        "advocate": of_name(referral.advocate),
        "friend": of_name(referral.friend),
        "amount": money(store, referral.order.total_minor, referral.order.currency),
    }
    tones = {Referral.Status.APPROVED: "good", Referral.Status.VOIDED: "bad", Referral.Status.FLAGGED: "wait"}
    status, reason = referral.get_status_display(), referral.get_reason_display() if referral.reason else ""
    detail = _("%(status)s: %(reason)s") % {"status": status, "reason": reason} if reason else str(status)
    tone = tones.get(Referral.Status(referral.status), "wait")
    return Happening(referral.created_at, "cash", tone, text, detail, page_of(store, referral.advocate))


def told_reward(store: Store, reward: Reward) -> Happening:
    """A reward was given, or an apology."""
    earned = reward.side != Reward.Side.CUSTOMER
    text = (_("%(name)s earned %(gift)s") if earned else _("%(name)s was given %(gift)s")) % {
        "name": of_name(reward.customer),
        "gift": offer_text(reward.offer, store),
    }
    taken_back = reward.status == Reward.Status.VOIDED
    detail = str(reward.get_status_display()) if taken_back else ""
    return Happening(
        reward.granted_at,
        "trophy" if earned else "gift",
        "bad" if taken_back else "good",
        text,
        detail,
        page_of(store, reward.customer),
    )


def told_redemption(store: Store, redemption: Redemption) -> Happening:
    """A voucher was used."""
    text = _("%(name)s used %(voucher)s: %(amount)s off") % {
        "name": of_name(redemption.voucher.customer),
        "voucher": voucher_name(redemption.voucher),
        "amount": money(store, redemption.discount_minor, redemption.currency),
    }
    where = " · ".join(str(one) for one in (redemption.location, redemption.by) if one)
    detail = _("undone") if redemption.reversed_at else where
    tone = "bad" if redemption.reversed_at else "good"
    return Happening(redemption.at, "receipt", tone, text, detail, page_of(store, redemption.voucher.customer))


def told_consent(store: Store, consent: Consent) -> Happening:
    """A yes or a no to messages."""
    texts = {
        ("email", True): _("Agreed to mail"),
        ("email", False): _("Asked for no more mail"),
        ("sms", True): _("Agreed to texts"),
        ("sms", False): _("Asked for no more texts"),
    }
    tone = "good" if consent.granted else "bad"
    return Happening(consent.at, "mail", tone, texts[(consent.channel, consent.granted)], consent.source)
