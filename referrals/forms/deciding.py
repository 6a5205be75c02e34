"""Why a referral does not count, as a person says it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from referrals.models import Referral

# What counts as a reason a person may give; the others are the engine's.
REASONS = [
    Referral.Reason.STAFF,
    Referral.Reason.KNOWN_CUSTOMER,
    Referral.Reason.OWN_CODE,
    Referral.Reason.REFUNDED,
    Referral.Reason.CANCELLED,
]


class ReasonForm(forms.Form):
    """Why referrals are not to count."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why do they not count?"),
        choices=[(reason.value, reason.label) for reason in REASONS],
        error_messages={"required": gettext_lazy("Choose a reason: it is kept, and shown to the team.")},
    )
