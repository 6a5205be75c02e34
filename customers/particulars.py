"""What a store writes down about a person besides their orders: birthday, time zone, postal address."""

from __future__ import annotations

from zoneinfo import available_timezones

from customers import birthdays, rules
from customers.models import Customer

LONGEST_ADDRESS = 300


class BadParticular(ValueError):
    """A value that cannot be kept; its first argument names the field."""


def change(
    customer: Customer,
    *,
    birthday: birthdays.Birthday | None,
    time_zone: str,
    postal_address: str,
) -> bool:
    """Write these down in place of what stood there, None and '' for "not known"; True when something changed.

    `birthday` is a Gregorian month and day, `time_zone` a name of the IANA database. Raises BadParticular.
    """
    try:
        month, day = birthdays.checked(*birthday) if birthday else (None, None)
    except ValueError as error:
        raise BadParticular("birthday") from error
    if time_zone and time_zone not in available_timezones():
        raise BadParticular("time_zone")
    address = clean_address(postal_address)
    if len(address) > LONGEST_ADDRESS:
        raise BadParticular("postal_address")
    values = {
        "birth_month": month,
        "birth_day": day,
        "time_zone": time_zone,
        "postal_address": address,
        "address_norm": rules.folded_address(address),
    }
    if all(getattr(customer, column) == value for column, value in values.items()):
        return False
    Customer.objects.filter(pk=customer.pk, store_id=customer.store_id).update(**values)
    for column, value in values.items():
        setattr(customer, column, value)
    return True


def clean_address(typed: str) -> str:
    """An address as it is printed: its lines, without controls and empty ones."""
    lines = (" ".join(rules.CONTROLS.sub("", line).split()) for line in typed.splitlines())
    return "\n".join(line for line in lines if line)
