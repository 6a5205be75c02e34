"""Rewards: what people were given."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api import answers, paging, shapes
from checkout.api.base import ApiView, get_or_404
from checkout.api.fields import bad_field
from customers.models import Customer
from rewards.models import Fulfilment, Offer, Reward


class Rewards(ApiView):
    """`GET rewards/`."""

    scope = "rewards"
    parameters = ("customer", "status", "kind", *paging.PARAMETERS)

    @extend_schema(
        operation_id="rewards_list",
        responses=answers.page_of(answers.RewardOut),
        parameters=[
            OpenApiParameter("customer", str, description="A customer's public_id."),
            OpenApiParameter("status", str, enum=Reward.Status.values),
            OpenApiParameter("kind", str, enum=Offer.Kind.values),
            *(OpenApiParameter(name, str) for name in paging.PARAMETERS),
        ],
    )
    def get(self, request: Request) -> Response:
        """Rewards, newest first."""
        joined = ("customer", "offer__product", "voucher", "fulfilment")
        rows = Reward.objects.for_store(self.store).select_related(*joined)
        status, customer = request.query_params.get("status"), request.query_params.get("customer")
        kind = request.query_params.get("kind")
        if kind is not None:
            if kind not in Offer.Kind.values:
                raise bad_field("kind", f"Send one of {', '.join(Offer.Kind.values)}.")
            rows = rows.filter(offer__kind=kind)
        if status is not None:
            if status not in Reward.Status.values:
                raise bad_field("status", f"Send one of {', '.join(Reward.Status.values)}.")
            rows = rows.filter(status=status)
        if customer is not None:
            rows = rows.filter(customer=get_or_404(Customer.objects.for_store(self.store), customer).today)
        return paging.paged(request, rows, _reward)


def _reward(one: Reward) -> dict[str, Any]:
    voucher = getattr(one, "voucher", None)  # store credit has none of its own
    return {
        "public_id": one.public_id,
        "customer": one.customer.public_id,
        "side": one.side,
        "status": one.status,
        "reason": one.reason or None,
        "offer": _offer(one.offer),
        "amount_minor": one.amount_minor,
        "reduced_minor": one.reduced_minor,
        "voucher": voucher
        and {"code": voucher.code, "status": voucher.status, "expires_at": shapes.moment(voucher.expires_at)},
        "fulfilment": _fulfilment(getattr(one, "fulfilment", None)),
        "granted_at": shapes.moment(one.granted_at),
        "voided_at": shapes.moment(one.voided_at),
    }


def _offer(one: Offer) -> dict[str, Any]:
    """What was promised, with what only some kinds have."""
    is_commission = one.kind == Offer.Kind.COMMISSION
    return {
        **shapes.offer(one),
        "most_minor": one.most_minor,
        "months": one.months if is_commission else None,
        "sku": one.product.sku if one.product else None,
        "words": one.words or None,
    }


def _fulfilment(one: Fulfilment | None) -> dict[str, Any] | None:
    """How far the store is with what it sees to by hand."""
    if one is None:
        return None
    return {"status": one.status, "due_at": shapes.moment(one.due_at), "ended_at": shapes.moment(one.ended_at)}
