"""How a message will look, shown with made-up values before anybody gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from customers.models import Channel, Customer
from outreach import fields
from outreach.channels import Letter
from outreach.channels.sms import segments
from outreach.kinds import Kind, Way
from outreach.language import BadWords, compile_words
from outreach.models import Message
from outreach.rendering import compose, script
from outreach.words import PIECES, Wording
from stores.models import Store

# As long as a real one, so that a text message counts the parts it will have; and no real one.
MADE_UP = "their-own-link-stands-right-here"
VIEWS = ("mail", "text", "plain", "script")


@dataclass(frozen=True)
class Preview:
    """What the editor shows beside its form; `problems` instead when the words cannot be read."""

    language: str
    view: str
    letter: Letter | None = None
    script: str = ""
    parts: segments.Segments | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def dir(self) -> str:
        """Which way the language runs."""
        return "rtl" if self.language == "fa" else "ltr"


def preview(
    store: Store, kind: Kind, words: Wording, language: str, view: str, *, at: datetime, bare: bool = False
) -> Preview:
    """The words as `view` (of VIEWS) shows them; `bare`: to somebody of whom nothing is known."""
    problems = problems_of(kind, words)
    if problems:
        return Preview(language, view, problems=problems)
    message = example(store, kind, language, at=at, bare=bare)
    if view == "script":
        way = next((Way(one) for one in (Way.CALL, *kind.spec.ways) if Way(one).is_task), Way.CALL)
        return Preview(language, view, script=script(store, message, words, language, way))
    message.channel = Channel.SMS if view == "text" else Channel.EMAIL
    written = compose(store, message, words, language, stop=_url("u"), framed=True)
    return Preview(language, view, written, parts=segments.count(written.text) if view == "text" else None)


def problems_of(kind: Kind, words: Wording) -> list[str]:
    """What stands in the way of using the words, all pieces together."""
    found = []
    for name in PIECES:
        try:
            compile_words(words.piece(name), fields.names_of(kind), conditions(name))
        except BadWords as error:
            found += error.problems
    return list(dict.fromkeys(found))


def conditions(name: str) -> tuple[str, ...]:
    """What a piece may ask besides the fields: a script, how it reaches the person."""
    return tuple(str(way) for way in fields.WAYS_ASKED) if name == "script" else ()


def example(store: Store, kind: Kind, language: str, *, at: datetime, bare: bool = False) -> Message:
    """A message nobody gets, with an example of every field; not saved."""
    values = {
        one.name: one.sample(language, at)
        for one in fields.of(kind)
        if one.name not in fields.COMMON and not (bare and one.can_be_empty and not _is_sure(one, kind))
    }
    name = "" if bare else fields.FIELDS["name"].sample(language, at)
    return Message(
        public_id="preview",
        store=store,
        customer=Customer(store=store, name=name, locale=language),
        kind=kind,
        to="preview",
        context={**values, "links": links()},
    )


def _is_sure(one: fields.Field, kind: Kind) -> bool:
    """Whether messages of this kind always have it."""
    return one.is_risky and one.name not in fields.risky(kind)


def links() -> dict[str, str]:
    """Where the links of an example lead: nowhere, at their true length."""
    return {
        "action": _url("me"),
        "survey": _url("s"),
        "share": _url("me"),
        "landing": f"{settings.SITE_URL}/r/SARA-2K7M",
    }


def _url(door: str) -> str:
    return f"{settings.SITE_URL}/{door}/{MADE_UP}"
