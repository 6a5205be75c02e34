"""What staff write about unhappy customers, and when products show their value."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores.l10n import fold_digits

NOTE_LENGTH = 4000
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


def days_from(typed: str) -> int | None:
    """Days as typed, None for nothing. Raises ValidationError with words that say how to mend it."""
    text = fold_digits(typed).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= LONGEST):
        raise ValidationError(_("Write whole days from 0 to 365, or leave it empty."))
    return int(text)
