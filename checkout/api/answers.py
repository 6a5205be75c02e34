"""What the endpoints answer with, for the schema's readers. Nothing is checked against these at run time."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from checkout.wording import REFUSALS
from customers.models import Channel
from outreach.models import Message
from referrals.models import Referral
from rewards.models import Fulfilment, Offer, Reward, Voucher


class ReferralShortOut(serializers.Serializer):
    """Who sent the buyer, in short."""

    public_id = serializers.CharField()
    status = serializers.ChoiceField(Referral.Status.choices)
    advocate = serializers.CharField(help_text="First name and initial.")
    reason = serializers.CharField(allow_null=True, help_text="Why it does not count.")


class OrderOut(serializers.Serializer):
    """An order; a list of orders is answered with `results` instead."""

    public_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # not Field.source: DRF takes it off the class
    external_id = serializers.CharField()
    currency = serializers.CharField()
    total_minor = serializers.IntegerField()
    refunded_minor = serializers.IntegerField()
    placed_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    code = serializers.CharField()
    location = serializers.CharField(allow_null=True)
    customer = serializers.CharField(allow_null=True, help_text="The customer's public_id; null for a guest.")
    referral = ReferralShortOut(allow_null=True)
    result = serializers.ChoiceField(["created", "updated", "unchanged"])


class OrdersOut(serializers.Serializer):
    """What became of each order of a list, in its order: an order, or why that one was refused."""

    results = serializers.ListField(child=serializers.DictField())


class ReceiptOut(serializers.Serializer):
    """The share code of an order's receipt."""

    code = serializers.CharField()
    url = serializers.URLField()
    qr_svg = serializers.CharField()
    text = serializers.CharField()


class EventOut(serializers.Serializer):
    """An event as recorded."""

    public_id = serializers.CharField()
    external_id = serializers.CharField()
    kind = serializers.CharField()
    customer = serializers.CharField()
    at = serializers.DateTimeField()


class QuoteOut(serializers.Serializer):
    """What a code would do; `valid` false comes with `reason` and `message` alone."""

    valid = serializers.BooleanField()
    kind = serializers.ChoiceField(["voucher", "share_code", "credit"], required=False)
    discount_minor = serializers.IntegerField(required=False)
    payable_minor = serializers.IntegerField(required=False)
    advocate = serializers.CharField(allow_null=True, required=False)
    expires_at = serializers.DateTimeField(allow_null=True, required=False)
    reason = serializers.ChoiceField(list(REFUSALS), required=False)
    message = serializers.CharField()


class RedeemedOut(serializers.Serializer):
    """A redemption."""

    redemption = serializers.CharField(help_text="Its id, for redemptions/{id}/reverse/.")
    discount_minor = serializers.IntegerField()
    payable_minor = serializers.IntegerField()
    currency = serializers.CharField()
    referral = ReferralShortOut(allow_null=True)


class ReversedOut(serializers.Serializer):
    """A redemption undone."""

    redemption = serializers.CharField()
    reversed_at = serializers.DateTimeField()
    discount_minor = serializers.IntegerField()
    currency = serializers.CharField()


class CustomerOut(serializers.Serializer):
    """A customer."""

    public_id = serializers.CharField()
    external_id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    locale = serializers.CharField()
    consent = inline_serializer("Consent", {channel: serializers.BooleanField() for channel in Channel.values})
    recorded_at = serializers.DateTimeField()


class TierOut(serializers.Serializer):
    """The step of the ladder a customer stands on."""

    name = serializers.CharField()
    threshold = serializers.IntegerField()


class CustomerDetailOut(CustomerOut):
    """A customer with what sharing has brought them."""

    birthday = serializers.CharField(allow_null=True, help_text="MM-DD.")
    time_zone = serializers.CharField(help_text="Of the IANA database; empty: as the store's.")
    address = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    share_url = serializers.URLField(help_text="Where friends land.")
    advocate_url = serializers.URLField(help_text="The customer's own share page; keep it to them.")
    code = serializers.CharField()
    balance = serializers.IntegerField(help_text="Store credit in minor units of `currency`.")
    currency = serializers.CharField()
    approved_referrals = serializers.IntegerField()
    tier = TierOut(allow_null=True)


class ReferralOut(ReferralShortOut):
    """A referral."""

    advocate_id = serializers.CharField()
    friend = serializers.CharField(allow_null=True)
    friend_id = serializers.CharField(allow_null=True)
    order = serializers.CharField()
    evidence = serializers.ChoiceField(Referral.Evidence.choices)
    number = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    hold_until = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class OfferOut(serializers.Serializer):
    """What is promised."""

    kind = serializers.ChoiceField(Offer.Kind.choices)
    percent = serializers.IntegerField(allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    minimum_minor = serializers.IntegerField()


class VoucherOut(serializers.Serializer):
    """The code that carries a reward."""

    code = serializers.CharField()
    status = serializers.ChoiceField(Voucher.Status.choices)
    expires_at = serializers.DateTimeField(allow_null=True)


class GivenOfferOut(OfferOut):
    """What was promised, with what only some kinds have."""

    most_minor = serializers.IntegerField(allow_null=True)
    months = serializers.IntegerField(allow_null=True)
    sku = serializers.CharField(allow_null=True)
    words = serializers.CharField(allow_null=True)


class FulfilmentOut(serializers.Serializer):
    """How far the store is with what it sees to by hand: a donation, something of its own."""

    status = serializers.ChoiceField(Fulfilment.Status.choices)
    due_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RewardOut(serializers.Serializer):
    """A reward."""

    public_id = serializers.CharField()
    customer = serializers.CharField()
    side = serializers.ChoiceField(Reward.Side.choices)
    status = serializers.ChoiceField(Reward.Status.choices)
    reason = serializers.CharField(allow_null=True)
    offer = GivenOfferOut()
    amount_minor = serializers.IntegerField()
    reduced_minor = serializers.IntegerField()
    voucher = VoucherOut(allow_null=True)
    fulfilment = FulfilmentOut(allow_null=True)
    granted_at = serializers.DateTimeField()
    voided_at = serializers.DateTimeField(allow_null=True)


class LinksOut(serializers.Serializer):
    """The links a message carries; null when it has none of that kind."""

    survey = serializers.URLField(allow_null=True)
    share = serializers.URLField(allow_null=True)
    unsubscribe = serializers.URLField()


class MessageOut(serializers.Serializer):
    """A message."""

    public_id = serializers.CharField()
    kind = serializers.CharField()
    channel = serializers.CharField()
    to = serializers.CharField()
    status = serializers.ChoiceField(Message.Status.choices)
    reason = serializers.CharField(allow_null=True)
    due_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    links = LinksOut()


def page_of(item: type[serializers.Serializer]) -> serializers.Serializer:
    """The schema of one page of a list."""
    fields = {"next": serializers.URLField(allow_null=True), "results": item(many=True)}
    return inline_serializer(f"{item.__name__.removesuffix('Out')}Page", fields)
