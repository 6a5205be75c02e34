"""Pages that stand inside the shop's own site: framed there, on our own pages, and nowhere else; without a cookie."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.http import HttpResponse

from stores.models import Store

HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?")  # nothing that could add a word to the header


def origin_of(address: str) -> str:
    """Where an address lives, as a frame's rules name it: https://shop.example; '' for what is none."""
    try:
        parts = urlsplit(address.strip().lower())
    except ValueError:  # an unfinished [
        return ""
    is_plain = parts.scheme in ("http", "https") and HOST.fullmatch(parts.netloc)
    return f"{parts.scheme}://{parts.netloc}" if is_plain else ""


def origins_of(store: Store) -> list[str]:
    """The addresses of the store's own site: its web shop, and those that the owner added."""
    found = (origin_of(address) for address in (store.website, *store.site_addresses))
    return list(dict.fromkeys(origin for origin in found if origin))


def framed(response: HttpResponse, store: Store) -> HttpResponse:
    """Let the store's own site, and ours for the preview, show this answer in a frame."""
    response.xframe_options_exempt = True  # type: ignore[attr-defined]
    response._csp_replace = {"frame-ancestors": ["'self'", *origins_of(store)]}  # type: ignore[attr-defined]
    response.keeps_no_cookie = True  # type: ignore[attr-defined]  # to the shop's site we are a third party
    return response
