"""Landing pages made in advance: by Django, middleware and all, with marks where the personal words go.

What many links of a store have in common (the gift, the shop, its colours, what customers say, how many places are
left) is rendered once a second for each language and theme; a visitor's page is that text with the advocate's name,
the code and the visit's token filled in. The template, the view's context and the headers are the view's own, so what
changes there changes here; tests/referrals/test_front.py compares the two, byte by byte.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.module_loading import import_string

from customers.models import Customer
from referrals.models import Program, ShareLink, Visit
from referrals.public import devices
from referrals.public.spelling import said
from referrals.public_forms import ClaimForm
from referrals.public_views import Invited, landing_of
from referrals.services.programs import running
from stores import directory
from stores.middleware import Theme, speak
from stores.models import Store
from stores.public import act_in, public_page

FRESH_SECONDS, STALE_SECONDS = 1.0, 2.0
MOST = 300  # kept at once, of some 10 kB each
# It reads every static file when it is made, and says nothing about pages.
SERVES_FILES = "whitenoise.middleware.WhiteNoiseMiddleware"
MARK = secrets.token_hex(6)  # no text has it by chance, no escaping changes it, no name is cut for it
SLOTS = ("sender", "code", "path", "token", "device")
LETTERS = tuple(f"{MARK}{place}" for place in (1, 2, 3))


@dataclass(frozen=True)
class Kind:
    """What decides how a page looks, apart from the words that are filled in."""

    store: int
    language: str
    theme: str
    is_named: bool  # whether the advocate's name is known


@dataclass(frozen=True)
class Filled:
    """A visitor's page: the headers, that of the device's cookie apart, and the text."""

    headers: list[tuple[str, str]]
    cookie: str
    text: str


class Face:
    """A page with marks in it."""

    def __init__(self, kind: Kind, store: Store, response: HttpResponse) -> None:
        self.language, self.store, self.made_at = kind.language, store, time.monotonic()
        self.headers = [
            (name, value) for name, value in response.items() if name not in ("Content-Length", "X-Request-ID")
        ]
        self.cookie = _with_slots(response.cookies[devices.COOKIE].OutputString())
        text, self.between_letters, self.between_groups = _without_spelling(response.content.decode())
        self.text = _with_slots(text)

    @property
    def age(self) -> float:
        """In seconds."""
        return time.monotonic() - self.made_at

    def filled(self, words: Mapping[str, str]) -> Filled:
        """The page with these words (SLOTS)."""
        groups = ([said(one, self.language) for one in group] for group in words["code"].split("-"))
        spelling = self.between_groups.join(map(self.between_letters.join, groups))
        escaped = {name: escape(value) for name, value in words.items()}
        return Filled(self.headers, self.cookie % words, self.text % {**escaped, "spelling": spelling})


def _with_slots(text: str) -> str:
    """The text as a template of %-formatting."""
    text = text.replace("%", "%%")
    for name in (*SLOTS, "spelling"):
        text = text.replace(MARK + name, f"%({name})s")
    return text


def _without_spelling(text: str) -> tuple[str, str, str]:
    """The text with one mark for the code's letters, and what stands between two letters and between two groups.

    The template has written three letters, the last in a group of its own. A page without a code has none of it.
    """
    before, found, rest = text.partition(LETTERS[0])
    if not found:
        return text, "", ""
    between_letters, _, rest = rest.partition(LETTERS[1])
    between_groups, _, after = rest.partition(LETTERS[2])
    return f"{before}{MARK}spelling{after}", between_letters, between_groups


class Faces:
    """The faces that are in use, each made anew when it is a second old."""

    def __init__(self) -> None:
        self._known: dict[Kind, Face] = {}
        self._making = Lock()
        self._handler: Any = _page
        for name in reversed([name for name in settings.MIDDLEWARE if name != SERVES_FILES]):
            self._handler = import_string(name)(self._handler)

    def face(self, kind: Kind) -> Face | None:
        """The face of this kind; None while no program runs for everybody."""
        known = self._known.get(kind)
        if known and known.age < FRESH_SECONDS:
            return known
        # One thread makes the next; the others show this one those milliseconds longer, or wait for it.
        may_wait = known is None or known.age >= STALE_SECONDS
        if not self._making.acquire(blocking=may_wait):
            return known
        try:
            known = self._known.get(kind)
            return known if known and known.age < FRESH_SECONDS else self._made(kind)
        finally:
            self._making.release()

    def _made(self, kind: Kind) -> Face | None:
        if len(self._known) >= MOST:
            self._known.clear()
        with transaction.atomic():
            store = directory.enter(kind.store)
            program = running(store, timezone.now()).get(Program.Audience.CUSTOMERS) if store else None
            if store is None or program is None:
                self._known.pop(kind, None)
                return None
            face = Face(kind, store, self._handler(_request(kind, program)))
        self._known[kind] = face
        return face


def _request(kind: Kind, program: Program) -> HttpRequest:
    """Of nobody: what a browser sends that has chosen this language and theme, and nothing else."""
    site = urlsplit(settings.SITE_URL)
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": f"/{MARK}path",
            "HTTP_HOST": site.netloc,
            "HTTP_COOKIE": f"{settings.LANGUAGE_COOKIE_NAME}={kind.language}; {Theme.COOKIE}={kind.theme}",
            "SERVER_NAME": site.hostname or "",
            "SERVER_PORT": str(site.port or ""),
            "wsgi.url_scheme": site.scheme,
            "wsgi.input": BytesIO(),
        }
    )
    request.kind, request.program = kind, program  # type: ignore[attr-defined]
    return request


@public_page
def _page(request: HttpRequest) -> HttpResponse:
    """`public_views.landing` for a link that has marks for words."""
    kind, program = request.kind, request.program  # type: ignore[attr-defined]
    store = program.store
    advocate = Customer(store=store, name=f"{MARK}sender" if kind.is_named else "", locale=kind.language)
    link = ShareLink(store=store, customer=advocate, code=f"{MARK}code")
    act_in(request, store)
    speak(request, kind.language)
    page = landing_of(Invited(link, program), ClaimForm(), visit=Visit(token=f"{MARK}token"))
    page["spelled"] = [LETTERS[:2], LETTERS[2:]]
    response = render(request, "referrals/public/landing.html", page)
    return devices.remember(response, f"{MARK}device")
