"""A letter's page, rendered once for all letters that differ in their words only; the words are put into its slots.

Django's template and the reader that writes the plain part from it take two milliseconds; slots take some microseconds.
`in_slots(context)` gives what `in_full(context)` gives, or None where words might change what stands around them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape  # Django's looks for lazy texts first, which takes longer than escaping
from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import override

from outreach.language import ISOLATE, ISOLATE_END
from outreach.plain import plain_text
from stores.models import Store

TEMPLATE = "outreach/base_mail.html"
MOST_FRAMES = 512
EMPTY_LINES = re.compile(r"\n\s*\n")
# Nobody who does not know the token can write a slot.
_TOKEN = secrets.token_hex(8)
SLOT = re.compile(rf"(?:https://)?\ue010{_TOKEN}:([\w.]+)\ue011")
URLS, WORDS = ("url", "landing", "unsubscribe_url"), ("button", "code", "question")
Context = Mapping[str, Any]


class Page(NamedTuple):
    """Both parts of a letter."""

    html: str
    text: str


def page(context: Context) -> Page:
    """The letter with this context (`rendering` makes it)."""
    return in_slots(context) or in_full(context)


def in_full(context: Context) -> Page:
    """By the template, and the text from the HTML."""
    html = EMPTY_LINES.sub("\n", render_to_string(TEMPLATE, dict(context)))
    return Page(html, plain_text(html))


def in_html(text: str) -> SafeString:
    """Escaped; what is kept apart for its direction stands in <bdi>."""
    return SafeString(escape(text).replace(ISOLATE, "<bdi>").replace(ISOLATE_END, "</bdi>"))


# -- Slots --


class Shop(NamedTuple):
    """What the page says of a store; stands in its place, so that nothing else of it can get into a frame."""

    name: str
    brand_color: str
    website: str
    postal_address: str
    phone: str


class Frame(NamedTuple):
    """The page cut at its slots: what stands between them, and their names, in turn."""

    html: tuple[str, ...]
    text: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """All that the page hangs on but the words: `filled` are the slots that are not empty."""

    shop: Shop
    language: str
    action: str
    rows: tuple[Any, ...]
    why: str
    is_framed: bool
    paragraphs: int
    filled: frozenset[str]
    store_shown: str


class Value(NamedTuple):
    """What is put into a slot."""

    html: str
    text: str


def in_slots(context: Context) -> Page | None:
    """The letter from its frame; None where it has to be rendered in full."""
    values = _values(context)
    if values is None:
        return None
    frame = _frame(_shape(context, values))
    return Page(
        _filled(frame.html, {name: value.html for name, value in values.items()}),
        _filled(frame.text, {name: value.text for name, value in values.items()}),
    )


def _filled(pieces: tuple[str, ...], values: Mapping[str, str]) -> str:
    """Every second piece is the name of a slot."""
    return "".join([values[piece] if place % 2 else piece for place, piece in enumerate(pieces)])


def _values(context: Context) -> dict[str, Value] | None:
    """What goes into each slot that is not empty; None when one of them could change what stands around it."""
    values = dict(_slots(context))
    if any(not _stays_put(name, value.text) for name, value in values.items()):
        return None
    url, button = values.get("url"), values.get("button")
    return None if url and button and url.text == button.text else values  # plain_text() would leave out one of them


def _slots(context: Context) -> Iterator[tuple[str, Value]]:
    for name in (*URLS, *WORDS):
        if context[name]:
            yield name, Value(escape(str(context[name])), str(context[name]))
    if context["preheader"]:
        yield "preheader", Value(context["preheader"], "unseen")
    for place, text in enumerate(context["parts"]):
        yield f"paragraph.{place}", Value(context["paragraphs"][place], _bare(text))
    for name, text in context["said"].items():
        if text and name != "store":
            yield f"shown.{name}", Value(context["shown"][name], _bare(text))


def _bare(text: str) -> str:
    return text.replace(ISOLATE, "").replace(ISOLATE_END, "")


def _stays_put(name: str, text: str) -> bool:
    """Whether the words stand in the plain part as they are: no blanks to fold, no rule that reads them as marks."""
    if name in URLS:
        return text.startswith(("http://", "https://")) and len(text.split()) == 1
    lines = text.split("\n") if name.startswith("paragraph.") else [text]
    return all(line and line != "--" and line == " ".join(line.split()) for line in lines)


def _shape(context: Context, values: Mapping[str, Value]) -> Shape:
    store: Store = context["store"]
    return Shape(
        shop=Shop(store.name, store.brand_color, store.website, store.postal_address, store.phone),
        language=context["language"],
        action=context["action"],
        rows=tuple(context["rows"]),
        why=context["why"],
        is_framed=context["framed"],
        paragraphs=len(context["parts"]),
        filled=frozenset(values),
        store_shown=context["shown"]["store"],
    )


@lru_cache(maxsize=MOST_FRAMES)
def _frame(shape: Shape) -> Frame:
    """The page with a mark in each slot, cut at the marks."""
    with override(shape.language):
        whole = in_full(_marked(shape))
    return Frame(tuple(SLOT.split(whole.html)), tuple(SLOT.split(whole.text)))


def _marked(shape: Shape) -> dict[str, Any]:
    """The context of a letter whose words are marks."""

    def mark(name: str) -> str:
        return f"\ue010{_TOKEN}:{name}\ue011" if name in shape.filled else ""

    return {
        **directions(shape.language),
        **{name: mark(name) and f"https://{mark(name)}" for name in URLS},
        **{name: mark(name) for name in (*WORDS, "preheader")},
        "store": shape.shop,
        "action": shape.action,
        "rows": shape.rows,
        "why": shape.why,
        "framed": shape.is_framed,
        "paragraphs": [mark(f"paragraph.{place}") for place in range(shape.paragraphs)],
        "shown": {"store": SafeString(shape.store_shown)}  # in_html() made it
        | {name.removeprefix("shown."): mark(name) for name in shape.filled if name.startswith("shown.")},
    }


def directions(language: str) -> dict[str, str]:
    """Which way the page runs."""
    rtl = language == "fa"
    return {
        "language": language,
        "dir": "rtl" if rtl else "ltr",
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
    }
