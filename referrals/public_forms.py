"""A friend takes the gift."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.services import Person


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
