"""What an advocate needs to pass the link on: buttons, words, code, QR."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import segno
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from referrals.models import Program, ShareLink
from referrals.public.ladders import Standing, either, gets, tiers_of
from referrals.services.links import landing_url
from rewards.models import Offer
from rewards.wording import offer_text
from stores.models import Store


@dataclass(frozen=True)
class Target:
    """One share button: a plain link, so that it works without script."""

    key: str  # also its icon
    name: str
    url: str


@dataclass(frozen=True)
class SharePanel:
    """A share link with everything to pass it on, in the active language.

    `friend_gets` and `you_get` are the two gifts in words ('' when the ladder is empty); `you_wait`
    is how many friends the first reward takes.
    """

    link: ShareLink
    url: str
    text: str
    friend_gets: str
    you_get: str
    you_wait: int
    targets: list[Target]
    qr: SafeString


@dataclass(frozen=True)
class Offers:
    """What both sides get, in words, where nobody's link is shown; see SharePanel."""

    friend_gets: str
    you_get: str
    you_wait: int


def offers_of(store: Store, program: Program) -> Offers:
    """The program's two gifts, as for anybody who has no friends yet."""
    tier = Standing(tiers_of(program.terms.ladder)).next_reward
    friend_gets = offer_text(program.terms.friend_offer, store)
    return Offers(friend_gets, gets(tier, store), tier.threshold) if tier else Offers(friend_gets, "", 0)


def share_panel(store: Store, link: ShareLink, program: Program, standing: Standing) -> SharePanel:
    """The panel for an advocate who stands there on the program's ladder."""
    tier, offer = standing.next_reward, program.terms.friend_offer
    friend_gets = offer_text(offer, store)
    you_get = gets(tier, store) if tier else ""
    url = landing_url(link)
    told = as_told([tier.offer, *(one.offer for one in tier.choices.all())], store) if tier else ""
    text = share_text(store, friend_gets, told)
    return SharePanel(
        link=link,
        url=url,
        text=text,
        friend_gets=friend_gets,
        you_get=you_get,
        you_wait=max(standing.left(tier), 1) if tier else 0,
        targets=share_targets(store, text, url),
        qr=qr_svg(url, label=_("QR code of your link")),
    )


def as_told(offers: Iterable[Offer], store: Store) -> str:
    """What the sender gets, as they say it to their friend; of several one may be picked."""
    commission = Offer.Kind.COMMISSION
    return either(*(_("a commission") if offer.kind == commission else offer_text(offer, store) for offer in offers))


def share_text(store: Store, friend_gets: str, you_get: str) -> str:
    """The words that go along, good for the friend first. That the sender gains too is always said.

    Source: RELIABILITY section 4, incentive disclosure.
    """
    facts = {"store": store.name, "friend_gets": friend_gets, "you_get": you_get}
    if not you_get:
        return _("A gift for you from %(store)s: %(friend_gets)s on your first order.") % facts
    return (
        _("A gift for you from %(store)s: %(friend_gets)s on your first order. If you buy, I get %(you_get)s too.")
        % facts
    )


def share_targets(store: Store, text: str, url: str) -> list[Target]:
    """Plain links into the apps people have; everything else through the phone's own share sheet."""
    both, subject = quote(f"{text}\n{url}"), quote(_("A gift from %(store)s") % {"store": store.name})
    return [
        Target("whatsapp", _("WhatsApp"), f"https://wa.me/?text={both}"),
        Target("telegram", _("Telegram"), f"https://t.me/share/url?url={quote(url, safe='')}&text={quote(text)}"),
        Target("sms", _("Text message"), f"sms:?&body={both}"),
        Target("mail", _("E-mail"), f"mailto:?subject={subject}&body={both}"),
    ]


def qr_svg(data: str, *, label: str) -> SafeString:
    """A QR code as inline SVG, dark on light in every theme, with room around it."""
    code = segno.make(data, error="m", micro=False)
    return mark_safe(  # made here of our own address; segno escapes the label
        code.svg_inline(scale=6, border=4, dark="#10231f", light="#fff", omitsize=True, title=label, svgclass="qr")
    )
