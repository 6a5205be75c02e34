"""The permit under which a device works without a line: whose, where, from when until when, how far.

Signed, not stored: a device brings it back with everything it did meanwhile, and that is how the server
knows who stood there and between which moments the device's own clock is to be believed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import signing

from checkout.services.limits import settings_of
from stores import codes
from stores.models import Location, Store, User

VALID = timedelta(hours=12)  # a day at the counter; what ends sooner than that is in nobody's list
OLD = timedelta(days=7)  # what comes back later than that is looked at: old permits give old dates
SALT = "goodword.offline"


class BadPermit(Exception):
    """Not signed by us, or for another store."""


@dataclass(frozen=True)
class Permit:
    """What one device may do until `until`; times are seconds since 1970, amounts minor units."""

    store: int
    name: str
    device: str
    user: int
    location: int | None
    issued: int
    until: int
    most_held: int
    most_minor: int | None

    def believed(self, given_at: datetime, *, now: datetime) -> datetime:
        """When it was, as far as the device's clock is believed: within the permit and not in the future."""
        earliest = datetime.fromtimestamp(self.issued, UTC)
        latest = min(datetime.fromtimestamp(self.until, UTC), now)
        return max(earliest, min(given_at, latest))

    def is_old(self, now: datetime) -> bool:
        """Whether it ended so long ago that somebody should look at what comes back with it."""
        return now - datetime.fromtimestamp(self.until, UTC) > OLD


def issue(store: Store, user: User, *, device: str, location: Location | None, at: datetime) -> Permit | None:
    """A permit from `at` on; None where the owner lets nobody redeem without a line."""
    settings = settings_of(store)
    if not settings.works_offline:
        return None
    return Permit(
        store=store.pk,
        name=codes.public_id(),
        device=device,
        user=user.pk,
        location=location.pk if location else None,
        issued=int(at.timestamp()),
        until=int((at + VALID).timestamp()),
        most_held=settings.most_held,
        most_minor=settings.most_minor,
    )


def stand_in(store: Store, user: User, *, device: str, location: Location | None, at: datetime) -> Permit:
    """For a permit that cannot be read (the key it was signed with is gone): it allows nothing, and is of now.

    What the device did counts all the same, and a manager sees it.
    """
    now = int(at.timestamp())
    place = location.pk if location else None
    return Permit(store.pk, codes.public_id(), device, user.pk, place, now, now, most_held=0, most_minor=0)


def sign(permit: Permit) -> str:
    """The permit as a device carries it."""
    return signing.dumps(asdict(permit), salt=SALT, compress=True)


def read(store: Store, signed: str) -> Permit:
    """The permit again; raises BadPermit. Keys in SECRET_KEY_FALLBACKS still hold."""
    try:
        values: dict[str, Any] = signing.loads(signed, salt=SALT)
        permit = Permit(**values)
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise BadPermit from error
    if permit.store != store.pk:
        raise BadPermit
    return permit
