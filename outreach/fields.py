"""The fields owners may use in their words: what each means, an example of it, how it reads in a language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from outreach.kinds import Action, Kind, Way
from outreach.language import ISOLATE, ISOLATE_END, NOTHING, Shown, clean
from outreach.models import Message
from stores import l10n
from stores.models import Store

LONG, SHORT = 80, 40  # characters of a value in a letter, in a text message
LINK_IN_A_NAME = re.compile(r"(?<=\w)\.(?=\w{2})|://|@|www\.", re.IGNORECASE)


class Shape(Enum):
    """How a value is kept in `Message.context`, and how it reads."""

    TEXT = "text"
    NAME = "name"  # typed by people about themselves: short, and never a link
    QUOTE = "quote"
    NUMBER = "number"
    DAY = "day"  # ISO date
    MOMENT = "moment"  # ISO datetime with offset


@dataclass(frozen=True)
class Field:
    """One field. `instead` is what stands where the value is empty; without it, an empty field prints nothing."""

    name: str
    label: Promise
    samples: Mapping[str, Any]
    shape: Shape = Shape.TEXT
    can_be_empty: bool = False
    instead: Promise | str = ""

    @property
    def typed(self) -> str:
        """As it is written in a text."""
        return f"{{{{ {self.name} }}}}"

    @property
    def is_risky(self) -> bool:
        """Whether a text that prints it without `if` or default may read as if something were missing."""
        return self.can_be_empty and not self.instead

    def sample(self, language: str, at: datetime) -> Any:
        """An example as `Message.context` keeps it."""
        value = self.samples.get(language, self.samples["en"])
        if isinstance(value, timedelta):
            then = at + value
            return then.date().isoformat() if self.shape is Shape.DAY else then.isoformat()
        return value


def _same(value: Any) -> dict[str, Any]:
    return {"en": value}


_ALL = (
    Field(
        "name",
        _("Their first name"),
        {"en": "Sara", "fa": "سارا", "fil": "Maria"},
        Shape.NAME,
        can_be_empty=True,
        instead=pgettext_lazy("in the place of a first name, as in “Hello there,”", "there"),
    ),
    Field("store", _("The name of your store"), _same("")),
    Field(
        "product",
        _("What they bought"),
        {"en": "Blue Mug", "fa": "ماگ آبی", "fil": "Asul na tasa"},
        can_be_empty=True,
    ),
    Field("code", _("The code"), _same("SARA-2K7M"), can_be_empty=True),
    Field("friend_gets", _("What the friend gets"), {"en": "10% off", "fa": "۱۰٪ تخفیف", "fil": "10% na bawas"}),
    Field(
        "you_get",
        _("What they get when a friend buys"),
        {"en": "10% off", "fa": "۱۰٪ تخفیف", "fil": "10% na bawas"},
        can_be_empty=True,
    ),
    Field(
        "friend",
        _("The friend’s first name and initial"),
        {"en": "Ben C.", "fa": "آرش م.", "fil": "Jose R."},
        Shape.NAME,
        can_be_empty=True,
        instead=pgettext_lazy("in the place of a friend's name, as in “your friend has bought”", "your friend"),
    ),
    Field("friends", _("How many friends they brought"), _same(3), Shape.NUMBER),
    Field("gift", _("What the reward or gift is"), {"en": "10% off", "fa": "۱۰٪ تخفیف", "fil": "10% na bawas"}),
    Field("until", _("The last day"), _same(timedelta(days=30)), Shape.DAY, can_be_empty=True),
    Field(
        "why",
        _("The reason"),
        {"en": "the purchase was returned", "fa": "خرید پس داده شد", "fil": "ibinalik ang binili"},
        can_be_empty=True,
    ),
    Field(
        "left",
        _("What they keep of it, if part is kept"),
        {"en": "₱70", "fa": "۷۰٬۰۰۰ تومان", "fil": "₱70"},
        can_be_empty=True,
    ),
    Field(
        "settled",
        _("What of it settled an earlier reward that had to be taken back"),
        {"en": "₱30", "fa": "۳۰٬۰۰۰ تومان", "fil": "₱30"},
        can_be_empty=True,
    ),
    Field("tier", _("The name of the level"), {"en": "Gold", "fa": "طلایی", "fil": "Ginto"}, can_be_empty=True),
    Field("missing", _("How many friends are missing"), _same(1), Shape.NUMBER),
    Field("counts_on", _("The day it counts"), _same(timedelta(days=14)), Shape.DAY, can_be_empty=True),
    Field("promise", _("The time promised to them"), _same(timedelta(days=1)), Shape.MOMENT, can_be_empty=True),
    Field(
        "words",
        _("What they wrote"),
        {
            "en": "The best mug I ever had.",
            "fa": "بهترین ماگی که داشته‌ام.",
            "fil": "Ang pinakamagandang tasa ko.",
        },
        Shape.QUOTE,
        can_be_empty=True,
    ),
    Field("orders", _("How many times they bought"), _same(5), Shape.NUMBER),
    Field(
        "contest",
        _("The contest it was won in"),
        {"en": "Friends’ week", "fa": "هفتهٔ دوستان", "fil": "Linggo ng kaibigan"},
        can_be_empty=True,
    ),
    Field("place", _("Which place they came in"), _same(2), Shape.NUMBER, can_be_empty=True),
)
FIELDS: dict[str, Field] = {one.name: one for one in _ALL}
COMMON = ("name", "store")
# What a script may ask, to read differently on the phone, on paper and at the counter.
WAYS_ASKED = (Way.CALL, Way.NOTE, Way.VISIT)


@cache
def of(kind: Kind) -> tuple[Field, ...]:
    """The fields the words of this kind may use, common ones first."""
    return tuple(FIELDS[name] for name in (*COMMON, *kind.spec.fields))


@cache
def names_of(kind: Kind) -> frozenset[str]:
    """Their names."""
    return frozenset((*COMMON, *kind.spec.fields))


def risky(kind: Kind) -> frozenset[str]:
    """Those that may be empty with nothing to stand in.

    An ask always has its code; a message of the owner's own goes out while the program is paused, too.
    """
    names = {one.name for one in of(kind) if one.is_risky}
    if kind is Kind.OWN:
        return frozenset({*names, "friend_gets"})
    return frozenset(names - {"code"} if kind.spec.action is Action.SHARE else names)


def values(store: Store, message: Message, language: str, *, longest: int = LONG) -> dict[str, Shown]:
    """What the fields of a message read like in `language`, which is active. Bad values read as empty."""
    given = _given(message)
    return {one.name: _shown(one, given.get(one.name), store, language, longest) for one in of(Kind(message.kind))} | {
        "store": Shown(store.name, _isolated(clean(store.name), language))
    }


def _given(message: Message) -> dict[str, Any]:
    """The row's values, with those of older rows under their present names."""
    given = {"name": message.customer.first_name, **message.context}
    given.setdefault("friend", given.get("advocate"))
    if given.get("is_advocate") and not given["friend"]:
        given["friend"] = str(FIELDS["friend"].instead)  # somebody bought: the words must say so
    return given


def _shown(one: Field, value: Any, store: Store, language: str, longest: int) -> Shown:
    if value in (None, ""):
        return Shown(instead=str(one.instead)) if one.instead else NOTHING
    try:
        raw, text = SHAPES[one.shape](value, store, language, longest)
    except (TypeError, ValueError, OverflowError):
        return NOTHING
    return Shown(raw, _isolated(text, language), str(one.instead))


Read = tuple[Any, str]


def _text(value: Any, _store: Store, _language: str, longest: int) -> Read:
    text = " ".join(clean(str(value)).split())
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return short, short


def _name(value: Any, store: Store, language: str, _longest: int) -> Read:
    return _text(LINK_IN_A_NAME.sub(" ", str(value)), store, language, SHORT)


def _quote(value: Any, store: Store, language: str, longest: int) -> Read:
    return _text(value, store, language, 6 * longest)


def _number(value: Any, _store: Store, language: str, _longest: int) -> Read:
    return int(value), l10n.format_number(int(value), language)


def _day(value: Any, _store: Store, language: str, _longest: int) -> Read:
    return str(value), l10n.format_date(date.fromisoformat(str(value)), language)


def _moment(value: Any, store: Store, language: str, _longest: int) -> Read:
    moment = datetime.fromisoformat(str(value))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return str(value), l10n.format_datetime(aware, language, store.zone)


SHAPES: dict[Shape, Callable[[Any, Store, str, int], Read]] = {
    Shape.TEXT: _text,
    Shape.NAME: _name,
    Shape.QUOTE: _quote,
    Shape.NUMBER: _number,
    Shape.DAY: _day,
    Shape.MOMENT: _moment,
}


def _isolated(text: str, language: str) -> str:
    """The text kept apart where it runs against the language's direction, so that it turns nothing around it.

    Only there: the marks would turn a plain English text message to UCS-2, at half the length.
    """
    if language != "fa" and text.isascii():
        return text
    against = {"L"} if language == "fa" else {"R", "AL"}
    if any(unicodedata.bidirectional(one) in against for one in text):
        return f"{ISOLATE}{text}{ISOLATE_END}"
    return text
