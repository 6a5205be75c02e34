"""The API's addresses (config/urls.py mounts them at /api/v1/)."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from checkout.api import schema  # noqa: F401  registers the key's place in the schema
from checkout.api.customers import CustomerDetail, Customers
from checkout.api.events import Events
from checkout.api.messages import Messages
from checkout.api.orders import Orders, Receipt
from checkout.api.referrals import Approve, Referrals, Void
from checkout.api.rewards import Rewards
from checkout.api.vouchers import QuoteVoucher, RedeemVoucher, ReverseRedemption

api = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    # Split: its script has an address of its own, as the content policy asks.
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    path("orders/", Orders.as_view(), name="orders"),
    path("orders/<slug:public_id>/receipt/", Receipt.as_view(), name="receipt"),
    path("events/", Events.as_view(), name="events"),
    path("vouchers/quote/", QuoteVoucher.as_view(), name="quote"),
    path("vouchers/redeem/", RedeemVoucher.as_view(), name="redeem"),
    path("redemptions/<slug:public_id>/reverse/", ReverseRedemption.as_view(), name="reverse"),
    path("customers/", Customers.as_view(), name="customers"),
    path("customers/<slug:public_id>/", CustomerDetail.as_view(), name="customer"),
    path("referrals/", Referrals.as_view(), name="referrals"),
    path("referrals/<slug:public_id>/approve/", Approve.as_view(), name="approve"),
    path("referrals/<slug:public_id>/void/", Void.as_view(), name="void"),
    path("rewards/", Rewards.as_view(), name="rewards"),
    path("messages/", Messages.as_view(), name="messages"),
]
