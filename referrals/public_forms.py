"""What customers and friends type: taking the gift, and the forms of an advocate's own page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.services import Person
from rewards import addresses

PRIVATE = {"autocomplete": "off"}  # it is about somebody else


class ClaimForm(forms.Form):
    """Name, and phone or e-mail in one field: whichever the friend has at hand."""

    name = forms.CharField(
        label=_("Your first name (optional)"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    contact = forms.CharField(
        label=_("Your phone or e-mail"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": _("Write your phone number or your e-mail, so that the gift is yours.")},
    )

    def __init__(self, *args: Any, country: str = "", **kwargs: Any) -> None:
        """`country` reads phone numbers written without +."""
        super().__init__(*args, **kwargs)
        self.country = country
        self.kind = ""

    def clean_contact(self) -> str:
        """What was typed, once it can be read as one or the other (`kind`)."""
        typed = str(self.cleaned_data["contact"])
        self.kind = "email" if "@" in typed or "＠" in typed else "phone"
        try:
            if self.kind == "email":
                return rules.normal_email(typed.replace("＠", "@"))
            return rules.normal_phone(typed, self.country)
        except rules.BadEmail as error:
            raise forms.ValidationError(
                _("This does not look like an e-mail address. It should be like name@example.com.")
            ) from error
        except rules.BadPhone as error:
            raise forms.ValidationError(
                _("This does not look like a phone number or an e-mail. Try the number with + and the country code.")
            ) from error

    def person(self, locale: str) -> Person:
        """Who takes the gift, speaking `locale`."""
        return Person(name=self.cleaned_data["name"], locale=locale, **{self.kind: self.cleaned_data["contact"]})


class PayoutForm(forms.Form):
    """Where somebody wants their cash; each way says what its number looks like."""

    method = forms.ChoiceField(label=_("How do you want it?"), widget=forms.RadioSelect)
    number = forms.CharField(
        label=_("The number of the account, card or wallet, or the e-mail of PayPal"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": _("Write the number the money is to go to.")},
    )
    holder = forms.CharField(
        label=_("Whose account it is, as the bank writes it"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Write the name of the account's owner: banks send money back without it.")},
    )
    bank = forms.CharField(label=_("Bank (not needed for an IBAN, a card or a wallet)"), max_length=80, required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        """`currency` is the store's: it says which ways there are."""
        super().__init__(*args, **kwargs)
        self.currency = currency
        ways = addresses.methods_for(currency)
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(way.value, way.label) for way in ways]
        field.error_messages["required"] = _("Choose one of them.")

    def clean(self) -> dict[str, Any]:
        """The number as it is kept; an account that is no IBAN names its bank."""
        data: dict[str, Any] = super().clean() or {}
        if "method" not in data or "number" not in data:
            return data
        method = addresses.Method(data["method"])
        try:
            data["number"] = addresses.normal_number(method, data["number"], currency=self.currency)
        except addresses.BadNumber as error:
            self.add_error("number", str(error))
        else:
            if method == addresses.Method.BANK and not addresses.is_iban(data["number"]) and not data.get("bank"):
                self.add_error("bank", _("Write which bank it is."))
        return data


class MissingForm(forms.Form):
    """A friend who should be there: whatever the customer knows of them."""

    friend_name = forms.CharField(
        label=_("Your friend's name"), max_length=120, required=False, widget=forms.TextInput(attrs=PRIVATE)
    )
    friend_contact = forms.CharField(
        label=_("Their phone or e-mail, if they agree"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={**PRIVATE, "inputmode": "email", "autocapitalize": "none"}),
    )
    order_number = forms.CharField(
        label=_("The number on their order or receipt"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs=PRIVATE),
    )
    words = forms.CharField(
        label=_("Anything else that helps to find them"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        """Something to look for them by is needed."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(data.get(name) for name in ("friend_name", "friend_contact", "order_number")):
            raise forms.ValidationError(_("Write at least one of them: the name, the phone or e-mail, or the number."))
        return data


class AppealForm(forms.Form):
    """What speaks against a decision."""

    words = forms.CharField(
        label=_("Why should it count?"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write a sentence or two: a person reads it.")},
    )


class PreferencesForm(forms.Form):
    """What others may see; off until the customer turns it on."""

    found_by_name = forms.BooleanField(
        label=_("Friends may find me by my name: whoever forgot my code can say my name in the shop."), required=False
    )
    on_leaderboard = forms.BooleanField(
        label=_("In contests others may read my first name and the first letter of my last name."), required=False
    )
