"""E-mail through a Django mail backend: SMTP, or any provider by anymail; the server's own, or a store's."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email.utils import formataddr, parseaddr
from functools import lru_cache
from typing import Any

import requests
import urllib3.exceptions
from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from outreach.channels import Letter, NotNow, Refused, Uncertain
from outreach.channels.outside import NotPublic
from outreach.channels.sms.base import retry_after

# What a provider wants besides: our reference where it keeps one, a key that makes a repeat harmless.
Prepare = Callable[[EmailMultiAlternatives, Any, Letter], None]

NOT_WRITABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.TooManyRedirects,  # not one is followed: see `outside.pin`
)
NOTHING_LEFT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
ACCOUNT_REFUSED = {401, 403}  # says nothing about the letter: the owner may put it right in time


def deliver(letter: Letter, *, connection: Any = None, sender: str = "", prepare: Prepare | None = None) -> str:
    """Hand the letter over and return the provider's id for it ('' when it gives none).

    Without `connection` and `sender`, through the server's own (EMAIL_BACKEND, DEFAULT_FROM_EMAIL).
    """
    connection = get_connection() if connection is None else connection
    try:
        connection.open()
    except NotPublic as error:
        raise Refused(str(error)) from error
    except (OSError, smtplib.SMTPException) as error:  # nothing has been said yet
        raise NotNow(_in_short(error)) from error
    mail = _written(letter, connection, _address_in(sender or settings.DEFAULT_FROM_EMAIL))
    try:
        if prepare:
            prepare(mail, connection, letter)
        mail.send()
    except Exception as error:
        raise sorted_out(error) from error
    finally:
        _close(connection)
    if isinstance(connection, AnymailBaseBackend):
        return str(getattr(getattr(mail, "anymail_status", None), "message_id", "") or "")
    return str(mail.extra_headers["Message-ID"])


@lru_cache(maxsize=256)
def _address_in(sender: str) -> str:
    return parseaddr(sender)[1]


def _written(letter: Letter, connection: Any, address: str) -> EmailMultiAlternatives:
    headers = dict(letter.headers)
    if not isinstance(connection, AnymailBaseBackend):
        # The same for every try: where two arrive after all, mailboxes show one.
        headers |= {
            "Message-ID": f"<{letter.reference}@{address.rpartition('@')[2]}>",
            "X-Goodword-Reference": letter.reference,
        }
    mail = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        formataddr((letter.sender_name, address)),
        [letter.to],
        headers=headers,
        connection=connection,
    )
    if letter.html:
        mail.attach_alternative(letter.html, "text/html")
    return mail


def sorted_out(error: Exception) -> Exception:
    """What the failure of a hand-over means: Refused, NotNow or Uncertain (RELIABILITY rule 23)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=550)
        return Refused(str(code)) if code >= 500 else NotNow(str(code))
    if isinstance(error, smtplib.SMTPDataError) and not 400 <= error.smtp_code < 600:
        return Uncertain(f"{error.smtp_code} after the letter")  # no answer of SMTP: it may have been taken
    if isinstance(error, smtplib.SMTPResponseException):  # sender refused, data refused, helo
        return Refused(str(error.smtp_code)) if error.smtp_code >= 500 else NotNow(str(error.smtp_code))
    if isinstance(error, AnymailRecipientsRefused):
        return Refused("recipient refused")
    if isinstance(error, requests.RequestException):  # anymail's error is one of these, too
        return _of_http(error)
    if isinstance(error, AnymailError) and error.__cause__ is not None and not isinstance(error, ValueError):
        return _of_amazon(error.__cause__)
    if isinstance(error, ValueError):  # an address or header that cannot be written
        return Refused("not a deliverable letter")
    return Uncertain(type(error).__name__)


def _of_http(error: requests.RequestException) -> Exception:
    response = error.response
    if response is not None:
        return _of_status(response.status_code, retry_after(response.headers.get("Retry-After", "")))
    if isinstance(error, NOT_WRITABLE):
        return Refused("address cannot be reached so")
    if isinstance(error, requests.exceptions.ConnectTimeout) or _causes(error, NOTHING_LEFT):
        return NotNow("provider out of reach")
    return Uncertain(_in_short(error))


def _of_status(status: int, wait: timedelta | None) -> Exception:
    """As the provider's HTTP status says; a strange answer with 2xx may well be a yes."""
    if status == 429 or (status == 503 and wait is not None):
        return NotNow(str(status), wait)
    if status in ACCOUNT_REFUSED:
        return NotNow(f"{status} account refused")
    if status == 408:
        return Uncertain("408")
    return Refused(str(status)) if 300 <= status < 500 else Uncertain(str(status))


def _of_amazon(cause: BaseException) -> Exception:
    """boto3 keeps the status inside; it is an optional package, so its classes are told by what they have."""
    answer = getattr(cause, "response", None)
    if isinstance(answer, dict):
        if "Thrott" in str(answer.get("Error", {}).get("Code", "")):
            return NotNow("throttled")
        return _of_status(int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)), None)
    if type(cause).__name__ in {"EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError"}:
        return NotNow("provider out of reach")
    return Uncertain(type(cause).__name__)


def _causes(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    """Whether one of `kinds` stands somewhere in what led to the error."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, kinds):
            return True
        if id(one) not in seen:
            seen.add(id(one))
            inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
            waiting += [cause for cause in inner if isinstance(cause, BaseException)]
    return False


def _in_short(error: Exception) -> str:
    """The kind of failure; never the text, in which addresses and keys may stand."""
    code = getattr(error, "smtp_code", None)
    return f"{code} {type(error).__name__}" if code else type(error).__name__


def _close(connection: Any) -> None:
    with suppress(OSError, smtplib.SMTPException):  # the letter's fate is already decided
        connection.close()
