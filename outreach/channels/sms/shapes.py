"""What the gateways have in common: an account, a form field, a call from outside, a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qsl

from django.utils.functional import Promise

from customers.rules import BadPhone, normal_phone
from outreach.channels import Letter

Words = str | Promise


@dataclass(frozen=True)
class GatewayField:
    """One thing the settings form asks for."""

    name: str
    label: Words
    is_secret: bool = False
    required: bool = True
    is_switch: bool = False
    help: Words = ""


@dataclass(frozen=True)
class Account:
    """One gateway account: the provider's slug, the values of its fields (decrypted), the sender.

    `report_url` is our own webhook address, handed to providers that take one with each message.
    `base_url` stands in for the provider's own address: only a server's settings or a test sets it.
    """

    provider: str
    values: Mapping[str, str] = field(repr=False)  # keys and tokens must not reach a log
    sender: str = ""
    report_url: str = ""
    base_url: str = ""

    def value(self, name: str) -> str:
        """The field's value without surrounding space; '' when it is not set."""
        return self.values.get(name, "").strip()

    def is_on(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.value(name).lower() in {"1", "on", "true", "yes"}


@dataclass(frozen=True)
class Incoming:
    """A webhook call as it came in. `url` is the whole address the provider called, query included."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, whatever its case; '' when it is missing."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def form(self) -> list[tuple[str, str]]:
        """The fields of a form-encoded body, in their order, empty ones included."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)


class Outcome(StrEnum):
    """What became of a message that the provider had taken."""

    DELIVERED = "delivered"
    FAILED = "failed"
    BLOCKED = "rejected_blocked"  # the person or the operator wants none: suppress the address


class Said(StrEnum):
    """How the provider itself understood an inbound text."""

    NOTHING = ""
    STOP = "stop"
    START = "start"


@dataclass(frozen=True)
class Inbound:
    """A text somebody sent to the store's number; `from_number` is E.164 where it can be."""

    from_number: str
    text: str
    event_id: str
    said: Said = Said.NOTHING


@dataclass(frozen=True)
class Report:
    """One piece of news: about a message of ours (`status`), or a text to us (`inbound`).

    A message is named by `provider_id`, by our `reference`, or both. `event_id` is the same when the
    provider tells the same news again, so the receiver can drop the second.
    """

    event_id: str
    provider_id: str = ""
    reference: str = ""
    status: Outcome | None = None
    inbound: Inbound | None = None


class Forged(Exception):
    """The call cannot be shown to come from the provider."""


class Gateway(Protocol):
    """What every provider's module offers."""

    @property
    def slug(self) -> str:
        """Its name in the database."""
        ...

    @property
    def label(self) -> Words:
        """Its name for people."""
        ...

    @property
    def fields(self) -> tuple[GatewayField, ...]:
        """What the settings form asks for."""
        ...

    @property
    def sender(self) -> GatewayField:
        """The question for `Account.sender`."""
        ...

    @property
    def finds(self) -> str:
        """By which name `look_up` can ask: `reference` (ours), `provider_id`, or empty for neither."""
        ...

    @property
    def reports_back(self) -> bool:
        """Whether the provider calls us."""
        ...

    def send(self, account: Account, letter: Letter) -> str:
        """Hand the text over; the provider's id. Raises Refused (Blocked), NotNow or Uncertain."""
        ...

    def look_up(self, account: Account, reference: str, provider_id: str) -> str | None:
        """Ask after a message: "sent" (the provider has it), "failed", "missing" (it never got it), None: unknown."""
        ...

    def reports(self, account: Account, request: Incoming) -> list[Report]:
        """The news in one webhook call, which may be none; raises Forged."""
        ...


def international(number: str, country: str = "") -> str:
    """The number as E.164; '+' is put before plain digits that begin with a country code.

    `country` (ISO 3166, two letters) reads national writing. What is no phone number, as an
    alphanumeric sender is not, comes back as it is.
    """
    text = number.strip().removeprefix("whatsapp:")
    for candidate, region in ((text, country), (f"+{text.removeprefix('00')}", "")):
        try:
            return normal_phone(candidate, region)
        except BadPhone:
            continue
    return text
