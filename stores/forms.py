"""What owners type about their store."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores import choices, rules
from stores.l10n import fold_digits
from stores.models import ApiKey, Role, Store

PLAIN_NUMBER = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits
PARTS = [
    (gettext_lazy("Your store"), ["name", "website", "phone", "postal_address", "brand_color"]),
    (gettext_lazy("Language and place"), ["locale", "timezone", "country", "toman"]),
    (gettext_lazy("When customers are asked"), ["time_to_value_days", "delivers", "late_after_days", "cooldown_days"]),
    (gettext_lazy("Who is asked to put in a good word"), ["silent_ask_days", "ask_passives"]),
    (gettext_lazy("Logging in"), ["owners_need_second_factor"]),
]


class SettingsForm(forms.ModelForm):
    """Everything about a store but its money (see referrals) and its people."""

    locale = forms.ChoiceField(label=gettext_lazy("language"))
    timezone = forms.ChoiceField(label=gettext_lazy("time zone"))
    country = forms.ChoiceField(
        label=gettext_lazy("country"),
        required=False,
        help_text=gettext_lazy("Reads phone numbers written without +."),
    )
    website = forms.URLField(label=gettext_lazy("web shop"), required=False, assume_scheme="https")

    class Meta:
        model = Store
        fields = [field for _title, fields in PARTS for field in fields]
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "brand_color": forms.TextInput(attrs={"type": "color"}),
            "postal_address": forms.Textarea(attrs={"rows": 2}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "time_to_value_days": forms.TextInput(attrs=PLAIN_NUMBER),
            "late_after_days": forms.TextInput(attrs=PLAIN_NUMBER),
            "cooldown_days": forms.TextInput(attrs=PLAIN_NUMBER),
            "silent_ask_days": forms.TextInput(attrs=PLAIN_NUMBER),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices.fill(self, locale=choices.languages(), timezone=choices.time_zones(), country=choices.countries())
        for field in ("late_after_days", "cooldown_days", "silent_ask_days"):
            self.fields[field].validators.append(MaxValueValidator(365))
        if self.instance.currency != "IRR":
            del self.fields["toman"]

    @property
    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under the headings of the page."""
        return [(str(title), [self[name] for name in names if name in self.fields]) for title, names in PARTS]

    def clean_brand_color(self) -> str:
        """A colour on which our white words can be read."""
        color = str(self.cleaned_data["brand_color"]).lower()
        if not rules.COLOR.fullmatch(color):
            raise forms.ValidationError(_("Write the colour as # and six digits, for example #0f766e."))
        if rules.contrast_with_white(color) < rules.READABLE:
            raise forms.ValidationError(
                _("White words cannot be read on this colour. Take a darker one, for example %(shade)s."),
                params={"shade": rules.readable_shade(color)},
            )
        return color

    def clean_phone(self) -> str:
        """The number as people are to see it."""
        typed = fold_digits(self.cleaned_data["phone"]).strip()
        if typed and not set(typed) <= set("0123456789+-()/. "):
            raise forms.ValidationError(_("Write the phone number in digits, for example +63 917 000 0001."))
        return typed


class PersonForm(forms.Form):
    """Somebody who is to work in the store."""

    email = forms.EmailField(label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.STAFF)


class KeyForm(forms.Form):
    """A key for the shop's developer or POS."""

    name = forms.CharField(
        label=gettext_lazy("What is it for?"),
        max_length=80,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("The till, the web shop")}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What may it do?"),
        choices=[(scope, scope) for scope in ApiKey.SCOPES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one thing the key may do.")},
    )
