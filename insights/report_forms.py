"""What a report asks its reader."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from stores.l10n import fold_digits


class MarginForm(forms.Form):
    """What is left of a sale, typed by the owner; it stands in the address and is kept nowhere."""

    margin = forms.CharField(
        label=_("Your margin, in percent of a sale"),
        max_length=6,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("What is left of a sale after the goods are paid for."),
    )

    def clean_margin(self) -> int | None:
        """A whole number of percent, in any digits; None for an empty field."""
        typed = fold_digits(self.cleaned_data["margin"]).strip().removesuffix("%").removesuffix("٪").strip()
        if not typed:
            return None
        if not typed.isdigit() or not 1 <= int(typed) <= 100:
            raise forms.ValidationError(_("Write a whole number from 1 to 100."))
        return int(typed)
