"""What a question says: a survey's own words in the reader's language, else ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from stores.models import Store
from surveys.models import Invitation, Question, Survey
from surveys.rules import Group


def asked_by(invitation: Invitation, store: Store) -> str:
    """The question of an invitation, in the active language."""
    return question_text(store, invitation.survey, product=invitation.product_name, follow_up=invitation.is_follow_up)


def question_text(store: Store, survey: Survey | None = None, *, product: str = "", follow_up: bool = False) -> str:
    """The question, in the active language."""
    own = str(_own(survey).get("question") or "")
    if own:
        return own
    facts = {"store": store.name, "product": product}
    if survey and survey.question == Question.CSAT:
        if survey.occasion == Survey.Occasion.COUNTER:
            return _("How satisfied are you with your visit to %(store)s?") % facts
        if survey.occasion == Survey.Occasion.PRODUCT and product:
            return _("How satisfied are you with what you bought: %(product)s?") % facts
        return _("How satisfied are you with %(store)s?") % facts
    if follow_up:
        return _("After what we did about it: how likely are you now to recommend %(store)s to a friend?") % facts
    return _("How likely are you to recommend %(store)s to a friend?") % facts


def more_texts(survey: Survey | None = None) -> dict[str, str]:
    """What is asked after the score, by `Group`; "any" while none is chosen. In the active language."""
    ours = {
        "any": _("What is the main reason for your answer? (optional)"),
        Group.PROMOTER.value: _("What did you like most? (optional)"),
        Group.PASSIVE.value: _("What would have made it better? (optional)"),
        Group.DETRACTOR.value: _("What went wrong, and what can we do about it? (optional)"),
    }
    own = _own(survey).get("more") or {}
    return {group: str(own.get(group) or text) for group, text in ours.items()}


def _own(survey: Survey | None) -> dict[str, Any]:
    words = survey.wording.get(get_language() or "en") if survey else None
    return words if isinstance(words, dict) else {}


@dataclass(frozen=True)
class Face:
    """One of the five answers about satisfaction; `mouth` is how far its corners go up, -3 to 3."""

    score: int
    word: str
    mouth: int


def faces() -> list[Face]:
    """From very unhappy to very happy, in the active language."""
    words = [_("Very unhappy"), _("Unhappy"), _("In between"), _("Happy"), _("Very happy")]
    return [
        Face(place + 1, word, mouth) for place, (word, mouth) in enumerate(zip(words, (-3, -2, 0, 2, 3), strict=True))
    ]
