"""Customers as rows of a file."""

from __future__ import annotations

from django.utils.translation import gettext as _

from customers.models import Customer


def header() -> list[str]:
    """The titles over `cells`."""
    person = [_("Name"), _("E-mail"), _("Phone"), _("Your number")]
    return [*person, _("Agreed to mail"), _("Agreed to texts"), _("Code"), _("Known since")]


def cells(one: Customer) -> list[object]:
    """One customer; expects the share links prefetched."""
    yes, no = _("yes"), _("no")
    consents = [yes if one.email_consent else no, yes if one.sms_consent else no]
    return [one.name, one.email, one.phone, one.external_id, *consents, one.share_code, one.recorded_at]
