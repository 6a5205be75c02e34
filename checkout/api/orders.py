"""Orders in: one or a thousand, as often as you like."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

import segno
from django.core.validators import RegexValidator
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api import answers, shapes
from checkout.api.base import ApiView, get_or_404
from checkout.api.fields import (
    CountField,
    CurrencyField,
    MinorField,
    StrictSerializer,
    TextField,
    TimeField,
    bad_field,
    checked,
)
from checkout.api.people import BAD_EMAIL, BAD_PHONE, CustomerIn, address_errors, as_person
from checkout.api.told import ordinary
from customers.models import Order
from customers.rules import BadEmail, BadPhone
from customers.services import Line, OrderData, Outcome, Recorded, record_order, record_orders
from outreach.rendering import language_of
from referrals.models import ShareLink
from referrals.services import redeeming
from referrals.services.attribution import attribute_order, attribute_orders
from referrals.services.links import landing_url
from referrals.services.programs import program_for, program_of
from rewards.wording import offer_text
from stores.api_errors import flat_errors
from stores.models import Store

MOST_ORDERS = 1000
NOT_STORED = "This order could not be stored; the log has the reason."


class LineIn(StrictSerializer):
    """A product in an order."""

    sku = TextField(max_length=120)
    name = TextField(required=False, allow_blank=True, max_length=250)
    category = TextField(required=False, allow_blank=True, max_length=120)
    quantity = CountField(required=False)
    unit_price_minor = MinorField(required=False)


class OrderIn(StrictSerializer):
    """An order as the shop knows it; the same (source, external_id) is the same order."""

    source = TextField(max_length=40)  # type: ignore[assignment]  # not Field.source: DRF takes it off the class
    external_id = TextField(max_length=120)
    currency = CurrencyField()
    total_minor = MinorField()
    placed_at = TimeField(may_lie_ahead=False)
    delivered_at = TimeField(required=False, allow_null=True)
    cancelled_at = TimeField(required=False, allow_null=True)
    refunded_minor = MinorField(required=False)
    updated_at = TimeField(
        required=False,
        allow_null=True,
        may_lie_ahead=False,
        help_text="When the order last changed in your shop. A report with an earlier time than we know, or with none "
        "where we know one, does not change the total.",
    )
    code = TextField(required=False, allow_blank=True, allow_null=True, max_length=4096)
    visit = TextField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=4096,
        help_text="The value of `visit` in the address by which the buyer came to your site.",
    )
    advocate_name = TextField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=4096,
        help_text="Whom the buyer names as having sent them. A person looks at it before it counts.",
    )
    card_hash = TextField(
        required=False,
        allow_blank=True,
        allow_null=True,
        validators=[RegexValidator(r"^[0-9A-Fa-f]{16,64}\Z", "Send 16 to 64 hexadecimal digits.")],
        help_text="A hash of the payment card, 16 to 64 hex digits, made by you with a key of your own.",
    )
    location = TextField(required=False, allow_blank=True, allow_null=True, max_length=50)
    customer = CustomerIn(required=False, allow_null=True)
    lines = LineIn(many=True, required=False, max_length=500)  # type: ignore[call-arg]  # goes to the ListSerializer

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """No more comes back than was paid."""
        if attrs.get("refunded_minor", 0) > attrs["total_minor"]:
            raise serializers.ValidationError({"refunded_minor": "More is refunded than the order's total."})
        return attrs


def as_order(values: dict[str, Any]) -> OrderData:
    """The validated values as the services take them."""
    plain = {name: value for name, value in values.items() if value is not None}
    plain["named"] = plain.pop("advocate_name", "")
    plain["changed_at"] = plain.pop("updated_at", None)
    plain["person"] = as_person(plain.pop("customer", None))
    plain["lines"] = tuple(Line(**{"name": "", **line}) for line in plain.pop("lines", ()))
    return OrderData(**plain)


class Orders(ApiView):
    """`POST orders/`."""

    scope = "orders"

    @extend_schema(
        request=PolymorphicProxySerializer(
            "OrderOrOrders", [OrderIn, OrderIn(many=True)], resource_type_field_name=None, many=False
        ),
        responses={
            200: PolymorphicProxySerializer(
                "OrderOrResults", [answers.OrderOut, answers.OrdersOut], resource_type_field_name=None, many=False
            ),
            201: answers.OrderOut,
        },
        description="One order, or a list of up to 1,000 which is answered with a result for each.",
    )
    def post(self, request: Request) -> Response:
        """Record one order or many; idempotent."""
        if isinstance(request.data, list):
            return Response({"results": record_many(self.store, request.data, timezone.now())})
        return _record_one(self.store, request.data, timezone.now())


def _record_one(store: Store, raw: Any, at: datetime) -> Response:
    data = ordinary(raw) or as_order(checked(OrderIn(data=raw)))
    with address_errors():
        order, outcome = record_order(store, data, at=at)
    referral = attribute_order(order, at=at)
    status = 201 if outcome == Outcome.CREATED else 200
    return Response({**shapes.order(order, referral), "result": outcome}, status)


def record_many(store: Store, raw: list[Any], at: datetime) -> list[dict[str, Any]]:
    """Record each order by itself: a bad one is reported in its place and stops nobody."""
    if len(raw) > MOST_ORDERS:
        raise bad_field("body", f"Send at most {MOST_ORDERS} orders at once; these are {len(raw)}.")
    shape = OrderIn()
    read = [_read(shape, item) for item in raw]
    recorded = iter(record_orders(store, [one for one in read if isinstance(one, OrderData)], at=at))
    attribute_orders(store, at, since=at)
    return [
        _result(item, next(recorded)) if isinstance(one, OrderData) else _refused(item, one)
        for item, one in zip(raw, read, strict=True)
    ]


def _read(shape: OrderIn, item: Any) -> OrderData | dict[str, list[str]]:
    """The order, or what is wrong with it."""
    try:
        return ordinary(item) or as_order(shape.run_validation(item))
    except serializers.ValidationError as error:
        return flat_errors(error.detail)


def _result(raw: Any, recorded: Recorded) -> dict[str, Any]:
    order = recorded.order
    if order is None:
        return _refused(raw, _errors(recorded.problem))
    return {"external_id": order.external_id, "status": recorded.outcome, "public_id": order.public_id, "errors": {}}


def _errors(problem: Exception | None) -> dict[str, list[str]]:
    """What kept a well-formed order from being recorded, by its field."""
    if isinstance(problem, BadEmail):
        return {"customer.email": [BAD_EMAIL]}
    if isinstance(problem, BadPhone):
        return {"customer.phone": [BAD_PHONE]}
    return {"body": [NOT_STORED]}


def _refused(raw: Any, errors: dict[str, list[str]]) -> dict[str, Any]:
    named = raw.get("external_id") if isinstance(raw, dict) else None
    return {
        "external_id": named if isinstance(named, str) else None,
        "status": "error",
        "public_id": None,
        "errors": errors,
    }


class Receipt(ApiView):
    """`GET orders/{public_id}/receipt/`."""

    scope = "orders"

    @extend_schema(responses=OpenApiResponse(answers.ReceiptOut))
    def get(self, request: Request, public_id: str) -> Response:
        """The share code for this order's receipt or parcel; made when first asked for."""
        orders = Order.objects.for_store(self.store).select_related("customer__store", "store")
        now = timezone.now()
        link = redeeming.receipt_link(get_or_404(orders, public_id), at=now)
        url = landing_url(link)
        return Response({"code": link.code, "url": url, "qr_svg": _qr(url), "text": _text(link, url, now)})


def _qr(url: str) -> str:
    """The address as an SVG picture with its quiet zone, black on nothing."""
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", xmldecl=False, scale=4, border=4)
    return picture.getvalue().decode().strip()


def _text(link: ShareLink, url: str, at: datetime) -> str:
    """Two lines for the receipt, in the customer's language."""
    with translation.override(language_of(link.store, link.customer)):
        program = program_for(link.customer, at) or program_of(link.store, at)
        return _("Give a friend %(gift)s at %(store)s. Code %(code)s or %(url)s") % {
            "gift": offer_text(program.terms.friend_offer, link.store),
            "store": link.store.name,
            "code": link.code,
            "url": url,
        }
