"""What a store says in its own words, kept for a moment so that a batch of messages reads it once."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from customers.models import Channel
from outreach import accounts
from outreach.channels.sms import GATEWAYS
from outreach.kinds import Kind
from outreach.models import ChannelAccount, Message, Template
from outreach.words import PIECES, Wording, our_words
from stores.models import Store

KEPT_SECONDS = 2.0  # how long another process may go on with the words of before
MOST_STORES = 200
NUMBER = re.compile(r"\+?\d{3,}|MG\w+")  # a number, or Twilio's pool of numbers: not a name


@dataclass(frozen=True)
class StoreWords:
    """A store's templates, by journey and by kind, and whether people can answer its texts."""

    by_journey: dict[tuple[int, str], Template]
    by_kind: dict[tuple[str, str], Template]
    can_be_answered: bool
    read_at: float = field(default_factory=time.monotonic)

    def find(self, message: Message, language: str) -> Template | None:
        """The store's words for a message; one planned before the owner changed anything names no journey."""
        if message.journey_id:
            return self.by_journey.get((message.journey_id, language))
        return self.by_kind.get((message.kind, language)) if message.kind != Kind.OWN else None


_kept: dict[int, StoreWords] = {}


def words_of(store: Store) -> StoreWords:
    """The store's words, at most `KEPT_SECONDS` old."""
    known = _kept.get(store.pk)
    if known and time.monotonic() - known.read_at < KEPT_SECONDS:
        return known
    if len(_kept) > MOST_STORES:
        _kept.clear()
    _kept[store.pk] = _read(store)
    return _kept[store.pk]


def forget(store_id: int) -> None:
    """Read anew the next time: something was saved."""
    _kept.pop(store_id, None)


def _read(store: Store) -> StoreWords:
    rows = list(Template.objects.for_store(store).select_related("journey"))
    account = accounts.own(store, Channel.SMS)
    return StoreWords(
        {(row.journey_id, row.language): row for row in rows},
        {(row.journey.kind, row.language): row for row in rows},
        can_be_answered=account is not None and _can_be_answered(account),
    )


def _can_be_answered(account: ChannelAccount) -> bool:
    """Whether a reply reaches us: a number, not a name, at a gateway that hands us what comes in."""
    gateway = GATEWAYS.get(account.provider)
    return bool(gateway and gateway.reports_back and NUMBER.fullmatch(account.sender.strip()))


def wording(store: Store, message: Message, language: str) -> Wording:
    """The words of a message: the store's own, piece by piece, else ours."""
    ours = our_words(Kind(message.kind), language)
    own = words_of(store).find(message, language)
    if own is None:
        return ours
    return Wording(**{name: getattr(own, name) or ours.piece(name) for name in PIECES})
