"""A new store, and its money, as they are typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from babel.numbers import get_territory_currencies
from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores import choices, directory
from stores.codes import random_characters

REGION = re.compile(r"\b[a-z]{2,3}-([A-Z]{2})\b")  # "en-PH": where the browser's owner lives


class NewStoreForm(forms.Form):
    """A store to be opened. The address is suggested from the name."""

    name = forms.CharField(label=gettext_lazy("Name of your store"), max_length=120)
    slug = forms.CharField(
        label=gettext_lazy("Address on this server"),
        max_length=50,
        required=False,
        help_text=gettext_lazy("Letters a-z, digits and dashes. Leave it empty and we make one from the name."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    locale = forms.ChoiceField(label=gettext_lazy("Language of your customers"))
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("Reads phone numbers written without +."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices.fill(self, currency=choices.currencies(), timezone=choices.time_zones())
        choices.fill(self, locale=choices.languages(), country=choices.countries())

    def clean(self) -> dict[str, Any]:
        """The values, with a free address."""
        values = super().clean() or self.cleaned_data
        if "slug" in values:
            typed = values["slug"].strip().lower()
            if typed and slugify(typed) != typed:
                self.add_error("slug", _("Use the letters a to z, digits and dashes only, for example rosewater-cafe."))
            elif typed and directory.store_id_by_slug(typed):
                self.add_error("slug", _("That address is taken. Try another, for example with your town."))
            values["slug"] = typed or free_slug(values.get("name", ""))
        return values


def free_slug(name: str) -> str:
    """An address that nobody has, near the name; names without Latin letters get a random one."""
    base = slugify(name)[:40] or "shop"
    while base == "shop" or directory.store_id_by_slug(base):
        base = f"{(slugify(name)[:40] or 'shop')}-{random_characters(4).lower()}"
    return base


USUAL_PLACES = {"fa": ("IR", "Asia/Tehran"), "fil": ("PH", "Asia/Manila")}


def usual_facts(accepted: str, language: str) -> dict[str, str]:
    """What a new store's form begins with, by the browser's languages ("en-PH,en;q=0.9") and the page's."""
    region = REGION.search(accepted)
    country, zone = USUAL_PLACES.get(language, ("", "UTC"))
    country = region.group(1) if region else country
    zone = next((zone for place, zone in USUAL_PLACES.values() if place == country), "UTC")
    money = get_territory_currencies(country, tender=True) if country else []
    return {
        "locale": language,
        "timezone": zone,
        "country": country if country in dict(choices.countries()) else "",
        "currency": money[0] if money else "USD",
    }


def completed(typed: Mapping[str, str], usual: Mapping[str, str]) -> dict[str, str]:
    """What was typed, and the usual for the rest: for whoever skips the form."""
    facts = {"name": str(_("My shop")), "slug": "", **usual}
    return {name: typed.get(name, "").strip() or value for name, value in facts.items()}


class CurrencyForm(forms.Form):
    """The store's money, as long as nothing was sold."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    toman = forms.BooleanField(
        label=gettext_lazy("Show rial amounts in toman"),
        required=False,
        help_text=gettext_lazy("Only for the Iranian rial (IRR)."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices.fill(self, currency=choices.currencies())
