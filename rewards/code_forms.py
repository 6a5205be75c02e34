"""What owners type about codes in numbers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rewards.models import Offer
from rewards.services.pools import Conditions
from stores.l10n import fold_digits, parse_money
from stores.models import Location, Store

MONEY = {"inputmode": "decimal", "autocomplete": "off"}
NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits
MOST = 100_000
LARGEST_FILE = 5_000_000  # bytes; 100,000 codes of 40 characters


class CodesForm(forms.Form):
    """Codes to be made, or brought in: one a line, typed or in a file."""

    name = forms.CharField(label=gettext_lazy("Name, for you"), max_length=120)
    kind = forms.ChoiceField(
        label=gettext_lazy("Each gives"),
        choices=[(kind.value, kind.label) for kind in (Offer.Kind.PERCENT_OFF, Offer.Kind.FIXED_OFF)],
    )
    value = forms.CharField(label=gettext_lazy("How much"), max_length=40, widget=forms.TextInput(attrs=MONEY))
    minimum = forms.CharField(
        label=gettext_lazy("Smallest bill"), max_length=40, required=False, widget=forms.TextInput(attrs=MONEY)
    )
    valid_days = forms.CharField(
        label=gettext_lazy("Days valid"), max_length=6, initial="90", widget=forms.TextInput(attrs=NUMERIC)
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Where the codes come from"),
        choices=[
            ("ours", gettext_lazy("Make new ones")),
            ("shop", gettext_lazy("They come from my shop's own system")),
        ],
        initial="ours",
        widget=forms.RadioSelect,
    )
    number = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=10,
        required=False,
        initial="100",
        widget=forms.TextInput(attrs=NUMERIC),
    )
    lines = forms.CharField(
        label=gettext_lazy("The codes, one a line"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "ltr", "spellcheck": "false", "autocapitalize": "none"}),
    )
    file = forms.FileField(label=gettext_lazy("or a text file"), required=False)
    give_out = forms.BooleanField(
        label=gettext_lazy("Give them out: each reward worth the same takes the next one"), required=False
    )
    uses = forms.CharField(
        label=gettext_lazy("Times each may be used"),
        max_length=6,
        initial="1",
        widget=forms.TextInput(attrs=NUMERIC),
        help_text=gettext_lazy("0 is as often as one likes."),
    )
    location = forms.ModelChoiceField(
        label=gettext_lazy("Good at"), queryset=Location.objects.none(), required=False, empty_label=None
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        places = self.fields["location"]
        assert isinstance(places, forms.ModelChoiceField)
        places.queryset = Location.objects.for_store(store).order_by("name")
        places.empty_label = _("every location")

    def clean_minimum(self) -> int:
        """In minor units; 0 for none."""
        typed = self.cleaned_data["minimum"].strip()
        return self._minor(typed) if typed else 0

    def clean_valid_days(self) -> int:
        """From 1 to 3,650."""
        return self._whole("valid_days", 1, 3650)

    def clean_uses(self) -> int:
        """From 0 to 100,000."""
        return self._whole("uses", 0, MOST)

    def clean_file(self) -> list[str]:
        """The lines of the file."""
        file = self.cleaned_data["file"]
        if not file:
            return []
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(_("The file is too big. Bring in at most 100,000 codes at once."))
        try:
            return file.read().decode("utf-8-sig").splitlines()  # type: ignore[no-any-return]
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("This is no text file. Save the codes as plain text, one a line.")) from error

    def clean(self) -> dict[str, Any]:
        """The values with the offer's worth, and the codes or their number."""
        values = super().clean() or self.cleaned_data
        for field, read in (("value", self._worth), ("number", self._amount)):
            try:
                values.update(read(values))
            except forms.ValidationError as error:
                self.add_error(field, error)
        return values

    def _worth(self, values: dict[str, Any]) -> dict[str, Any]:
        typed = values.get("value", "")
        if values.get("kind") != Offer.Kind.PERCENT_OFF:
            amount = self._minor(typed)
            if amount <= 0:
                raise forms.ValidationError(_("Write an amount above zero."))
            return {"percent": None, "amount_minor": amount}
        text = fold_digits(typed).strip().strip("%٪").strip()
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 100):
            raise forms.ValidationError(_("Write a whole percentage from 1 to 100."))
        return {"percent": int(text), "amount_minor": None}

    def _amount(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("source") == "ours":
            return {"number": self._whole("number", 1, MOST), "codes": []}
        codes = [*values.get("lines", "").splitlines(), *values.get("file", [])]
        if not any(line.strip() for line in codes):
            self.add_error("lines", _("Write the codes here, one a line, or choose a file."))
        return {"number": 0, "codes": codes}

    def _whole(self, name: str, lowest: int, highest: int) -> int:
        text = fold_digits(self.cleaned_data.get(name, "")).strip()
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            words = {"lowest": lowest, "highest": highest}
            raise forms.ValidationError(_("Write a whole number from %(lowest)s to %(highest)s.") % words)
        return int(text)

    def _minor(self, typed: str) -> int:
        try:
            return parse_money(typed, self.store.currency, toman=self.store.toman)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def offer(self) -> Offer:
        """What each code of a valid form gives, not yet stored."""
        values = self.cleaned_data
        return Offer(
            store=self.store,
            kind=values["kind"],
            percent=values["percent"],
            amount_minor=values["amount_minor"],
            currency=self.store.currency,
            minimum_minor=values["minimum"],
            valid_days=values["valid_days"],
            location=values["location"],
        )

    @property
    def conditions(self) -> Conditions:
        """What the codes of a valid form have in common."""
        return Conditions(uses=self.cleaned_data["uses"], location=self.cleaned_data["location"])
