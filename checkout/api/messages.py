"""Messages: what was said to whom, what is about to be, and what was not and why."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api import answers, paging, shapes
from checkout.api.base import ApiView, get_or_404
from customers.models import Channel, Customer
from outreach.models import Message
from outreach.rendering import unsubscribe_url


class Messages(ApiView):
    """`GET messages/`."""

    scope = "messages"
    parameters = ("customer", *paging.PARAMETERS)

    @extend_schema(
        operation_id="messages_list",
        responses=answers.page_of(answers.MessageOut),
        parameters=[
            OpenApiParameter("customer", str, description="A customer's public_id."),
            *(OpenApiParameter(name, str) for name in paging.PARAMETERS),
        ],
    )
    def get(self, request: Request) -> Response:
        """Messages, newest first."""
        rows = Message.objects.for_store(self.store).select_related("customer", "store")
        customer = request.query_params.get("customer")
        if customer is not None:
            rows = rows.filter(customer=get_or_404(Customer.objects.for_store(self.store), customer).today)
        return paging.paged(request, rows, _message)


def _message(one: Message) -> dict[str, Any]:
    links = one.context.get("links", {})
    return {
        "public_id": one.public_id,
        "kind": one.kind,
        "channel": one.channel,
        "to": one.to or _address(one),
        "status": one.status,
        "reason": one.reason or None,
        "due_at": shapes.moment(one.due_at),
        "sent_at": shapes.moment(one.sent_at),
        "links": {
            "survey": links.get("survey"),
            "share": links.get("share"),
            "unsubscribe": links.get("unsubscribe") or unsubscribe_url(one.store, one.customer),
        },
    }


def _address(one: Message) -> str:
    """Where it would go: `to` is written when the message is handed over."""
    by_channel = {Channel.EMAIL: one.customer.email, Channel.SMS: one.customer.phone}
    return by_channel.get(Channel(one.channel), "") if one.channel else ""
