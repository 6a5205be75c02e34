"""Codes at somebody else's till: quote, redeem, reverse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from django.utils import timezone, translation
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.fields import BooleanField
from rest_framework.request import Request
from rest_framework.response import Response

from checkout import guesses, wording
from checkout.api import answers, shapes
from checkout.api.base import ApiView
from checkout.api.fields import CurrencyField, MinorField, StrictSerializer, TextField, checked
from checkout.api.people import CustomerIn, address_errors, as_person
from referrals.services import redeeming
from referrals.services.redeeming import NotRedeemable, OrderRef, Quote, Redeemed
from rewards.rules import Reason
from rewards.services.vouchers import AlreadyReversed, Bill
from stores.idempotency import once
from stores.models import ApiKey, Store
from stores.problems import Problem

KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)


class QuoteIn(StrictSerializer):
    """A code, a bill and who pays, if known."""

    code = TextField(max_length=4096)
    amount_minor = MinorField()
    currency = CurrencyField()
    customer = CustomerIn(required=False, allow_null=True)
    location = TextField(required=False, allow_blank=True, allow_null=True, max_length=50)
    discounted = BooleanField(default=False)  # another discount of the shop is in the bill


class OrderRefIn(StrictSerializer):
    """The order at the shop's own till."""

    source = TextField(max_length=40)  # type: ignore[assignment]  # not Field.source: DRF takes it off the class
    external_id = TextField(max_length=120)


class RedeemIn(QuoteIn):
    """The same, and the order it is for."""

    order = OrderRefIn(required=False, allow_null=True)


class Nothing(StrictSerializer):
    """A body without fields."""


class QuoteVoucher(ApiView):
    """`POST vouchers/quote/`."""

    scope = "vouchers"

    @extend_schema(request=QuoteIn, responses=answers.QuoteOut)
    def post(self, request: Request) -> Response:
        """What a code would take off a bill; changes nothing."""
        values = checked(QuoteIn(data=request.data))
        with no_guessing(self.store, self.key) as tried, address_errors():
            quote = redeeming.quote(
                self.store,
                values["code"],
                bill_of(values),
                at=timezone.now(),
                person=as_person(values.get("customer")),
                location=values.get("location") or "",
            )
            if quote.reason == Reason.UNKNOWN:
                tried.was_wrong(timezone.now())
        with translation.override(self.store.locale):
            return Response(_quote_json(quote, self.store))


def _quote_json(quote: Quote, store: Store) -> dict[str, Any]:
    if quote.reason:
        reason = wording.OUTSIDE.get(quote.reason, quote.reason)
        return {"valid": False, "reason": reason, "message": wording.message(quote, store)}
    return {
        "valid": True,
        "kind": quote.kind,
        "discount_minor": quote.discount_minor,
        "payable_minor": quote.payable_minor,
        "advocate": quote.sent_by.customer.short_name if quote.sent_by else None,
        "expires_at": shapes.moment(quote.expires_at),
        "message": wording.message(quote, store),
    }


def bill_of(values: dict[str, Any]) -> Bill:
    """The bill in the validated values."""
    return Bill(values["amount_minor"], values["currency"], is_reduced=values["discounted"])


class RedeemVoucher(ApiView):
    """`POST vouchers/redeem/`."""

    scope = "vouchers"

    @extend_schema(request=RedeemIn, responses={201: answers.RedeemedOut}, parameters=[KEY])
    def post(self, request: Request) -> Response:
        """Use a code on a bill: once for the Idempotency-Key, whatever repeats."""
        return once(request, self.store, self._work(request))

    def _work(self, request: Request) -> Callable[[], tuple[int, dict[str, Any]]]:
        def work() -> tuple[int, dict[str, Any]]:
            values = checked(RedeemIn(data=request.data))
            with no_guessing(self.store, self.key) as tried, address_errors():
                try:
                    return 201, _redeemed_json(_redeem(self.store, values))
                except NotRedeemable as refused:
                    if refused.reason == Reason.UNKNOWN:
                        tried.was_wrong(timezone.now())
                    raise _refusal(self.store, refused.reason) from refused

        return work


def _redeem(store: Store, values: dict[str, Any]) -> Redeemed:
    ref = values.get("order")
    return redeeming.redeem(
        store,
        values["code"],
        bill_of(values),
        at=timezone.now(),
        person=as_person(values.get("customer")),
        order_ref=OrderRef(**ref) if ref else None,
        location=values.get("location") or "",
    )


def _redeemed_json(done: Redeemed) -> dict[str, Any]:
    used = done.redemption
    return {
        "redemption": used.public_id,
        "discount_minor": used.discount_minor,
        "payable_minor": used.amount_minor - used.discount_minor,
        "currency": used.currency,
        "referral": shapes.sent_by(done.referral),
    }


def _refusal(store: Store, reason: str) -> Problem:
    """409 with the reason as its type; a code we do not know is 404."""
    with translation.override(store.locale):
        slug = wording.OUTSIDE.get(reason, reason)
        return Problem(404 if reason == Reason.UNKNOWN else 409, slug, str(wording.REFUSALS[reason]))


@contextmanager
def no_guessing(store: Store, key: ApiKey) -> Iterator[guesses.Try]:
    """Look at a code inside; raises a 429 Problem once too many were tried that do not exist."""
    try:
        with guesses.by_key(store, key) as tried:
            yield tried
    except guesses.Wait as wait:
        detail = "Too many unknown codes; wait ten minutes."
        raise Problem(429, "too-many-requests", detail, retry_after=guesses.WINDOW) from wait


class ReverseRedemption(ApiView):
    """`POST redemptions/{id}/reverse/`."""

    scope = "vouchers"

    @extend_schema(request=Nothing, responses={201: answers.ReversedOut}, parameters=[KEY])
    def post(self, request: Request, public_id: str) -> Response:
        """Undo a redemption: opposite entries are posted and the voucher may be used again."""
        checked(Nothing(data=request.data))

        def work() -> tuple[int, dict[str, Any]]:
            redemption = redeeming.redemption_named(self.store, public_id)
            if redemption is None:
                raise Http404
            try:
                undone = redeeming.reverse(redemption, at=timezone.now())
            except AlreadyReversed as again:
                raise Problem(409, "already-reversed", "This redemption has been reversed before.") from again
            return 201, {
                "redemption": undone.public_id,
                "reversed_at": shapes.moment(undone.reversed_at),
                "discount_minor": undone.discount_minor,
                "currency": undone.currency,
            }

        return once(request, self.store, work)
