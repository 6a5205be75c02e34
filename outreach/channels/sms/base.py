"""One question to a provider over HTTP, and what its answer means for a message.

Sorted as RELIABILITY rules 21-23: nothing left the house or the provider says "later" -> NotNow; a
definite no -> Refused; and where nobody can know whether the text was taken -> Uncertain.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from outreach.channels import NotNow, Refused, Uncertain
from outreach.channels.sms.shapes import Account, Forged, Incoming, Report

# httpx writes whole addresses at INFO, and some providers want the key in the address.
logging.getLogger("httpx").setLevel(logging.WARNING)

MOST_BYTES = 256 * 1024  # no provider's answer to one text is longer
LONGEST_WAIT = timedelta(days=1)  # a Retry-After beyond it is a mistake, or an attack
NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NOT_WRITABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for the connection, and for everything together."""

    connect: float = 5
    whole: float = 10


@dataclass(frozen=True)
class Answer:
    """A provider's answer; `headers` compares names without case."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """The body as JSON, None when it is none."""
        return read_json(self.body)


def read_json(body: bytes) -> Any:
    """The JSON of a body, None when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def ask(method: str, url: str, patience: Patience, **request: Any) -> Answer:
    """One request and its answer, whatever the status; redirects are not followed.

    Raises NotNow when no connection came about, Refused when the request cannot be written at all,
    Uncertain when it left and no whole answer came back in time.
    """
    ends = time.monotonic() + patience.whole
    timeout = httpx.Timeout(patience.whole, connect=patience.connect)
    try:
        with httpx.Client(timeout=timeout) as client, client.stream(method, url, **request) as answer:
            return Answer(answer.status_code, answer.headers, _body(answer, ends))
    except NOT_WRITABLE as error:
        raise Refused("request cannot be written") from error
    except NOTHING_LEFT as error:
        raise NotNow("gateway out of reach") from error
    except httpx.HTTPError as error:
        raise Uncertain(type(error).__name__) from error


def _body(answer: httpx.Response, ends: float) -> bytes:
    """The body; httpx's time-out is per read, so a dripping answer is cut off here."""
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if time.monotonic() > ends:
            raise Uncertain("answer too slow")
        if len(body) > MOST_BYTES:
            raise Uncertain("answer too long")
    return body


def sort(answer: Answer, reason: str = "") -> None:
    """Raise what an unsuccessful status means; nothing for 2xx. `reason` is the provider's code, in short."""
    said = reason or str(answer.status)
    if answer.status == 429 or (answer.status == 503 and "Retry-After" in answer.headers):
        raise NotNow(said, wait_of(answer))
    if 400 <= answer.status < 500:
        raise Refused(said)
    if not 200 <= answer.status < 300:
        raise Uncertain(said)


def wait_of(answer: Answer) -> timedelta | None:
    """How long the answer's Retry-After asks to wait."""
    return retry_after(answer.headers.get("Retry-After", ""))


def retry_after(text: str) -> timedelta | None:
    """How long a Retry-After asks to wait, at most a day; None when it says nothing readable.

    Source: RFC 9110 section 10.2.3, whole seconds or an HTTP date.
    """
    asked = text.strip()
    if asked.isascii() and asked.isdecimal():
        return timedelta(seconds=min(int(asked[:9]), LONGEST_WAIT.total_seconds()))
    try:
        at = parsedate_to_datetime(asked)
    except ValueError:
        return None
    until = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
    return min(max(until, timedelta()), LONGEST_WAIT)


def as_dict(value: Any) -> dict[str, Any]:
    """The value when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


class BaseGateway:
    """A gateway that neither looks messages up nor calls us back, until a module says otherwise."""

    finds = ""
    reports_back = False

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()

    def look_up(self, account: Account, reference: str, provider_id: str) -> str | None:
        """None: this provider cannot be asked."""
        return None

    def reports(self, account: Account, request: Incoming) -> list[Report]:
        """Raises Forged: this provider never calls, so whoever calls is somebody else."""
        raise Forged("this provider sends no reports")
