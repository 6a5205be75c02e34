"""How a customer is told to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from checkout.api.fields import LanguageField, StrictSerializer, TextField, YesNoField, bad_field
from customers.rules import BadEmail, BadPhone
from customers.services import Person

BAD_EMAIL = "This is not an e-mail address."
BAD_PHONE = "This is not a phone number we can read; send it with + and the country code."


class ConsentIn(StrictSerializer):
    """Whether the person agreed to marketing on a channel; left out: nothing was said."""

    email = YesNoField(required=False)
    sms = YesNoField(required=False)


class CustomerIn(StrictSerializer):
    """Who somebody is: an e-mail, a phone or the shop's own id, at least."""

    external_id = TextField(required=False, allow_blank=True, max_length=120)
    name = TextField(required=False, allow_blank=True, max_length=200)
    email = TextField(required=False, allow_blank=True, max_length=254)
    phone = TextField(required=False, allow_blank=True, max_length=40)
    locale = LanguageField(required=False, allow_blank=True, max_length=20)
    address = TextField(required=False, allow_blank=True, max_length=300, help_text="Where they live, in lines.")
    consent = ConsentIn(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Somebody must be meant."""
        if not any(attrs.get(name) for name in ("external_id", "email", "phone")):
            raise serializers.ValidationError("Send an e-mail, a phone or an external_id.")
        return attrs


def as_person(values: dict[str, Any] | None) -> Person | None:
    """The validated values as the services take them."""
    return Person(**{**values, "consent": dict(values.get("consent", {}))}) if values else None


@contextmanager
def address_errors() -> Iterator[None]:
    """Turn an unreadable e-mail or phone into a 400 about its field."""
    try:
        yield
    except BadEmail as error:
        raise bad_field("customer.email", BAD_EMAIL) from error
    except BadPhone as error:
        raise bad_field("customer.phone", BAD_PHONE) from error
