"""What is typed at the counter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.rules import BadEmail, BadPhone, clean_name, normal_email, normal_phone
from customers.services import Person
from rewards.services.vouchers import Bill
from stores.l10n import parse_money
from stores.models import Store

MOST_MINOR = 10**13


def read_person(store: Store, typed: str) -> Person:
    """Who has this phone number or e-mail address; raises ValueError with a sentence for people."""
    try:
        if "@" in typed:
            normal_email(typed)
            return Person(email=typed)
        normal_phone(typed, store.country)
    except BadEmail as error:
        raise ValueError(_("This is not an e-mail address.")) from error
    except BadPhone as error:
        words = _("We cannot read this number. Type it with all its digits, or leave the field empty.")
        raise ValueError(words) from error
    return Person(phone=typed)


class NewCustomerForm(forms.Form):
    """A new customer in two fields."""

    name = forms.CharField(label=gettext_lazy("Their name"), max_length=120)
    who = forms.CharField(label=gettext_lazy("Phone or e-mail"), max_length=254)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_name(self) -> str:
        """Without control characters, and not empty."""
        name = clean_name(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(_("Write their name."))
        return name

    def clean_who(self) -> Person:
        """By phone or e-mail."""
        try:
            return read_person(self.store, self.cleaned_data["who"].strip())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def person(self) -> Person:
        """Who it is, in a valid form."""
        return replace(self.cleaned_data["who"], name=self.cleaned_data["name"])


class BillForm(forms.Form):
    """The bill before discount, and who pays, if they like to say."""

    amount = forms.CharField(label=gettext_lazy("Bill before discount"), max_length=40)
    friend = forms.CharField(label=gettext_lazy("Their phone or e-mail"), max_length=254, required=False)
    shown = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_amount(self) -> int:
        """Minor units; digits of any script, in the store's own way of counting."""
        try:
            minor = parse_money(self.cleaned_data["amount"], self.store.currency, toman=self.store.toman)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if minor > MOST_MINOR:
            raise forms.ValidationError(_("This amount is too big."))
        return minor

    def clean_friend(self) -> Person | None:
        """The person, when something was typed."""
        typed = self.cleaned_data["friend"].strip()
        try:
            return read_person(self.store, typed) if typed else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def bill(self) -> Bill:
        """The bill of a valid form."""
        return Bill(self.cleaned_data["amount"], self.store.currency)
