"""E-mail through Django's backend: SMTP, or any provider by anymail (settings)."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from email.utils import formataddr, parseaddr

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from outreach.channels import Letter, NotNow, Refused, Uncertain


def deliver(letter: Letter) -> str:
    """Hand the letter over and return the provider's id for it ('' when it gives none)."""
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:  # nothing has been said yet
        raise NotNow(str(error)) from error
    mail = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        formataddr((letter.sender_name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        [letter.to],
        headers={**letter.headers, "X-Goodword-Reference": letter.reference},
        connection=connection,
    )
    if letter.html:
        mail.attach_alternative(letter.html, "text/html")
    try:
        mail.send()
    except Exception as error:
        raise _sorted(error) from error
    finally:
        _close(connection)
    return str(getattr(getattr(mail, "anymail_status", None), "message_id", "") or "")


def _sorted(error: Exception) -> Exception:
    """What the provider's complaint means for us."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=550)
        return Refused(str(code)) if code >= 500 else NotNow(str(code))
    if isinstance(error, smtplib.SMTPResponseException):  # sender refused, data refused, helo
        return Refused(str(error.smtp_code)) if error.smtp_code >= 500 else NotNow(str(error.smtp_code))
    if isinstance(error, AnymailRecipientsRefused):
        return Refused("recipient refused")
    if isinstance(error, AnymailError):
        status = getattr(error, "status_code", None)
        if status == 429:
            return NotNow("too many requests")
        return Refused(str(status)) if status and 400 <= status < 500 else Uncertain(str(status))
    if isinstance(error, ValueError):  # an address or header that cannot be written
        return Refused("not a deliverable letter")
    return Uncertain(type(error).__name__)


def _close(connection: object) -> None:
    with suppress(OSError, smtplib.SMTPException):  # the letter's fate is already decided
        connection.close()  # type: ignore[attr-defined]
