"""Numbers, money and dates as people write them in English, Persian and Filipino, and back.

Pure functions: the language, the time zone and the moment are arguments. Babel knows currencies and
English and Filipino dates; its Persian mixes digits and knows no Jalali calendar, so that part is ours.
Source: CLDR by Babel for exponents, symbols and month names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

import jdatetime
from babel import dates
from babel.core import Locale
from babel.numbers import get_currency_precision, get_currency_symbol
from django.utils.translation import get_language
from django.utils.translation import gettext as _

LEFT_TO_RIGHT_MARK = "\u200e"
MINUS = "\u2212"
PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
JALALI_MONTHS = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
DATE_PATTERN = "d MMM y"
JUST_NOW = {"en": "just now", "fa": "همین حالا", "fil": "ngayon lang"}
TOMAN = {"en": "toman", "fa": "تومان", "fil": "toman"}
COMMA = {"en": ", ", "fa": "، ", "fil": ", "}
RIAL = {"en": "IRR", "fa": "ریال", "fil": "IRR"}
MOST_DIGITS = 18  # what a 64-bit column holds, whatever was typed

_TO_ASCII = str.maketrans({chr(start + value): str(value) for start in (0x06F0, 0x0660, 0xFF10) for value in range(10)})
_TO_PERSIAN = str.maketrans("0123456789", PERSIAN_DIGITS)
_TO_PERSIAN_MARKS = str.maketrans(",.", "٬٫")
_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک"})
_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u061c\u00ad]")
_GROUPS = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}")


def fold_digits(text: str) -> str:
    """The text with Persian, Arabic and full-width digits as 0-9; everything else stays."""
    return text if text.isascii() else text.translate(_TO_ASCII)


def fold_text(text: str) -> str:
    """The text as it is matched and searched: never shown.

    Arabic yeh and kaf become Persian, digits ASCII; case, width and accents go, joiners and direction
    marks are dropped, spaces collapse.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    letters = unicodedata.normalize("NFKC", text).translate(_LETTERS).casefold()
    parts = unicodedata.normalize("NFKD", _MARKS.sub("", letters))
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    return " ".join(fold_digits(unicodedata.normalize("NFKC", bare)).split())


def local_digits(text: str, lang: str) -> str:
    """The text with 0-9 in the language's own digits."""
    return text.translate(_TO_PERSIAN) if _base(lang) == "fa" else text


def format_list(names: Iterable[str], lang: str) -> str:
    """Names in a row: mug, plate; with the comma of the language."""
    return COMMA[_base(lang)].join(names)


def format_number(value: float | Decimal, lang: str, *, decimals: int = 0, sign: bool = False) -> str:
    """A number with its thousands apart: 1,240, ۱٬۲۴۰; rounded to `decimals`, a zero end cut off.

    `sign` puts a plus before what is above zero.
    """
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    text = f"{abs(exact):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    mark = MINUS if exact < 0 else "+" if sign and exact > 0 else ""
    return _signed(mark, _localized(text, lang), lang)


def format_percent(ratio: float | Decimal, lang: str, *, decimals: int = 0, sign: bool = False) -> str:
    """A share of one as percent: 0.24 gives 24%; 0.053 with one of `decimals` gives 5.3%."""
    text = format_number(Decimal(str(ratio)) * 100, lang, decimals=decimals, sign=sign)
    return text + ("٪" if _base(lang) == "fa" else "%")


def exponent(currency: str) -> int:
    """How many decimals the currency has: 2 for PHP, 0 for JPY, 3 for BHD."""
    return int(get_currency_precision(currency))


def format_money(
    minor: int, currency: str, lang: str, *, toman: bool = False, exact: bool = False, sign: bool = False
) -> str:
    """An amount in words people pay with: ₱1,550, −₱310.50, ۱۵۰٬۰۰۰ تومان.

    `minor` is in minor units. A whole amount shows no decimals unless `exact` (bills, columns of
    sums). `toman` shows rial amounts in toman, ten rials each. `sign` puts a plus before a gain.
    """
    places = _places(currency, toman=toman)
    units = Decimal(abs(minor)).scaleb(-places)
    is_bare = units == units.to_integral_value() and (not exact or _is_toman(currency, toman))
    number = _localized(f"{units:,.{0 if is_bare else places}f}", lang)
    mark = MINUS if minor < 0 else "+" if sign and minor > 0 else ""
    symbol = _symbol(currency, _base(lang), toman)
    if _base(lang) == "fa" or _is_toman(currency, toman):
        return f"{_signed(mark, number, lang)} {symbol}"
    return f"{mark}{symbol}{' ' if symbol[-1].isalpha() else ''}{number}"


def display_amount(minor: int, currency: str, *, toman: bool = False) -> Decimal:
    """The amount in the unit people count in: pesos for centavos, tomans for rials where `toman`."""
    return Decimal(minor).scaleb(-_places(currency, toman=toman))


def money_input(minor: int, currency: str, *, toman: bool = False) -> str:
    """The amount as a form field holds it, in the active language's digits; `parse_money` reads it back."""
    units = display_amount(minor, currency, toman=toman)
    is_whole = units == units.to_integral_value()
    text = f"{units:.{0 if is_whole else _places(currency, toman=toman)}f}"
    return _localized(text, get_language() or "en")


def parse_money(text: str, currency: str, *, toman: bool = False) -> int:
    """What somebody typed, in minor units of `currency`; the reverse of `format_money`.

    Takes digits of three scripts, grouping, a decimal point or comma, and the currency's sign or
    code. `toman` says that a bare number of rials means tomans; a unit that was typed wins. Raises
    ValueError with a sentence for people: nothing, no number, negative, too many decimals, too big.
    """
    plain, toman = _without_unit(fold_digits(_MARKS.sub("", text)), currency, toman=toman)
    if not plain:
        raise ValueError(_("Write an amount, for example 1500."))
    if plain[0] in "-−–(" or plain[-1] in "-−":
        raise ValueError(_("The amount cannot be below zero."))
    whole, fraction = _split(plain)
    places = _places(currency, toman=toman)
    # 1.500 is 1500 to half the world, so three zeros are not cut off as if they meant nothing.
    if len(fraction) > places and (fraction.strip("0") or len(fraction) == 3):
        raise ValueError(
            _("Too many digits after the decimal point.") if places else _("This currency has no decimals.")
        )
    digits = whole + fraction[:places].ljust(places, "0")
    if len(digits.lstrip("0")) > MOST_DIGITS:
        raise ValueError(_("This amount is too big."))
    return int(digits)


def format_date(value: date, lang: str, tz: tzinfo = UTC) -> str:
    """A day: 20 Nov 2026, 20 Nob 2026, ۲۹ آبان ۱۴۰۵. A moment (aware) is the day it has in `tz`."""
    day = _in_zone(value, tz)
    base = _base(lang)
    if base == "fa":
        jalali = jdatetime.date.fromgregorian(date=day.date() if isinstance(day, datetime) else day)
        return local_digits(f"{jalali.day} {JALALI_MONTHS[jalali.month - 1]} {jalali.year}", lang)
    return dates.format_date(day, DATE_PATTERN, locale=_locale(base))


def format_datetime(value: datetime, lang: str, tz: tzinfo = UTC) -> str:
    """A moment in `tz`, to the minute, on a 24-hour clock: 20 Nov 2026, 18:05."""
    moment = _in_zone(value, tz)
    comma = "،" if _base(lang) == "fa" else ","
    return f"{format_date(moment, lang, tz)}{comma} {format_time(value, lang, tz)}"


def format_time(value: datetime, lang: str, tz: tzinfo = UTC) -> str:
    """The time of day in `tz` on a 24-hour clock: 18:05."""
    return local_digits(f"{_in_zone(value, tz):%H:%M}", lang)


def format_ago(value: datetime, now: datetime, lang: str) -> str:
    """How long ago, or until: 5 hours ago, in 3 days. Both moments are aware."""
    delta = value - now
    if abs(delta.total_seconds()) < 60:
        return JUST_NOW[_base(lang)]
    text = dates.format_timedelta(delta, add_direction=True, threshold=1.5, locale=_locale(_base(lang)))
    return local_digits(text, lang)


def _base(lang: str) -> str:
    base = (lang or "en").replace("_", "-").split("-")[0]
    return base if base in JUST_NOW else "en"


@lru_cache(maxsize=8)
def _locale(base: str) -> Locale:
    return Locale.parse(base)


def _localized(number: str, lang: str) -> str:
    """A number written 1,234.5 in the language's digits and marks."""
    return local_digits(number.translate(_TO_PERSIAN_MARKS), lang) if _base(lang) == "fa" else number


def _signed(sign: str, number: str, lang: str) -> str:
    # A bare sign lands on the wrong side of the number in right-to-left text.
    mark = LEFT_TO_RIGHT_MARK if sign and _base(lang) == "fa" else ""
    return f"{mark}{sign}{number}"


def _in_zone(value: date, tz: tzinfo) -> date:
    return value.astimezone(tz) if isinstance(value, datetime) else value


def _is_toman(currency: str, toman: bool) -> bool:
    return toman and currency == "IRR"


@lru_cache(maxsize=512)
def _places(currency: str, *, toman: bool) -> int:
    """How many digits stand after the decimal mark."""
    return 1 if _is_toman(currency, toman) else exponent(currency)


@lru_cache(maxsize=512)
def _symbol(currency: str, base: str, toman: bool) -> str:
    if currency == "IRR":
        return (TOMAN if toman else RIAL)[base]
    return _MARKS.sub("", get_currency_symbol(currency, locale=_locale(base)))


@lru_cache(maxsize=512)
def _units(currency: str) -> tuple[str, ...]:
    """Every way to write the currency beside an amount, longest first."""
    known = {currency, *(_symbol(currency, base, False) for base in JUST_NOW)}
    known |= {get_currency_symbol(currency, locale=_locale("en")), "Rial"} if currency == "IRR" else set()
    return tuple(sorted({unit.casefold() for unit in known}, key=len, reverse=True))


def _without_unit(text: str, currency: str, *, toman: bool) -> tuple[str, bool]:
    """The bare amount, and whether it counts tomans."""
    plain = " ".join(text.translate(_LETTERS).casefold().split())
    units = [(unit, toman if currency != "IRR" else False) for unit in _units(currency)]
    if currency == "IRR":
        units = [(word, True) for word in {*TOMAN.values()}] + units
    for unit, counts_tomans in units:
        if plain.endswith(unit) or plain.startswith(unit):
            bare = plain.removesuffix(unit) if plain.endswith(unit) else plain.removeprefix(unit)
            return bare.strip(), counts_tomans
        if plain[:1] in "-−" and plain[1:].startswith(unit):  # −₱310 is negative, not unreadable
            return plain[0] + plain[1:].removeprefix(unit).strip(), counts_tomans
    return plain, toman


def _split(plain: str) -> tuple[str, str]:
    """Digits before and after the decimal mark; ValueError where it is no number."""
    text = plain.replace("٫", ".").replace("٬", ",").replace("،", ",")
    text = re.sub(r"(?<=\d)[ '’](?=\d{3})", "_", text)
    marks = [mark for mark in text if mark in ".,"]
    # The last mark is the decimal one when it stands alone after others, or cannot part thousands.
    decimal = marks[-1] if marks and marks.count(marks[-1]) == 1 else ""
    if decimal == "," and len(set(marks)) == 1 and len(text) - text.rindex(",") == 4:
        decimal = ""  # 1,500
    whole, _mark, fraction = text.partition(decimal) if decimal else (text, "", "")
    whole = whole.replace(".", ",").replace("_", ",")
    readable = whole.isdecimal() or _GROUPS.fullmatch(whole) or (not whole and fraction)
    if not text.isascii() or not readable or (fraction and not fraction.isdecimal()):
        raise ValueError(_("This is not an amount. Write digits only, for example 1500."))
    return whole.replace(",", "") or "0", fraction
