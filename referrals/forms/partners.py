"""What an owner types to ask another store."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from referrals.forms.fields import whole
from referrals.services.partners import Deal

ALWAYS = "always"
MONTHS = [
    ("0", gettext_lazy("their first purchase")),
    ("3", gettext_lazy("all purchases of 3 months")),
    ("6", gettext_lazy("all purchases of 6 months")),
    ("12", gettext_lazy("all purchases of a year")),
    ("24", gettext_lazy("all purchases of 2 years")),
    (ALWAYS, gettext_lazy("all purchases, for ever")),
]


class PartnerForm(forms.Form):
    """Which store, and what each pays the other."""

    slug = forms.CharField(
        label=gettext_lazy("The other store's address on this server"),
        max_length=200,
        help_text=gettext_lazy("They find it on their own Partners page and tell you."),
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "dir": "ltr"}
        ),
        error_messages={"required": gettext_lazy("Write the address of the store, for example rosewater-cafe.")},
    )
    percent = whole(gettext_lazy("Commission (percent)"), 1, 50, initial=10)
    months = forms.ChoiceField(label=gettext_lazy("On"), choices=MONTHS, initial="0")

    def clean_slug(self) -> str:
        """The address alone, also where its whole link was pasted."""
        typed: str = self.cleaned_data["slug"]
        return typed.strip().rstrip("/").rsplit("/", 1)[-1].lower()

    @property
    def deal(self) -> Deal:
        """What was typed; for a valid form."""
        months = self.cleaned_data["months"]
        return Deal(self.cleaned_data["percent"], None if months == ALWAYS else int(months))

    def refuse(self, reason: str) -> None:
        """Say why the offer could not be made: `missing`, `own`, `there` or `many`."""
        words = {
            "missing": _("No store here has this address, or its program does not run. Ask them to read it to you."),
            "own": _("That is your own address. Write the other store's."),
            "there": _("There is an offer or an agreement between you already: look at the list below."),
            "many": _("You have asked many stores today. Go on tomorrow."),
        }
        self.add_error("slug", words[reason])
