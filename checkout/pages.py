"""What the counter's pages show besides the code in hand: the day so far, the branch, what to say."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language

from referrals.services.programs import program_of
from referrals.services.redeeming import SOURCE
from rewards.models import Redemption, RewardSettings, Tier
from rewards.services.vouchers import UNDO_WINDOW
from rewards.wording import offer_text
from stores.l10n import format_time, money_input
from stores.models import Location, Store, User
from stores.tenancy import StoreQuerySet

TILL_COOKIE = "till"
READER = {"script": "vendor/barcode-detector.js", "wasm": "vendor/zxing_reader.wasm"}  # of QR codes
MOST_ROWS = 200


def day_start(store: Store, at: datetime) -> datetime:
    """When today began where the store is."""
    return datetime.combine(at.astimezone(store.zone).date(), time(), store.zone)


def redemptions_today(store: Store, at: datetime) -> StoreQuerySet:
    """Today's redemptions."""
    rows: StoreQuerySet = Redemption.objects.for_store(store).filter(at__gte=day_start(store, at))
    return rows


def till_location(request: HttpRequest, store: Store) -> Location | None:
    """The branch this device stands in, as its cookie says."""
    chosen = request.COOKIES.get(TILL_COOKIE, "")
    return Location.objects.for_store(store).filter(public_id=chosen).first() if chosen else None


def cashier(request: HttpRequest) -> User:
    """Who stands at the device: whoever took it over by PIN, else who is logged in."""
    found = getattr(request, "cashier", request.user)
    assert isinstance(found, User)
    return found


def frame(request: HttpRequest, store: Store, **context: Any) -> dict[str, Any]:
    """The context that every counter page has, with the page's own."""
    live = redemptions_today(store, timezone.now()).filter(reversed_at=None)
    place, person = till_location(request, store), cashier(request)
    # What a device took along for one person and place is no other's, and its words are of one language.
    mine = f"{person.pk}:{place.pk if place else 0}:{get_language()}"
    whose = salted_hmac("counter.whose", mine).hexdigest()[:16]
    always: dict[str, Any] = {"location": place, "cashier": person, "whose": whose, "qr_reader": READER}
    return {"today_count": live.count(), "csrf_cookie": settings.CSRF_COOKIE_NAME, **always, **context}


def what_to_say(store: Store) -> dict[str, Any]:
    """The program in the cashier's words."""
    program = program_of(store)
    each = program.terms.ladder.tiers.filter(gives=Tier.Gives.EACH)
    first = each.select_related("offer").order_by("threshold").first()
    return {
        "is_live": program.is_open(timezone.now()),
        "friend": offer_text(program.terms.friend_offer, store),
        "advocate": offer_text(first.offer, store) if first else "",
        "hold_days": program.terms.hold_days,
    }


def undo_until(redemption: Redemption) -> datetime | None:
    """Until when the counter may undo it; None when it cannot any more."""
    until = redemption.at + UNDO_WINDOW
    return until if redemption.reversed_at is None and timezone.now() <= until else None


def more_codes(redemption: Redemption) -> str:
    """The query that leads to another code on the same bill; '' where the store takes one code, or all is paid."""
    order = redemption.order
    left = redemption.amount_minor - redemption.discount_minor
    if not order or order.source != SOURCE or redemption.reversed_at or not left or undo_until(redemption) is None:
        return ""
    rule = RewardSettings.objects.for_store(redemption.store).values_list("stacking", flat=True).first()
    if rule == RewardSettings.Stacking.ONE:
        return ""
    amount = money_input(left, redemption.currency, toman=redemption.store.toman)
    return urlencode({"bill": order.external_id, "amount": amount})


def minutes_left(until: datetime) -> int:
    """Whole minutes, at least one."""
    return max(1, (until - timezone.now()) // timedelta(minutes=1))


def clock(redemption: Redemption) -> str:
    """When it was redeemed, as the clock on the store's wall showed."""
    return format_time(redemption.at, get_language() or "en", redemption.store.zone)
