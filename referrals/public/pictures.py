"""Pictures that go out with a link: the card chat apps show beside it, and one for the advocate's story."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from django.conf import settings
from django.core.cache import cache
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from referrals.materials import drawing, words
from referrals.models import PrintRun, Program, ShareLink
from rewards.models import Terms
from rewards.wording import offer_text
from stores import tokens
from stores.models import Store
from stores.rules import readable_shade

CARD = (1200, 630)  # Source: the Open Graph size that WhatsApp, Telegram and Facebook show whole
KEPT = 86400


def card_url(terms: Terms, language: str) -> str:
    """Where the card of these terms lies; '' on a server that cannot draw."""
    if not drawing.can_draw():
        return ""
    token = tokens.make(tokens.Purpose.TERMS, terms.store_id, terms)
    return settings.SITE_URL + reverse("referral:card", args=[token, language])


def card(terms: Terms, store: Store, language: str) -> bytes:
    """The gift and the shop, and nobody's name: one picture for all who share it. Raises CannotDraw."""
    with translation.override(language):
        html = render_to_string(
            "referrals/print/preview.html",
            {
                "gift": offer_text(terms.friend_offer, store),
                "store": store,
                "brand": readable_shade(store.brand_color),
                "language": language,
            },
        )
    return _kept(html, lambda: drawing.painted(html, *CARD))


def story(link: ShareLink, program: Program, language: str) -> bytes:
    """The gift with the advocate's first name, code and QR, upright. Raises CannotDraw."""
    run = PrintRun(
        store=link.store, material=PrintRun.Material.STORY, language=language, whom=PrintRun.Whom.CUSTOMER, copies=1
    )
    (piece,) = words.gifts(run, [link], {link.customer_id: program})
    facts = f"{piece} {link.store.brand_color} {language}"
    return _kept(facts, lambda: drawing.png(drawing.pdf(run, [piece]), run))


def _kept(facts: str, draw: Callable[[], bytes]) -> bytes:
    """The picture of these facts, drawn once a day; while the cache is away each time."""
    key = f"picture:{sha256(facts.encode()).hexdigest()}"
    try:
        known = cache.get(key)
    except Exception:  # Redis is never the only way
        return draw()
    if known is None:
        known = draw()
        cache.set(key, known, KEPT)
    return bytes(known)
