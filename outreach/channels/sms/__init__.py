"""Text messages: one module a provider, all alike from outside (`Gateway`)."""

from __future__ import annotations

from django.conf import settings

from outreach.channels import Letter
from outreach.channels.sms.generic import Generic
from outreach.channels.sms.kavenegar import Kavenegar
from outreach.channels.sms.semaphore import Semaphore
from outreach.channels.sms.shapes import (
    Account,
    Forged,
    Gateway,
    GatewayField,
    Inbound,
    Incoming,
    Outcome,
    Report,
    Said,
)
from outreach.channels.sms.twilio import Twilio
from outreach.channels.sms.vonage import Vonage

__all__ = [
    "GATEWAYS",
    "Account",
    "Forged",
    "Gateway",
    "GatewayField",
    "Inbound",
    "Incoming",
    "Outcome",
    "Report",
    "Said",
    "deliver",
]

# In the order the settings form shows them.
GATEWAYS: dict[str, Gateway] = {
    gateway.slug: gateway for gateway in (Twilio(), Vonage(), Kavenegar(), Semaphore(), Generic())
}


def deliver(letter: Letter) -> str:
    """Send by the server's own gateway (`SMS_URL`); the id it gave, '' for none."""
    account = Account("generic", {"token": settings.SMS_TOKEN}, settings.SMS_SENDER, base_url=settings.SMS_URL)
    return GATEWAYS["generic"].send(account, letter)
