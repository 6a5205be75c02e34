"""What stands on a pass, whichever wallet it goes into."""

from __future__ import annotations

from dataclasses import dataclass

from referrals.models import Program, ShareLink
from referrals.public.sharing import offers_of
from referrals.services.links import landing_url
from stores.models import Store
from stores.rules import readable_shade


@dataclass(frozen=True)
class Card:
    """An advocate's code with both gifts in words of one language. Nothing else of them: a pass may be looked at."""

    serial: str
    shop: str
    color: str  # #rrggbb; white reads on it
    code: str
    url: str
    friend_gets: str
    you_get: str
    language: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour's channels."""
        red, green, blue = (int(self.color[place : place + 2], 16) for place in (1, 3, 5))
        return red, green, blue


def card_of(link: ShareLink, program: Program, store: Store, language: str) -> Card:
    """The card of a share link; its words are in the active language, which `language` names."""
    offers = offers_of(store, program)
    return Card(
        serial=link.public_id,
        shop=store.name,
        color=readable_shade(store.brand_color),
        code=link.code,
        url=landing_url(link),
        friend_gets=offers.friend_gets,
        you_get=offers.you_get,
        language=language,
    )
