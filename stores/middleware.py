"""What every request passes through: an id for the log, a language."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from stores import logs
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
        if asked in KNOWN:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                asked,
                max_age=365 * 86400,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            )
        response.setdefault("Content-Language", translation.get_language() or "en")
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
