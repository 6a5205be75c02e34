"""Events: what the shop tells us about a person besides orders."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api import answers, shapes
from checkout.api.base import ApiView
from checkout.api.fields import DataField, StrictSerializer, TextField, TimeField, checked
from checkout.api.people import CustomerIn, address_errors, as_person
from customers.services import record_event


class EventIn(StrictSerializer):
    """A milestone reached, a visit finished. Without `external_id` the body itself names the event."""

    external_id = TextField(required=False, max_length=120)
    kind = TextField(max_length=60)
    customer = CustomerIn()
    at = TimeField(may_lie_ahead=False)
    data = DataField(required=False)  # type: ignore[assignment]  # not Serializer.data: DRF takes it off the class


class Events(ApiView):
    """`POST events/`."""

    scope = "orders"

    @extend_schema(request=EventIn, responses={200: answers.EventOut, 201: answers.EventOut})
    def post(self, request: Request) -> Response:
        """Record something that happened to a person; idempotent on `external_id`."""
        values = checked(EventIn(data=request.data))
        person = as_person(values["customer"])
        assert person is not None
        with address_errors():
            event, is_new = record_event(
                self.store,
                external_id=values.get("external_id") or _name_of(request.data),
                kind=values["kind"],
                person=person,
                data=values.get("data", {}),
                happened_at=values["at"],
                at=timezone.now(),
            )
        body = {
            "public_id": event.public_id,
            "external_id": event.external_id,
            "kind": event.kind,
            "customer": event.customer.public_id,
            "at": shapes.moment(event.at),
        }
        return Response(body, 201 if is_new else 200)


def _name_of(body: Any) -> str:
    return "body:" + sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
