"""Where cash may go to: the ways there are, and what a number of each must look like. Pure, but for the words."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import iban, luhn
from stdnum.iso7064 import mod_97_10

from customers.rules import BadEmail, BadPhone, normal_email, normal_phone
from stores.l10n import fold_digits


class Method(models.TextChoices):
    """How a person is paid."""

    BANK = "bank", gettext_lazy("Bank account")
    GCASH = "gcash", gettext_lazy("GCash")
    MAYA = "maya", gettext_lazy("Maya")
    CARD = "card", gettext_lazy("Iranian bank card")
    PAYPAL = "paypal", gettext_lazy("PayPal")


# What people of a currency use; everybody else has a bank and, mostly, PayPal.
USUAL: dict[str, list[Method]] = {
    "PHP": [Method.GCASH, Method.MAYA, Method.BANK, Method.PAYPAL],
    "IRR": [Method.CARD, Method.BANK],
}


class BadNumber(ValueError):
    """That is no number of this kind; the text is for people."""


def methods_for(currency: str) -> list[Method]:
    """The ways a store of this currency offers."""
    return USUAL.get(currency, [Method.BANK, Method.PAYPAL])


def normal_number(method: Method, typed: str, *, currency: str) -> str:
    """The number as it is kept, whatever script, spaces and dashes it was typed with; raises BadNumber."""
    plain = re.sub(r"[\s\-–_.()\u200b-\u200f\u202a-\u202e\u2066-\u2069]", "", fold_digits(typed))
    return READERS[method](plain, typed, currency)


def is_iban(number: str) -> bool:
    """Whether an account number names its bank by itself, with its check digits right.

    Iran's are not in the register that the library goes by: 24 digits after IR. Source: ISO 13616, ISO 7064.
    """
    if number.startswith("IR"):
        is_right = re.fullmatch(r"IR\d{24}", number, re.ASCII)
        return bool(is_right and mod_97_10.is_valid(number[4:] + number[:4]))
    return bool(iban.is_valid(number))


def _bank(plain: str, _typed: str, currency: str) -> str:
    """An IBAN where it is one; elsewhere an account number as the bank wrote it."""
    text = plain.upper()
    if currency == "IRR" and text.isdecimal() and len(text) == 24:
        text = f"IR{text}"  # a sheba is often written without its country
    if is_iban(text):
        return text
    if re.match(r"[A-Z]{2}\d{2}", text):
        raise BadNumber(_("This IBAN has a mistake in it. Compare it with your bank's app, digit by digit."))
    if currency in WITH_IBAN or not re.fullmatch(r"[A-Z0-9]{5,34}", text) or not re.search(r"\d{4}", text):
        raise BadNumber(
            _("Write the IBAN: two letters, then digits.")
            if currency in WITH_IBAN
            else _("Write the account number: 5 to 34 digits or letters.")
        )
    return text


# Currencies whose banks all have IBANs.
WITH_IBAN = {"EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "IRR", "AED", "SAR", "TRY"}


def _philippine_mobile(_plain: str, typed: str, _currency: str) -> str:
    try:
        number = normal_phone(typed, "PH")
    except BadPhone:
        number = ""
    if not re.fullmatch(r"\+639\d{9}", number):
        raise BadNumber(_("Write the mobile number of the account, for example 0917 123 4567."))
    return number


def _iranian_card(plain: str, _typed: str, _currency: str) -> str:
    if not re.fullmatch(r"[2-9]\d{15}", plain, re.ASCII) or not luhn.is_valid(plain):
        raise BadNumber(_("This card number has a mistake in it. It has 16 digits, as they stand on the card."))
    return plain


def _paypal(_plain: str, typed: str, _currency: str) -> str:
    try:
        return normal_email(typed)
    except BadEmail as error:
        raise BadNumber(_("Write the e-mail address of your PayPal account, like name@example.com.")) from error


READERS: dict[Method, Callable[[str, str, str], str]] = {
    Method.BANK: _bank,
    Method.GCASH: _philippine_mobile,
    Method.MAYA: _philippine_mobile,
    Method.CARD: _iranian_card,
    Method.PAYPAL: _paypal,
}


def hint(method: Method, number: str) -> str:
    """As much of a number as its owner needs to know it by."""
    if method == Method.PAYPAL:
        name, _at, domain = number.partition("@")
        return f"{name[:1]}…@{domain}"[:40]
    return f"…{number[-4:]}"
