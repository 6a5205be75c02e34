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
from rewards.models import Reward


class Rewards(ApiView):
    """`GET rewards/`."""

    scope = "rewards"
    parameters = ("customer", "status", *paging.PARAMETERS)

    @extend_schema(
        operation_id="rewards_list",
        responses=answers.page_of(answers.RewardOut),
        parameters=[
            OpenApiParameter("customer", str, description="A customer's public_id."),
            OpenApiParameter("status", str, enum=Reward.Status.values),
            *(OpenApiParameter(name, str) for name in paging.PARAMETERS),
        ],
    )
    def get(self, request: Request) -> Response:
        """Rewards, newest first."""
        rows = Reward.objects.for_store(self.store).select_related("customer", "offer", "voucher")
        status, customer = request.query_params.get("status"), request.query_params.get("customer")
        if status is not None:
            if status not in Reward.Status.values:
                raise bad_field("status", f"Send one of {', '.join(Reward.Status.values)}.")
            rows = rows.filter(status=status)
        if customer is not None:
            rows = rows.filter(customer=get_or_404(Customer.objects.for_store(self.store), customer))
        return paging.paged(request, rows, _reward)


def _reward(one: Reward) -> dict[str, Any]:
    voucher = getattr(one, "voucher", None)  # store credit has none of its own
    return {
        "public_id": one.public_id,
        "customer": one.customer.public_id,
        "side": one.side,
        "status": one.status,
        "reason": one.reason or None,
        "offer": shapes.offer(one.offer),
        "voucher": voucher
        and {"code": voucher.code, "status": voucher.status, "expires_at": shapes.moment(voucher.expires_at)},
        "granted_at": shapes.moment(one.granted_at),
        "voided_at": shapes.moment(one.voided_at),
    }
