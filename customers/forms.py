"""What staff write down about a person, and the tags they put on people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from customers import birthdays, particulars, tagging
from customers.models import Channel, Customer
from stores import choices
from stores.l10n import local_digits


class ParticularsForm(forms.Form):
    """Birthday by the calendar of the language, time zone, postal address."""

    birth_day = forms.TypedChoiceField(label=gettext_lazy("Day"), coerce=int, empty_value=None, required=False)
    birth_month = forms.TypedChoiceField(label=gettext_lazy("Month"), coerce=int, empty_value=None, required=False)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        help_text=gettext_lazy("Where they live, if it is not where the store is: nobody is texted at night."),
    )
    postal_address = forms.CharField(
        label=gettext_lazy("Postal address"),
        required=False,
        max_length=particulars.LONGEST_ADDRESS,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=gettext_lazy("For a note written by hand."),
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        """`customer` gives what stands there now."""
        month, day = customer.birth_month, customer.birth_day
        shown = birthdays.shown(month, day) if month and day else ("", "")
        initial = {
            "birth_month": shown[0],
            "birth_day": shown[1],
            "time_zone": customer.time_zone,
            "postal_address": customer.postal_address,
        }
        super().__init__(*args, **{"initial": initial, **kwargs})
        language = get_language() or "en"
        days = [("", "–"), *((str(one), local_digits(str(one), language)) for one in range(1, 32))]
        months = [("", "–"), *((str(place), name) for place, name in enumerate(birthdays.month_names(), start=1))]
        zones = [("", _("As the store’s")), *choices.time_zones()]
        if customer.time_zone and customer.time_zone not in dict(zones):  # an old name that still stands for a place
            zones.insert(1, (customer.time_zone, customer.time_zone))
        choices.fill(self, birth_day=days, birth_month=months, time_zone=zones)

    def clean(self) -> dict[str, Any]:
        """The values, with `birthday` as it is kept."""
        values = super().clean() or self.cleaned_data
        month, day = values.get("birth_month"), values.get("birth_day")
        if bool(month) != bool(day):
            self.add_error("birth_day" if month else "birth_month", _("Choose both, day and month, or neither."))
        elif month and day:
            try:
                values["birthday"] = birthdays.typed(month, day)
            except ValueError:
                self.add_error("birth_day", _("This month has no such day."))
        return values

    @property
    def facts(self) -> dict[str, Any]:
        """What `particulars.change` takes, of a valid form."""
        values = self.cleaned_data
        return {
            "birthday": values.get("birthday"),
            "time_zone": values["time_zone"],
            "postal_address": values["postal_address"],
        }


class TagForm(forms.Form):
    """A tag to be put on or taken off."""

    tag = forms.CharField(
        label=gettext_lazy("Tag"),
        max_length=200,  # what is too long for a tag is said in words, not cut
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "tags"}),
    )

    def clean_tag(self) -> str:
        """The tag as it is kept."""
        try:
            return tagging.folded_tag(self.cleaned_data["tag"])
        except tagging.BadTag as error:
            raise forms.ValidationError(str(error)) from error


class ConsentForm(forms.Form):
    """What a customer told the staff about messages."""

    channel = forms.ChoiceField(choices=Channel.choices)
    granted = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    said = forms.CharField(max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        """A yes has to be provable: where and how they said it."""
        values = super().clean() or self.cleaned_data
        if values.get("granted") == "yes" and not values.get("said", "").strip():
            self.add_error("said", _("Write where and how they agreed, for example: on the phone, 20 November."))
        return values
