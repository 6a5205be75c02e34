"""What every request passes through: an id for the log, a language, day or night."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.utils import translation

from stores import logs, metrics
from stores.codes import random_characters

Handler = Callable[[HttpRequest], HttpResponse]
KNOWN = {code for code, _ in settings.LANGUAGES}


class RequestId:
    """Give each request an id that stands in its log lines and in error answers."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request under a new id."""
        identifier = random_characters(12).lower()
        logs.begin_request(identifier)
        response = self.get_response(request)
        response["X-Request-ID"] = identifier
        return response


class Measured:
    """Count and time each request by the template of its address, for /metrics."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and note how long that took."""
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        metrics.request_done(match.route if match else "", response.status_code, time.perf_counter() - began)
        return response


class Compressed(GZipMiddleware):
    """gzip for whatever is text: pages, and static files where no compressed copies were collected.

    Pictures and fonts are small already. The length varies by chance, so that it tells nothing (BREACH).
    """

    TEXT = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:  # type: ignore[override]
        """The answer, compressed if it is text and the browser can read that."""
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        return super().process_response(request, response) if kind in self.TEXT else response  # type: ignore[return-value]


class Language:
    """Choose the language: `?lang=`, then the cookie, then the browser, then the default.

    A choice by `?lang=` is kept in the cookie. Pages of one customer pass their own language to
    `speak` when nobody has chosen.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request in the chosen language."""
        asked = request.GET.get("lang", "")
        chosen = asked if asked in KNOWN else request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        request.chosen_language = chosen if chosen in KNOWN else ""  # type: ignore[attr-defined]
        translation.activate(request.chosen_language or translation.get_language_from_request(request))  # type: ignore[attr-defined]
        request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]
        response = self.get_response(request)
        if asked in KNOWN and not getattr(response, "keeps_no_cookie", False):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                asked,
                max_age=365 * 86400,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=True,
                samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            )
        response.setdefault("Content-Language", translation.get_language() or "en")
        return response


class Theme:
    """Light or dark as somebody chose by `?theme=`, kept in a cookie; "" is as their device has it.

    It stands in the page as it comes from the server, so that nothing flashes and no script is needed.
    """

    COOKIE = "theme"
    LIGHT, DARK, AUTO = "light", "dark", "auto"

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and keep what was chosen."""
        asked = request.GET.get("theme", "")
        chosen = asked if asked in (self.LIGHT, self.DARK, self.AUTO) else request.COOKIES.get(self.COOKIE, "")
        request.theme = chosen if chosen in (self.LIGHT, self.DARK) else ""  # type: ignore[attr-defined]
        response = self.get_response(request)
        if asked == self.AUTO:
            response.delete_cookie(self.COOKIE, samesite="Lax")
        elif asked and asked == chosen:
            year, secure = 365 * 86400, settings.LANGUAGE_COOKIE_SECURE
            response.set_cookie(self.COOKIE, asked, max_age=year, secure=secure, httponly=True, samesite="Lax")
        return response


def speak(request: HttpRequest, *preferred: str) -> None:
    """Use the first known language of `preferred`, unless the visitor has chosen one."""
    if request.chosen_language:  # type: ignore[attr-defined]
        return
    for code in preferred:
        if code in KNOWN:
            translation.activate(code)
            request.LANGUAGE_CODE = code  # type: ignore[attr-defined]
            return
