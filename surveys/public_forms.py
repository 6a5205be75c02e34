"""The one question."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stores.l10n import fold_digits

COMMENT_LENGTH = 4000
SCORES = [str(score) for score in range(11)]


def read_score(typed: str) -> str:
    """The score as one of SCORES, whatever digits it was written in; '' for anything else."""
    text = fold_digits(typed).strip()
    return text if text in SCORES else ""


class ScoreField(forms.TypedChoiceField):
    """0 to 10, in any digits."""

    def to_python(self, value: Any) -> str:
        """Fold digits before the choice is checked."""
        text = super().to_python(value)
        return read_score(text) or text


class CommentField(forms.CharField):
    """Free text whose line ends count once, as the browser's own limit counts them."""

    def to_python(self, value: Any) -> str:
        """One character a line end."""
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class AnswerForm(forms.Form):
    """Score and comment. `homepage` is a trap: people never see it, form-filling programs fill it in."""

    score = ScoreField(
        label=_("From 0 to 10"),
        choices=[(score, score) for score in SCORES],
        coerce=int,
        error_messages={
            "required": _("Choose a number from 0 to 10."),
            "invalid_choice": _("Choose a number from 0 to 10."),
        },
    )
    comment = CommentField(
        label=_("What is the main reason for your answer? (optional)"),
        required=False,
        max_length=COMMENT_LENGTH,
        error_messages={
            "max_length": _(
                "This is longer than %(limit_value)d characters (it has %(show_value)d). Please shorten it a little."
            )
        },
    )
    homepage = forms.CharField(required=False)

    @property
    def is_trapped(self) -> bool:
        """Whether a program filled the form in."""
        return bool(self.cleaned_data.get("homepage"))

    @property
    def chosen(self) -> str:
        """The score to show as chosen, one of SCORES or ''."""
        return read_score(str(self["score"].value() if self["score"].value() is not None else ""))
