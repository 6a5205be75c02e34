"""What owners and cashiers type about the counter itself: limits without internet, PINs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from checkout.models import CounterSettings
from stores.l10n import fold_digits, local_digits, money_input, parse_money
from stores.models import Store

NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits
MONEY = {"inputmode": "decimal", "autocomplete": "off"}
MOST_HELD = 500


class OfflineForm(forms.Form):
    """How far a device may go without internet; a store's CounterSettings."""

    works_offline = forms.BooleanField(label=gettext_lazy("Codes may be redeemed without internet"), required=False)
    most_held = forms.CharField(
        label=gettext_lazy("Codes that one device may hold, at most"),
        max_length=10,
        widget=forms.TextInput(attrs=NUMERIC),
        help_text=gettext_lazy("Then it must be online before it can take more."),
    )
    most_minor = forms.CharField(
        label=gettext_lazy("What they may take off together, at most"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs=MONEY),
        help_text=gettext_lazy(
            "Two devices without internet cannot know of each other: this is the most that one of them can give"
            " away in error. Empty: no limit."
        ),
    )

    def __init__(self, *args: Any, store: Store, settings: CounterSettings, **kwargs: Any) -> None:
        """`settings` is what holds now."""
        self.store = store
        minor = settings.most_minor
        kwargs["initial"] = {
            "works_offline": settings.works_offline,
            "most_held": local_digits(str(settings.most_held), get_language() or "en"),
            "most_minor": "" if minor is None else money_input(minor, store.currency, toman=store.toman),
        }
        super().__init__(*args, **kwargs)

    def clean_most_held(self) -> int:
        """From 1 to 500."""
        text = fold_digits(self.cleaned_data["most_held"]).strip()
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_HELD):
            raise forms.ValidationError(_("Write a whole number from 1 to 500."))
        return int(text)

    def clean_most_minor(self) -> int | None:
        """In minor units; None for no limit."""
        typed = self.cleaned_data["most_minor"].strip()
        if not typed:
            return None
        try:
            return parse_money(typed, self.store.currency, toman=self.store.toman)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
