"""What needs a person today, in words: the most urgent first, each with the step that ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from insights.numbers.todo import Todo
from insights.words import of_name
from outreach.complaints import State
from referrals.fraud import words as signs
from referrals.models import Referral
from referrals.reasons import evidence_of
from rewards.wording import offer_text
from stores.l10n import format_ago, format_money, format_number
from stores.models import Role, Store
from surveys.models import RecoveryCase

AT_ONCE = 3  # things on the page; the others are behind a tap


@dataclass(frozen=True)
class Act:
    """One tap: a place to go to, or, `is_post`, a form without fields."""

    label: str
    icon: str
    url: str
    is_post: bool = False


@dataclass(frozen=True)
class Item:
    """One thing to do: `url` shows all of it, `act` does the first of it; `late` says who waits too long."""

    icon: str
    tone: str
    title: str
    detail: str
    url: str = ""
    act: Act | None = None
    late: str = ""
    is_urgent: bool = False


@dataclass(frozen=True)
class Day:
    """What there is to see and to know: the store, what waits, who asks, and the time (aware UTC)."""

    store: Store
    todo: Todo
    role: Role
    at: datetime

    def place(self, name: str, *args: str) -> str:
        """An address of the dashboard."""
        return reverse(name, args=[self.store.slug, *args])


def agenda(store: Store, todo: Todo, role: Role, at: datetime) -> list[Item]:
    """Everything that waits for a person, the urgent first."""
    day = Day(store, todo, role, at)
    makers: list[Callable[[Day], Item | None]] = [
        _books,
        _complaints,
        _unhappy,
        _flagged,
        _by_hand,
        _appeals,
        _invited,
        _unknown,
    ]
    found = [item for item in (make(day) for make in makers) if item]
    return sorted(found, key=lambda item: not item.is_urgent)


def _books(day: Day) -> Item | None:
    if not day.todo.books_wrong:
        return None
    return Item(
        "alert-triangle",
        "bad",
        _("The books do not add up"),
        _("Nothing is paid out until somebody has looked at them."),
        day.place("rewards:books"),
        is_urgent=True,
    )


def _complaints(day: Day) -> Item | None:
    todo = day.todo
    if todo.complaints == State.GOOD:
        return None
    is_stopped = todo.complaints == State.STOP
    words = ngettext(
        "%(shown)s person marked your mail as spam", "%(shown)s people marked your mail as spam", todo.complained
    )
    return Item(
        "message",
        "bad",
        words % {"shown": _number(todo.complained)},
        _("Advertising by mail is stopped until you have looked at it.")
        if is_stopped
        else _("Too many for the number you sent: see what helps."),
        day.place("outreach:channels") if day.role is Role.OWNER else "",
        is_urgent=is_stopped,
    )


def _unhappy(day: Day) -> Item | None:
    todo, case = day.todo, day.todo.case
    if case is None:
        return None
    words = ngettext(
        "%(shown)s unhappy customer is waiting", "%(shown)s unhappy customers are waiting", todo.unhappy
    ) % {"shown": _number(todo.unhappy)}
    late = ngettext("%(shown)s waits longer than promised", "%(shown)s wait longer than promised", todo.overdue) % {
        "shown": _number(todo.overdue)
    }
    gave = _("%(name)s gave %(score)s of %(most)s") % {
        "name": of_name(case.customer),
        "score": _number(case.response.score),
        "most": _number(case.response.best),
    }
    detail = f"{gave} · {format_ago(case.opened_at, day.at, _language())}"
    return Item(
        "mood-sad",
        "bad",
        words,
        _first(detail, todo.unhappy),
        day.place("surveys:case", case.public_id) if todo.unhappy == 1 else day.place("surveys:cases"),
        _help(day, case),
        late if todo.overdue else "",
        is_urgent=bool(todo.overdue),
    )


def _help(day: Day, case: RecoveryCase) -> Act:
    """A call where a number is known, else a letter."""
    if case.customer.phone:
        return Act(_("Call"), "phone", f"tel:{case.customer.phone.replace(' ', '')}")
    return Act(_("Write"), "mail", day.place("surveys:case", case.public_id) + "#letter")


def _flagged(day: Day) -> Item | None:
    todo, referral = day.todo, day.todo.referral
    if referral is None:
        return None
    words = ngettext(
        "%(shown)s friend’s purchase needs a look", "%(shown)s friends’ purchases need a look", todo.flagged
    ) % {"shown": _number(todo.flagged)}
    return Item(
        "clipboard-check",
        "wait",
        words,
        _first(_about(day.store, referral), todo.flagged),
        day.place("referrals:approvals") + "?only=flagged",
        Act(_("Count it"), "check", day.place("referrals:decide", referral.public_id, "approve"), is_post=True),
    )


def _about(store: Store, referral: Referral) -> str:
    """Who bought for how much, and what speaks against it."""
    order, lines = referral.order, signs.lines_of(store, [referral])[referral.pk]
    why = lines[0].words if lines else str(referral.get_reason_display()) or evidence_of(referral)
    bought = _("%(friend)s, sent by %(advocate)s, for %(amount)s") % {
        "friend": of_name(referral.friend),
        "advocate": of_name(referral.advocate),
        "amount": format_money(
            order.total_minor - order.refunded_minor, order.currency, _language(), toman=store.toman
        ),
    }
    return f"{bought} · {capfirst(why)}"


def _by_hand(day: Day) -> Item | None:
    todo, task = day.todo, day.todo.task
    if task is None:
        return None
    words = ngettext(
        "%(shown)s reward to hand over or give", "%(shown)s rewards to hand over or give", todo.to_hand_over
    ) % {"shown": _number(todo.to_hand_over)}
    late = ngettext(
        "%(shown)s waits longer than it should", "%(shown)s wait longer than they should", todo.late_to_hand_over
    ) % {"shown": _number(todo.late_to_hand_over)}
    gift = _("%(gift)s for %(name)s") % {
        "gift": offer_text(task.reward.offer, day.store),
        "name": of_name(task.reward.customer),
    }
    return Item(
        "gift",
        "wait",
        words,
        _first(gift, todo.to_hand_over),
        day.place("rewards:to_do"),
        Act(_("Done"), "check", day.place("rewards:fulfil", task.public_id), is_post=True),
        late if todo.late_to_hand_over else "",
        is_urgent=bool(todo.late_to_hand_over),
    )


def _appeals(day: Day) -> Item | None:
    count = day.todo.appeals
    if not count:
        return None
    words = ngettext("%(shown)s customer asks about a friend", "%(shown)s customers ask about a friend", count)
    detail = _("They say that a friend of theirs bought and was not counted.")
    return Item("flag", "wait", words % {"shown": _number(count)}, detail, day.place("referrals:appeals"))


def _invited(day: Day) -> Item | None:
    count = day.todo.invited
    if not count:
        return None
    words = ngettext(
        "%(shown)s store would like to send you customers", "%(shown)s stores would like to send you customers", count
    )
    title = words % {"shown": _number(count)}
    return Item("building-store", "wait", title, _("See what they offer."), day.place("referrals:partners"))


def _unknown(day: Day) -> Item | None:
    count = day.todo.unknown
    if not count:
        return None
    words = ngettext(
        "%(shown)s message may or may not have arrived", "%(shown)s messages may or may not have arrived", count
    )
    return Item(
        "message",
        "plain",
        words % {"shown": _number(count)},
        _("We never send twice by guessing: you decide."),
        day.place("insights:messages") + "?show=unknown",
    )


def _first(detail: str, count: int) -> str:
    """The detail of one thing, told as the first where there are several."""
    return _("First: %(detail)s") % {"detail": detail} if count > 1 else detail


def _language() -> str:
    return get_language() or "en"


def _number(value: float) -> str:
    return format_number(value, _language())
