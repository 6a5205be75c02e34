"""Template context that every page has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import translation

NAMES = {"en": "English", "fa": "فارسی", "fil": "Filipino"}


def languages(request: HttpRequest) -> dict[str, Any]:
    """The language switch: the same page in each language; and the store the request acts in."""
    active = translation.get_language()
    links = []
    for code, name in NAMES.items():
        query = request.GET.copy()
        query["lang"] = code
        url = f"{request.path}?{query.urlencode()}"
        links.append({"code": code, "name": name, "url": url, "active": code == active})
    return {
        "languages": links,
        "store": getattr(request, "store", None),
        "role": getattr(request, "role", None),
        "stores_of_user": getattr(request, "stores_of_user", []),
    }
