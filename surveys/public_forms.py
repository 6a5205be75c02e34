"""The one question: who was asked answers with a score and a word; who comes by may leave an address, too."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import rules as customer_rules
from customers.services import Person
from stores.codes import ALPHABET, PUBLIC_ID_LENGTH, public_id
from stores.l10n import fold_digits
from surveys import rules
from surveys.models import Question

COMMENT_LENGTH = 4000
NAME = re.compile(f"[{ALPHABET.lower()}]{{{PUBLIC_ID_LENGTH}}}")  # as `codes.public_id` makes them


def read_name(typed: str) -> str:
    """The name of an answer or a survey, '' for what cannot be one."""
    return typed if NAME.fullmatch(typed) else ""


def scores_for(question: Question) -> list[str]:
    """The scores there are, as forms and addresses write them."""
    return [str(score) for score in rules.scale(of_five=question is Question.CSAT)]


def read_score(typed: str, question: Question = Question.NPS) -> str:
    """The score as one of `scores_for`, whatever digits it was written in; '' for anything else."""
    text = fold_digits(typed).strip()
    return text if text in scores_for(question) else ""


class ScoreField(forms.TypedChoiceField):
    """A score in any digits; `question` says which there are."""

    question = Question.NPS

    def ask(self, question: Question) -> None:
        """Take the scores of that question."""
        self.question = question
        self.choices = [(score, score) for score in scores_for(question)]
        if question is Question.CSAT:
            self.label = _("From very unhappy to very happy")
            self.error_messages |= dict.fromkeys(("required", "invalid_choice"), _("Choose one of the five faces."))

    def to_python(self, value: Any) -> str:
        """Fold digits before the choice is checked."""
        text = super().to_python(value)
        return read_score(text, self.question) or text


class CommentField(forms.CharField):
    """Free text whose line ends count once, as the browser's own limit counts them."""

    def to_python(self, value: Any) -> str:
        """One character a line end."""
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class AnswerForm(forms.Form):
    """Score and comment. `homepage` is a trap: people never see it, form-filling programs fill it in."""

    score = ScoreField(
        label=gettext_lazy("From 0 to 10"),
        coerce=int,
        error_messages={
            "required": gettext_lazy("Choose a number from 0 to 10."),
            "invalid_choice": gettext_lazy("Choose a number from 0 to 10."),
        },
    )
    comment = CommentField(
        label=gettext_lazy("What is the main reason for your answer? (optional)"),
        required=False,
        max_length=COMMENT_LENGTH,
        error_messages={
            "max_length": gettext_lazy(
                "This is longer than %(limit_value)d characters (it has %(show_value)d). Please shorten it a little."
            )
        },
    )
    homepage = forms.CharField(required=False)

    def __init__(self, *args: Any, question: Question = Question.NPS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.question = question
        field = self.fields["score"]
        assert isinstance(field, ScoreField)
        field.ask(question)

    @property
    def is_trapped(self) -> bool:
        """Whether a program filled the form in."""
        return bool(self.cleaned_data.get("homepage"))

    @property
    def chosen(self) -> str:
        """The score to show as chosen, one of `scores_for` or ''."""
        value = self["score"].value()
        return read_score("" if value is None else str(value), self.question)


class WalkInForm(AnswerForm):
    """The same for people nobody invited: `contact` is a phone number or an e-mail, so that they can be answered.

    `name` is what the page calls this answer: it comes back when a button is pressed twice.
    """

    contact = forms.CharField(
        label=gettext_lazy("Your phone or e-mail, so that we can answer you (optional)"),
        required=False,
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    name = forms.CharField(required=False, max_length=80)

    def __init__(self, *args: Any, country: str = "", **kwargs: Any) -> None:
        """`country` reads phone numbers written without +."""
        super().__init__(*args, **kwargs)
        self.country = country
        self.kind = ""

    def clean_name(self) -> str:
        """The name the page gave; a new one for anything else."""
        return read_name(str(self.cleaned_data["name"])) or public_id()

    def clean_contact(self) -> str:
        """What was typed, once it can be read as one or the other (`kind`)."""
        typed = str(self.cleaned_data["contact"]).replace("＠", "@").strip()
        self.kind = "email" if "@" in typed else "phone"
        try:
            if self.kind == "email":
                return customer_rules.normal_email(typed)
            return customer_rules.normal_phone(typed, self.country)
        except customer_rules.BadEmail as error:
            raise forms.ValidationError(
                _("This does not look like an e-mail address. It should be like name@example.com.")
            ) from error
        except customer_rules.BadPhone as error:
            raise forms.ValidationError(
                _("This does not look like a phone number or an e-mail. Try the number with + and the country code.")
            ) from error

    def person(self, locale: str) -> Person | None:
        """Whom to answer, speaking `locale`; None for somebody who did not say."""
        contact = self.cleaned_data["contact"]
        return Person(locale=locale, **{self.kind: contact}) if contact else None
