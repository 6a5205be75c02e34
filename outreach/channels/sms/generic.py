"""Any gateway that takes one JSON POST: the server's own (`SMS_URL`), or a store's.

A store's address comes from whoever opened the store, so it must be https and lead to the public
internet: the address that was checked is the address that is connected to.
"""

from __future__ import annotations

from typing import Any

import httpx
from django.utils.translation import gettext_lazy as _

from outreach.channels import Letter, NotNow, Refused, outside
from outreach.channels.sms.base import BaseGateway, as_dict, ask, sort
from outreach.channels.sms.shapes import Account, GatewayField


class Generic(BaseGateway):
    """POST {to, text, sender, reference}; the answer's `id` is the provider's id.

    `reference` is the same for every try of one message, so that a gateway can refuse a second.
    """

    slug = "generic"
    label = _("Another gateway (HTTP)")
    fields = (
        GatewayField("url", _("Address"), help=_("Each text is posted there as JSON. It must begin with https://.")),
        GatewayField("token", _("Token"), is_secret=True, required=False, help=_("Sent as a bearer token.")),
    )
    sender = GatewayField("sender", _("Sender"), required=False)

    def send(self, account: Account, letter: Letter) -> str:
        """Post the text; '' when the answer names no id, since a plain "OK" is an answer too."""
        body = {"to": letter.to, "text": letter.text, "sender": account.sender, "reference": letter.reference}
        headers = {"Idempotency-Key": letter.reference}
        if token := account.value("token"):
            headers["Authorization"] = f"Bearer {token}"
        url, extra = (account.base_url, {}) if account.base_url else pinned(account.value("url"))
        headers |= extra.pop("headers", {})
        answer = ask("POST", url, self.patience, json=body, headers=headers, **extra)
        sort(answer)
        return str(as_dict(answer.json()).get("id", ""))


def pinned(url: str) -> tuple[str, dict[str, Any]]:
    """The address with its host looked up, and what httpx needs to speak to it under its own name.

    Raises Refused for what is not https or not public, NotNow when the name is not found.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Refused("not an address") from error
    if address.scheme != "https" or not address.host:
        raise Refused("not an https address")
    try:
        checked = outside.address_of(address.host, address.port or 443)
    except outside.NotPublic as error:
        raise Refused(str(error)) from error
    except OSError as error:
        raise NotNow("gateway out of reach") from error
    name = address.raw_host.decode()
    return str(address.copy_with(host=checked)), {
        "headers": {"Host": address.netloc.decode()},
        "extensions": {"sni_hostname": name},
    }
