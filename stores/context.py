"""Template context that every page has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from stores.middleware import Theme

NAMES = {"en": "English", "fa": "فارسی", "fil": "Filipino"}


def languages(request: HttpRequest) -> dict[str, Any]:
    """The language switch: the same page in each language; and the store the request acts in."""
    active = translation.get_language()
    links = [
        {"code": code, "name": name, "url": _same_page(request, lang=code), "active": code == active}
        for code, name in NAMES.items()
    ]
    return {
        "languages": links,
        "store": getattr(request, "store", None),
        "role": getattr(request, "role", None),
        "stores_of_user": getattr(request, "stores_of_user", []),
    }


def theme(request: HttpRequest) -> dict[str, Any]:
    """Whether somebody chose light or dark ("" is neither), and the switch between them."""
    chosen: str = getattr(request, "theme", "")
    names = {Theme.AUTO: _("Like the device"), Theme.LIGHT: _("Light"), Theme.DARK: _("Dark")}
    links = [
        {"name": name, "url": _same_page(request, theme=code), "active": code == (chosen or Theme.AUTO)}
        for code, name in names.items()
    ]
    return {"theme": chosen, "themes": links}


def _same_page(request: HttpRequest, **choice: str) -> str:
    """This page's address with one more choice in it."""
    query = request.GET.copy()
    for name, value in choice.items():
        query[name] = value
    return f"{request.path}?{query.urlencode()}"
