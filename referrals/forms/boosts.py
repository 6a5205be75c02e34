"""A boost, as it is typed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from referrals.forms.fields import MomentField, moment_input, moment_widget, whole
from referrals.services.boosts import BoostData


class BoostForm(forms.Form):
    """When rewards are worth more, and how much more."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    percent = whole(
        gettext_lazy("Percent of the usual reward"), 101, 1000, help_text=gettext_lazy("200 gives twice the reward.")
    )
    starts = MomentField(label=gettext_lazy("From"), required=True)
    ends = MomentField(label=gettext_lazy("Until"), required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts", "ends"):
            self.fields[name].widget = moment_widget()

    def clean(self) -> dict[str, Any]:
        """The values; the end comes after the start."""
        values = super().clean() or self.cleaned_data
        if values.get("starts") and values.get("ends") and values["ends"] <= values["starts"]:
            self.add_error("ends", _("The end must be after the start."))
        return values

    @property
    def boost_data(self) -> BoostData:
        """The boost of a valid form."""
        values = self.cleaned_data
        return BoostData(values["name"], values["percent"], values["starts"], values["ends"])


def boost_initial(starts: datetime, ends: datetime) -> dict[str, str]:
    """A form to begin with: twice the reward in that time."""
    return {"percent": "200", "starts": moment_input(starts), "ends": moment_input(ends)}
