"""What a message can be about, and what is fixed for each kind: its purpose, its trigger, its defaults.

The purpose is ours to fix, not a store's (RELIABILITY section 4, "Transactional vs marketing"): a nudge
about a reward is advertising, the news that a reward is there is not. What the owner may change
(on or off, the wait, the channels, the audience, the words) stands in `Journey` and `Template`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Way(models.TextChoices):
    """How a message reaches a person: by a channel, or as a task for somebody of the store."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")
    CALL = "call", _("Phone call")
    NOTE = "note", _("Handwritten note")
    VISIT = "visit", _("In person, at the next visit")

    @property
    def is_task(self) -> bool:
        """Whether a person of the store does it."""
        return self in (Way.CALL, Way.NOTE, Way.VISIT)


class Purpose(StrEnum):
    """Why we may write. SERVICE: about their own order, reward or answer. TRANSACTIONAL: answers what they just did."""

    TRANSACTIONAL = "transactional"  # no unsubscribe header, no cap
    SERVICE = "service"
    MARKETING = "marketing"  # needs consent, obeys holds


class Trigger(models.TextChoices):
    """What starts a message."""

    VALUE = "value", _("when the purchase has shown its value")
    SILENCE = "silence", _("when a question stays unanswered")
    ORDER = "order", _("a purchase")
    DELIVERED = "delivered", _("a delivery")
    FIRST_ORDER = "first_order", _("the first purchase")
    NTH_ORDER = "nth_order", _("the how-manieth purchase")
    EVENT = "event", _("an event your systems report")
    SCORE = "score", _("an answer with a score")
    SOLVED = "solved", _("a solved case")
    REFERRAL = "referral", _("a step of a friend")
    REWARD = "reward", _("a step of a reward")
    BIRTHDAY = "birthday", _("the birthday")
    ANNIVERSARY = "anniversary", _("the anniversary of the first purchase")
    AWAY = "away", _("no purchase for a while")
    PERIOD = "period", _("every so often")
    MANUAL = "manual", _("when you press send")


class Kind(models.TextChoices):
    """What a message is about."""

    SURVEY = "survey", _("How was it?")
    SURVEY_REMINDER = "survey_reminder", _("How was it? (reminder)")
    PERIODIC = "periodic", _("How are we doing?")
    FOLLOW_UP = "follow_up", _("Did we put it right?")
    SORRY = "sorry", _("We are sorry")
    TESTIMONIAL = "testimonial", _("May we show your words?")
    ASK = "ask", _("Put in a good word")
    SHARE_REMINDER = "share_reminder", _("Put in a good word (reminder)")
    REASK = "reask", _("Put in a good word again")
    FRIEND_CLAIMED = "friend_claimed", _("Your friend took the gift")
    FRIEND_BOUGHT = "friend_bought", _("Your friend has bought")
    FRIEND_APPROVED = "friend_approved", _("Your friend counts")
    REWARD = "reward", _("Your reward is ready")
    REWARD_EXPIRING = "reward_expiring", _("Your reward ends soon")
    REWARD_VOIDED = "reward_voided", _("Your reward was taken back")
    TIER_REACHED = "tier_reached", _("You reached a new level")
    TIER_NEAR = "tier_near", _("Your next level is near")
    GIFT = "gift", _("Your gift")  # to the friend, right after the claim
    GIFT_EXPIRING = "gift_expiring", _("Your gift ends soon")
    BROUGHT_HERE = "brought_here", _("A friend brought you here")
    BIRTHDAY = "birthday", _("Happy birthday")
    WELCOME_BACK = "welcome_back", _("We miss you")
    CONGRATULATIONS = "congratulations", _("Congratulations")
    OWN = "own", _("A message of your own")

    @property
    def spec(self) -> Spec:
        """What is fixed for this kind."""
        return SPECS[self]

    @property
    def is_marketing(self) -> bool:
        """Needs consent, obeys holds."""
        return self.spec.purpose is Purpose.MARKETING

    @property
    def obeys_holds(self) -> bool:
        """Asks for something: who waits for help is spared it, be it advertising or a question."""
        return self.is_marketing or self.spec.action is Action.SCORES or self is Kind.TESTIMONIAL

    @property
    def is_transactional(self) -> bool:
        """Answers something the person just did; needs no unsubscribe header."""
        return self.spec.purpose is Purpose.TRANSACTIONAL

    @property
    def counts_for_cooldown(self) -> bool:
        """Keeps other questions away from the person for a while."""
        return self.spec.rests


class Action(StrEnum):
    """What the message offers to do, under its words."""

    NONE = ""
    SCORES = "scores"  # the row of scores
    SHARE = "share"  # a button to the share page, and the code
    BUTTON = "button"  # one button to `links.action`
    CODE = "code"  # a voucher's code, and the button


@dataclass(frozen=True)
class Spec:
    """The fixed part and the defaults of a kind.

    `wait` counts from the trigger; later than `fresh` after its due time it is harm, not news.
    `fields` may stand in its words, besides those of every kind (`outreach.fields`).
    """

    purpose: Purpose
    trigger: Trigger
    action: Action
    is_on: bool = True
    wait: timedelta = timedelta(0)
    fresh: timedelta = timedelta(days=30)
    ways: tuple[Way, ...] = (Way.EMAIL, Way.SMS)
    rests: bool = False
    fields: tuple[str, ...] = ()


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SHARE = ("code", "friend_gets", "you_get")
_SERVICE, _MARKETING = Purpose.SERVICE, Purpose.MARKETING

SPECS: dict[Kind, Spec] = {
    Kind.SURVEY: Spec(_SERVICE, Trigger.VALUE, Action.SCORES, rests=True, fields=("product",)),
    Kind.SURVEY_REMINDER: Spec(
        _SERVICE, Trigger.SILENCE, Action.SCORES, is_on=False, wait=4 * _DAY, fresh=7 * _DAY, fields=("product",)
    ),
    Kind.PERIODIC: Spec(_MARKETING, Trigger.PERIOD, Action.SCORES, is_on=False, rests=True),
    Kind.FOLLOW_UP: Spec(_SERVICE, Trigger.SOLVED, Action.SCORES, wait=5 * _DAY, fields=("product",)),
    Kind.SORRY: Spec(_SERVICE, Trigger.SCORE, Action.NONE, fresh=2 * _DAY, fields=("product", "promise")),
    Kind.TESTIMONIAL: Spec(_SERVICE, Trigger.SCORE, Action.BUTTON, is_on=False, wait=2 * _DAY, fields=("words",)),
    Kind.ASK: Spec(_MARKETING, Trigger.SILENCE, Action.SHARE, rests=True, fields=("product", *_SHARE)),
    Kind.SHARE_REMINDER: Spec(_MARKETING, Trigger.SILENCE, Action.SHARE, is_on=False, wait=7 * _DAY, fields=_SHARE),
    Kind.REASK: Spec(_MARKETING, Trigger.AWAY, Action.SHARE, is_on=False, wait=180 * _DAY, rests=True, fields=_SHARE),
    Kind.FRIEND_CLAIMED: Spec(
        _SERVICE, Trigger.REFERRAL, Action.BUTTON, fresh=2 * _DAY, ways=(Way.EMAIL,), fields=("friend", "you_get")
    ),
    Kind.FRIEND_BOUGHT: Spec(
        _SERVICE, Trigger.REFERRAL, Action.BUTTON, fresh=7 * _DAY, fields=("friend", "you_get", "counts_on")
    ),
    Kind.FRIEND_APPROVED: Spec(_SERVICE, Trigger.REFERRAL, Action.BUTTON, fields=("friend", "friends")),
    Kind.REWARD: Spec(
        _SERVICE,
        Trigger.REWARD,
        Action.CODE,
        fields=("friend", "gift", "code", "until", "settled", "contest", "place"),
    ),
    Kind.REWARD_EXPIRING: Spec(
        _MARKETING, Trigger.REWARD, Action.CODE, wait=7 * _DAY, fresh=6 * _DAY, fields=("gift", "code", "until")
    ),
    Kind.REWARD_VOIDED: Spec(_SERVICE, Trigger.REWARD, Action.BUTTON, fields=("gift", "left", "why")),
    Kind.TIER_REACHED: Spec(_SERVICE, Trigger.REFERRAL, Action.BUTTON, fields=("tier", "friends", "you_get")),
    Kind.TIER_NEAR: Spec(
        _MARKETING, Trigger.REFERRAL, Action.SHARE, is_on=False, wait=_DAY, fields=("tier", "missing", *_SHARE)
    ),
    Kind.GIFT: Spec(Purpose.TRANSACTIONAL, Trigger.REFERRAL, Action.CODE, fields=("friend", "gift", "code", "until")),
    Kind.GIFT_EXPIRING: Spec(
        _MARKETING,
        Trigger.REWARD,
        Action.CODE,
        wait=7 * _DAY,
        fresh=6 * _DAY,
        fields=("friend", "gift", "code", "until"),
    ),
    Kind.BROUGHT_HERE: Spec(
        _MARKETING, Trigger.DELIVERED, Action.SHARE, is_on=False, wait=21 * _DAY, rests=True, fields=("friend", *_SHARE)
    ),
    Kind.BIRTHDAY: Spec(_MARKETING, Trigger.BIRTHDAY, Action.NONE, is_on=False, wait=9 * _HOUR, fresh=15 * _HOUR),
    Kind.WELCOME_BACK: Spec(_MARKETING, Trigger.AWAY, Action.NONE, is_on=False, wait=120 * _DAY),
    Kind.CONGRATULATIONS: Spec(
        _MARKETING, Trigger.NTH_ORDER, Action.SHARE, is_on=False, wait=_DAY, fields=("orders", *_SHARE)
    ),
    Kind.OWN: Spec(_MARKETING, Trigger.MANUAL, Action.SHARE, is_on=False, rests=True, fields=("product", *_SHARE)),
}
