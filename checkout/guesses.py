"""Tries of codes: each is counted before it is judged, and given back when the code turns out to be there.

What is counted has a limit for each way to try, so that many addresses, many tills and many log-ins of one store
come no further than one (RELIABILITY rule 46). Five wrong codes are typing, twenty are guessing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from django.http import HttpRequest
from django.utils.translation import gettext as _

from checkout.device import known_device
from stores import limits
from stores.limits import Limit
from stores.models import ApiKey, AuditEvent, Store, User
from stores.public import address_of, network_of

logger = logging.getLogger("goodword.checkout")

WINDOW = 600  # seconds
SLOW_AFTER, SLOW_SECONDS = 5, 5
# In a window. A store with twenty tills mistypes a hundred codes; half a chance of a hit takes 10^8 guesses.
PER_PERSON, PER_KEY, PER_TILL, PER_NETWORK, PER_STORE = 20, 100, 60, 300, 400
# Of all stores together: a reason to look, not to stop them, or one guesser could close every till.
ALARM_AT = 5_000


class Wait(Exception):
    """Too many wrong codes: nothing is told about this one. Says so in words for whoever stands at the till."""


@dataclass
class Try:
    """One code that somebody asks about: `with at_till(...) as tried:`. Given back at the end unless it `was_wrong`."""

    store: Store
    limits: list[Limit]
    user: User | None = None  # None: a program, by its key
    is_wrong: bool = False

    def __enter__(self) -> Self:
        """Count it. Raises Wait."""
        self.numbers = limits.take(self.limits)
        if any(number > limit.most for number, limit in zip(self.numbers, self.limits, strict=True)):
            raise Wait(_("Too many wrong codes. Wait ten minutes, or ask a manager to look."))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self.is_wrong:
            limits.give_back(self.limits)

    def was_wrong(self, at: datetime) -> None:
        """There is no such code. Whoever goes on is slowed down; the last one before a lock is written down."""
        self.is_wrong = True
        number = self.numbers[0]
        if self.user and number >= SLOW_AFTER:
            limits.count(_pause(self.store, self.user), per_seconds=SLOW_SECONDS)
        if self.user and number == PER_PERSON:
            after = {"wrong_codes": number}
            AuditEvent.objects.create(store=self.store, at=at, user=self.user, action="checkout.locked", after=after)
        for limit, reached in zip(self.limits, self.numbers, strict=True):
            if reached == limit.most:
                logger.warning("%s is locked after %s wrong codes", limit.name.rpartition(":")[0], reached)
        if limits.count("codes:everywhere", per_seconds=WINDOW) == ALARM_AT:
            logger.error("%s wrong codes in ten minutes: somebody is guessing", ALARM_AT)


def at_till(request: HttpRequest, store: Store, user: User) -> Try:
    """A code typed at the counter by `user`. Raises Wait for some seconds after several wrong ones."""
    if limits.seen(_pause(store, user)):
        raise Wait(_("Several wrong codes in a row. Wait five seconds, then try again."))
    till, network = known_device(request, store), network_of(address_of(request))
    found = [Limit(f"codes:{store.pk}:{user.pk}", PER_PERSON, WINDOW), _by_store(store.pk)]
    if till:
        found.append(Limit(f"codes:{store.pk}:till:{till}", PER_TILL, WINDOW))
    if network:
        found.append(Limit(f"codes:from:{network}", PER_NETWORK, WINDOW))
    return Try(store, found, user)


def by_key(store: Store, key: ApiKey) -> Try:
    """A code that a program asks about. Not counted by its address: a till vendor's machine serves many stores."""
    return Try(store, of_key(store.pk, key.pk))


def of_key(store_id: int, key_id: int) -> list[Limit]:
    """What wrong codes of a program count against."""
    return [Limit(f"codes:api:{key_id}", PER_KEY, WINDOW), _by_store(store_id)]


def _by_store(store_id: int) -> Limit:
    return Limit(f"codes:{store_id}:all", PER_STORE, WINDOW)


def _pause(store: Store, user: User) -> str:
    return f"codes-wait:{store.pk}:{user.pk}"
