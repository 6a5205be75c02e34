"""What owners type about rewards: why one is taken back, how cash is paid, how codes go together."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from rewards import spans
from rewards.models import RewardSettings
from stores.l10n import fold_digits, local_digits, money_input, parse_money
from stores.models import Store

MONEY = {"inputmode": "decimal", "autocomplete": "off"}
NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits


class WordsForm(forms.Form):
    """Why somebody decided so."""

    words = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Write in a few words why; it is kept with your name.")},
    )


class LimitsForm(forms.Form):
    """How cash is paid and how codes go together; a store's RewardSettings."""

    smallest_payout_minor = forms.CharField(
        label=gettext_lazy("Pay out from"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs=MONEY),
        help_text=gettext_lazy("Less than this waits until there is more. Empty: any amount."),
    )
    cash_limit_minor = forms.CharField(
        label=gettext_lazy("Cash to one person in a tax year, at most"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs=MONEY),
        help_text=gettext_lazy("What is above it waits for the next year. Empty: no limit."),
    )
    year_starts_month = forms.TypedChoiceField(
        label=gettext_lazy("The tax year starts with the first day of"), coerce=int
    )
    stacking = forms.ChoiceField(
        label=gettext_lazy("Codes on one bill"), choices=RewardSettings.Stacking.choices, widget=forms.RadioSelect
    )
    with_shop_discount = forms.BooleanField(
        label=gettext_lazy("Codes also hold on bills that have another discount of the shop"), required=False
    )
    choose_days = forms.CharField(
        label=gettext_lazy("Days to choose among rewards"),
        max_length=10,
        widget=forms.TextInput(attrs=NUMERIC),
        help_text=gettext_lazy("Who has not chosen by then gets the first of them."),
    )

    def __init__(self, *args: Any, store: Store, settings: RewardSettings, **kwargs: Any) -> None:
        """`settings` is what holds now."""
        self.store = store
        kwargs["initial"] = {
            "smallest_payout_minor": self._shown(settings.smallest_payout_minor or None),
            "cash_limit_minor": self._shown(settings.cash_limit_minor),
            "year_starts_month": settings.year_starts_month,
            "stacking": settings.stacking,
            "with_shop_discount": settings.with_shop_discount,
            "choose_days": local_digits(str(settings.choose_days), get_language() or "en"),
        }
        super().__init__(*args, **kwargs)
        names = spans.month_names(get_language() or "en", jalali=self.store.country in spans.JALALI_COUNTRIES)
        self.fields["year_starts_month"].choices = names  # type: ignore[attr-defined]

    def _shown(self, minor: int | None) -> str:
        return "" if minor is None else money_input(minor, self.store.currency, toman=self.store.toman)

    def clean_smallest_payout_minor(self) -> int:
        """In minor units; 0 for any amount."""
        return self._minor("smallest_payout_minor") or 0

    def clean_cash_limit_minor(self) -> int | None:
        """In minor units; None for no limit."""
        return self._minor("cash_limit_minor")

    def clean_choose_days(self) -> int:
        """From 1 to 365."""
        typed = fold_digits(self.cleaned_data["choose_days"]).strip()
        if not (typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= 365):
            raise forms.ValidationError(_("Write a whole number from 1 to 365."))
        return int(typed)

    def _minor(self, name: str) -> int | None:
        typed = self.cleaned_data[name].strip()
        if not typed:
            return None
        try:
            return parse_money(typed, self.store.currency, toman=self.store.toman)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
