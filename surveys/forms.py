"""What staff write about unhappy customers, and when products show their value."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rewards.models import Offer
from rewards.services.apologies import KINDS
from stores.l10n import fold_digits, parse_money
from stores.models import Store
from surveys.models import RecoveryCase
from surveys.replies import problems_of

NOTE_LENGTH = 4000
MONEY = {"inputmode": "decimal", "autocomplete": "off"}  # type=number refuses Persian digits
LONGEST = 365  # days until a value shows


class NoteForm(forms.Form):
    """A note on a case; where the case is given up it must say why."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=NOTE_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": gettext_lazy("That is too long: keep it under 4,000 characters.")},
    )

    outcome = forms.ChoiceField(
        label=gettext_lazy("What was done"),
        choices=[("", gettext_lazy("Choose …")), *RecoveryCase.Outcome.choices],
        required=False,
    )

    def __init__(self, *args: Any, is_needed: str = "", **kwargs: Any) -> None:
        """`is_needed`: the words that ask for a note where there is none; '' when it may be empty."""
        super().__init__(*args, **kwargs)
        self.is_needed = is_needed

    def clean_note(self) -> str:
        """The note, trimmed."""
        note = str(self.cleaned_data["note"]).strip()
        if self.is_needed and not note:
            raise ValidationError(self.is_needed)
        return note


class LetterForm(forms.Form):
    """A letter to an unhappy person. `number` says after how many letters it was begun."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=200)
    body = forms.CharField(
        label=gettext_lazy("Letter"),
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 9, "dir": "auto"}),
        error_messages={"required": gettext_lazy("Write the letter first.")},
    )
    number = forms.IntegerField(min_value=0, max_value=10_000, widget=forms.HiddenInput)

    def clean_body(self) -> str:
        """The letter with one character a line end."""
        return str(self.cleaned_data["body"]).replace("\r\n", "\n").strip()


class GiftForm(forms.Form):
    """An apology voucher. `number` says after how many of this case it was begun."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What"), choices=[(kind.value, kind.label) for kind in KINDS], initial=KINDS[0]
    )
    amount = forms.CharField(
        label=gettext_lazy("How much"),
        max_length=40,
        widget=forms.TextInput(attrs=MONEY),
        error_messages={"required": gettext_lazy("Write an amount, for example 500.")},
    )
    number = forms.IntegerField(min_value=0, max_value=10_000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        """`store` says in which money the amount is typed."""
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_kind(self) -> Offer.Kind:
        """Store credit, or an amount off."""
        return Offer.Kind(self.cleaned_data["kind"])

    def clean_amount(self) -> int:
        """In minor units of the store's currency."""
        return money_from(self.store, self.cleaned_data["amount"])


def money_from(store: Store, typed: str) -> int:
    """An amount above zero, in minor units. Raises ValidationError with words that say how to mend it."""
    try:
        amount = parse_money(typed, store.currency, toman=store.toman)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    if amount <= 0:
        raise ValidationError(_("Write an amount above zero."))
    return amount


class ReplyForm(forms.Form):
    """A reply to start from; one that is emptied goes."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, required=False, widget=forms.TextInput)
    text = forms.CharField(
        label=gettext_lazy("Text"), max_length=NOTE_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["dir"] = "rtl" if language == "fa" else "ltr"

    def clean_text(self) -> str:
        """The text with one character a line end; what is wrong with its fields is said on the form."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n").strip()
        for problem in problems_of(text):
            self.add_error("text", problem)
        return text

    def clean(self) -> dict[str, Any]:
        """A name and a text, or neither."""
        values = super().clean() or self.cleaned_data
        name, text = values.get("name"), values.get("text")
        if text and not name and "name" not in self.errors:
            self.add_error("name", _("Give it a name, so that it can be found."))
        if name and not text and "text" not in self.errors:
            self.add_error("text", _("Write the text, or empty the name as well."))
        return values


class RepliesFormSet(forms.BaseFormSet):
    """The replies of one language; two may not have the same name."""

    def clean(self) -> None:
        """Names are unique."""
        seen: set[str] = set()
        for form in self.forms:
            name = str(getattr(form, "cleaned_data", {}).get("name") or "").strip()
            if name and name in seen:
                form.add_error("name", _("Another one has this name."))
            seen.add(name)

    @property
    def wanted(self) -> list[tuple[str, str]]:
        """(name, text) of each that is not empty."""
        values = [form.cleaned_data for form in self.forms]
        return [(one["name"], one["text"]) for one in values if one.get("name") and one.get("text")]


class CapForm(forms.Form):
    """The most one person may be given in apologies in a month."""

    cap = forms.CharField(
        label=gettext_lazy("Apology vouchers to one person in a calendar month, at most"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs=MONEY),
        help_text=gettext_lazy("Leave it empty for no limit."),
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        """`store` says in which money the amount is typed."""
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_cap(self) -> int | None:
        """In minor units; None for no limit, 0 for none at all."""
        typed = self.cleaned_data["cap"].strip()
        if not typed:
            return None
        return 0 if set(fold_digits(typed)) <= set("0.") else money_from(self.store, typed)


def days_from(typed: str) -> int | None:
    """Days as typed, None for nothing. Raises ValidationError with words that say how to mend it."""
    text = fold_digits(typed).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= LONGEST):
        raise ValidationError(_("Write whole days from 0 to 365, or leave it empty."))
    return int(text)
