"""What stands on a material, in the language it is printed in."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from customers.models import Customer
from referrals.models import PrintRun, Program, ShareLink
from referrals.public.friends import short
from referrals.public.ladders import Standing, gets, tiers_of
from referrals.services.links import landing_url
from rewards.models import Offer
from rewards.services.vouchers import is_given_later
from rewards.wording import offer_text
from stores.l10n import format_date, format_money
from stores.models import Store

LONGEST_NAME = 40  # characters
CROWDED = 220
RECEIPT_WIDTH = 32  # characters a line on the narrowest paper in use (58 mm)


@dataclass(frozen=True)
class Piece:
    """One card, poster, slip or picture: its words, and where its QR code leads."""

    headline: str
    line: str
    notes: tuple[str, ...]
    how: str
    code: str
    url: str
    place: str  # the shop, and the branch or person it stands for
    until: str = ""

    @property
    def site(self) -> str:
        """The address as people type it: without the scheme."""
        return self.url.partition("://")[2]

    @property
    def is_crowded(self) -> bool:
        """Whether there is so much to say that a card says it in smaller letters."""
        return len("".join((self.headline, self.line, *self.notes, self.how, self.place, self.until))) > CROWDED


def joining_url(run: PrintRun) -> str:
    """Where an invitation leads."""
    return f"{settings.SITE_URL}/j/{run.code}"


def invitation(run: PrintRun, program: Program) -> Piece:
    """A piece of a run that nobody's gift stands on: it invites the reader to get a link of their own."""
    store = run.store
    with _speaking(run):
        friend_gets, you_get = offer_text(program.terms.friend_offer, store), _you_get(program, store)
        words = {"friend_gets": friend_gets, "you_get": you_get}
        line = (
            _("For your friend: %(friend_gets)s. For you: %(you_get)s.") if you_get else _("They get %(friend_gets)s.")
        )
        return Piece(
            headline=_("Bring a friend, and both of you get a gift") if you_get else _("Give your friends a gift"),
            line=line % words,
            notes=(),
            how=_("Scan the code and get a link of your own."),
            code=run.code,
            url=joining_url(run),
            place=place_of(run),
            until=_until(run),
        )


def gifts(run: PrintRun, links: Sequence[ShareLink], programs: dict[int, Program]) -> list[Piece]:
    """A piece for each share link (with its customer) whose advocate has a program, by the advocate's id."""
    with _speaking(run):
        return [_gift(run, link, programs[link.customer_id]) for link in links if link.customer_id in programs]


def example(run: PrintRun, program: Program, customer: Customer | None) -> Piece:
    """A gift as it will look, before there is a link: with an example's name where nobody is chosen yet."""
    code = f"{_name(customer).upper()[:8] or 'SARA'}-22222"
    link = ShareLink(store=run.store, customer=customer or Customer(store=run.store, name="Sara"), code=code)
    with _speaking(run):
        return _gift(run, link, program)


def place_of(run: PrintRun) -> str:
    """Whose material it is, as people read it: the shop and its branch."""
    name = _cut(run.store.name)
    return f"{name} · {_cut(run.location.name)}" if run.location else name


def as_text(run: PrintRun, piece: Piece) -> str:
    """The words alone: for receipts in short lines, else for a post, a mail or a signature."""
    with _speaking(run):
        say = _("Code: %(code)s") % {"code": piece.code}
    parts = [piece.headline, piece.line, *piece.notes, piece.until, say, piece.url]
    lines = [part for part in parts if part]
    if run.material != PrintRun.Material.RECEIPT:
        return "\n".join(lines)
    # An address that is cut in two leads nowhere: it stays whole, however long it is.
    short_lines = [textwrap.wrap(line, RECEIPT_WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines]
    return "\n".join(line for wrapped in short_lines for line in wrapped)


def _cut(name: str) -> str:
    """A name that leaves room for the rest."""
    return Truncator(name).chars(LONGEST_NAME)


def _speaking(run: PrintRun) -> translation.override:
    return translation.override(run.language)


def _gift(run: PrintRun, link: ShareLink, program: Program) -> Piece:
    store, offer = run.store, program.terms.friend_offer
    sender = short(_name(link.customer))
    facts = {"sender": sender, "store": _cut(store.name)}
    line = (
        _("From %(sender)s, for your first order at %(store)s.")
        if sender
        else _("From a friend, for your first order at %(store)s.")
    )
    return Piece(
        headline=_("%(gift)s for you") % {"gift": offer_text(offer, store)},
        line=line % facts,
        notes=tuple(_notes(run, offer, sender, _you_get(program, store))),
        how=_("Scan, or say the code at the counter."),
        code=link.code,
        url=landing_url(link),
        place=place_of(run),
        until=_until(run),
    )


def _name(customer: Customer | None) -> str:
    return customer.first_name if customer else ""


def _notes(run: PrintRun, offer: Offer, sender: str, you_get: str) -> Iterator[str]:
    if offer.minimum_minor:
        least = format_money(offer.minimum_minor, offer.currency, run.language, toman=run.store.toman)
        yield _("The bill has to be %(least)s or more.") % {"least": least}
    if is_given_later(offer):
        yield _("It is given when the order counts.")
    # Source: RELIABILITY section 4, incentive disclosure.
    if you_get and sender:
        yield _("%(sender)s gets a thank-you when you buy.") % {"sender": sender}


def _you_get(program: Program, store: Store) -> str:
    tier = Standing(tiers_of(program.terms.ladder)).next_reward
    return gets(tier, store) if tier else ""


def _until(run: PrintRun) -> str:
    return until_text(run.expires_at, run) if run.expires_at else ""


def until_text(moment: datetime, run: PrintRun) -> str:
    """The last day on which it is good."""
    last = moment - timedelta(microseconds=1)
    return _("Until %(day)s") % {"day": format_date(last, run.language, run.store.zone)}
