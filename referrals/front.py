"""The landing page in front of Django: a WSGI application that answers the ordinary opening of a share link.

The plain way is `public_views.landing`, and everything that is not ordinary goes there: bots, addresses with a query,
people who are logged in, links that are over, blocked or of partners, any error. What is answered here is the same
to the byte (tests/referrals/test_front.py), by one look-up in the database, a page made in advance (`faces`)
and a visit that is written to a file first (`services.visits`). Why: docs/decisions/0020-landing-in-front.md.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils import timezone
from django.utils.text import compress_string

from customers.rules import given_name
from referrals.faces import Faces, Filled, Kind
from referrals.public import devices
from referrals.public.friends import short
from referrals.public.pages import is_bot, opening_of
from referrals.services.visits import VisitLog
from stores import codes, doors, logs, metrics
from stores.middleware import KNOWN, Theme

logger = logging.getLogger(__name__)

ADDRESS = re.compile(r"/r/[A-Za-z0-9-]{4,40}")
ROUTE = "r/<path:code>"  # as Django calls it: whoever answered, it is counted under one name
OF_STAFF = (settings.SESSION_COOKIE_NAME, "messages")  # cookies that may change what the page says


@dataclass(frozen=True)
class Found:
    """What one look-up says of an ordinary link (migration 0017)."""

    store_id: int
    link_id: int
    code: str
    name: str
    locale: str
    store_locale: str

    @cached_property
    def sender(self) -> str:
        """What the friend sees of the advocate's name."""
        return short(given_name(self.name))


class Landing:
    """Answers GET /r/<code> where it can, and leaves everything else to `django`."""

    def __init__(self, django: WSGIApplication) -> None:
        self.django = django
        self.faces = Faces()
        self.visits = VisitLog(settings.DATA_DIR / "visits")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """The page of an ordinary opening; Django's answer to anything else."""
        answer, began = None, time.perf_counter()
        if environ["REQUEST_METHOD"] == "GET" and ADDRESS.fullmatch(environ["PATH_INFO"]):
            try:
                answer = self._answer(WSGIRequest(environ))
            except SuspiciousOperation:
                pass  # not our host, for one: Django refuses it
            except Exception:  # the page is there all the same, by the view
                logger.exception("a landing page is left to the view")
        if answer is None:
            return self.django(environ, start_response)
        headers, body = answer
        start_response("200 OK", headers)
        metrics.request_done(ROUTE, 200, time.perf_counter() - began)
        return [body]

    def _answer(self, request: WSGIRequest) -> tuple[list[tuple[str, str]], bytes] | None:
        if not _is_ordinary(request):
            return None
        now, identifier = timezone.now(), codes.random_characters(12).lower()
        logs.begin_request(identifier)
        found = look_up(request.path.removeprefix("/r/"), now)
        kind = _kind(request, found) if found else None
        face = self.faces.face(kind) if kind else None
        if found is None or face is None:
            return None
        known = devices.known_device(request)
        device = known or devices.new_device()
        opening = opening_of(request, face.store, found.link_id, device, now)
        words = {"sender": found.sender, "code": found.code, "path": request.path[1:], "token": opening["token"]}
        page = face.filled({**words, "device": device})
        self.visits.append(opening)
        return _sent(request, page, identifier, is_known=bool(known))


def look_up(typed: str, at: datetime) -> Found | None:
    """The link of this code, if there is nothing to decide about it; one statement, which is its own transaction."""
    row = doors.ask("SELECT * FROM goodword_landing(%s, %s)", [codes.normalise(typed), at])
    return Found(*row) if row else None


def _is_ordinary(request: WSGIRequest) -> bool:
    """A person without login, at an address without a query, by the host and the scheme that are ours."""
    return doors.is_ours(request) and not is_bot(request) and not any(name in request.COOKIES for name in OF_STAFF)


def _kind(request: HttpRequest, found: Found) -> Kind | None:
    """Which page: the language is the visitor's choice, else the advocate's, else the store's, or none of ours."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    language = next((one for one in (chosen, found.locale, found.store_locale) if one in KNOWN), "")
    theme = request.COOKIES.get(Theme.COOKIE, "")
    theme = theme if theme in (Theme.LIGHT, Theme.DARK) else ""
    return Kind(found.store_id, language, theme, bool(found.sender)) if language else None


def _sent(
    request: HttpRequest, page: Filled, identifier: str, *, is_known: bool
) -> tuple[list[tuple[str, str]], bytes]:
    headers, body = [*page.headers, ("X-Request-ID", identifier)], page.text.encode()
    if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        body = compress_string(body, max_random_bytes=GZipMiddleware.max_random_bytes)
        headers.append(("Content-Encoding", "gzip"))
    headers.append(("Content-Length", str(len(body))))
    if not is_known:
        headers.append(("Set-Cookie", page.cookie))
    return headers, body
