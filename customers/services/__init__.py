"""Writes about people and orders: the only writer of customers, consents, products and orders."""

from customers.services.events import record_event
from customers.services.orders import (
    OrderData,
    Outcome,
    Recorded,
    attach_customer,
    cancel_order,
    change_total,
    record_order,
    record_orders,
)
from customers.services.people import (
    Person,
    find_customer,
    find_or_create_customer,
    record_consent,
)
from customers.services.products import Line, set_days_to_value

__all__ = [
    "Line",
    "OrderData",
    "Outcome",
    "Person",
    "Recorded",
    "attach_customer",
    "cancel_order",
    "change_total",
    "find_customer",
    "find_or_create_customer",
    "record_consent",
    "record_event",
    "record_order",
    "record_orders",
    "set_days_to_value",
]
