"""Share links and their visits."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from customers.models import Customer, Order
from outreach.kinds import Kind
from outreach.services import cancel_pending
from referrals import rules
from referrals.models import Claim, Referral, ShareLink, Visit
from stores import codes, directory, tokens
from stores.models import Store
from stores.rows import insert_rows
from stores.tenancy import insert_new

# What only asks those who have not shared yet.
PROMPTS = [Kind.SHARE_REMINDER, Kind.BROUGHT_HERE]


def share_link_of(customer: Customer, *, at: datetime) -> ShareLink:
    """The customer's own share link, made when first needed."""
    known = ShareLink.objects.filter(store_id=customer.store_id, customer=customer, is_main=True).first()
    return known or share_links_of(customer.store, {customer: at})[customer.pk]


def share_links_of(store: Store, needed: Mapping[Customer, datetime]) -> dict[int, ShareLink]:
    """The share links of these customers by the customer's id; made, at the time given, where there are none."""
    for _ in range(20):
        mine = ShareLink.objects.for_store(store).filter(is_main=True)
        known = mine.filter(customer__in=[customer.pk for customer in needed])
        found = {link.customer_id: link for link in known}
        missing = sorted((customer for customer in needed if customer.pk not in found), key=lambda one: one.pk)
        made = insert_rows([new_link(store, customer, needed[customer]) for customer in missing])
        if len(made) == len(missing):
            return found | {link.customer_id: link for link in made}
        # Either a code is taken, or a twin made a link.
    raise RuntimeError("no free share codes were found")


def new_link(store: Store, customer: Customer, at: datetime, **facts: Any) -> ShareLink:
    """A link with a fresh code, not yet stored."""
    code = rules.new_code(customer.name, store.slug)
    return ShareLink(store=store, customer=customer, code=code, code_norm=codes.normalise(code), created_at=at, **facts)


def order_link(order: Order, customer: Customer, *, at: datetime, expires_at: datetime | None) -> ShareLink:
    """A link that stands on this order's receipt or parcel."""
    for _ in range(20):
        facts = {"is_main": False, "order": order, "expires_at": expires_at}
        made = insert_rows([new_link(order.store, customer, at, **facts)])
        known = ShareLink.objects.for_store(order.store).filter(order=order).select_related("customer__store", "store")
        found: ShareLink | None = known.first()
        if made or found:
            assert found is not None
            return found
    raise RuntimeError("no free share code was found")


def find_link(store: Store, code: str, *, at: datetime) -> ShareLink | None:
    """The store's share link with this normalised code; None for one past its end at `at`."""
    links = ShareLink.objects.for_store(store).select_related("customer__store", "store", "order")
    return links.filter(code_norm=code).exclude(expires_at__lte=at).first() if code else None


def enter_by_code(typed: str, *, at: datetime) -> ShareLink | None:
    """The link of a code whose store is not yet known; binds the transaction to its store."""
    code = codes.normalise(typed)
    store_id = directory.store_id_by_share_code(code)
    store = directory.enter(store_id) if store_id else None
    return find_link(store, code, at=at) if store else None


def landing_url(link: ShareLink) -> str:
    """Where a friend lands."""
    return f"{settings.SITE_URL}/r/{link.code}"


def share_page_url(customer: Customer) -> str:
    """The advocate's own page, without login."""
    return f"{settings.SITE_URL}/me/{tokens.make(tokens.Purpose.SHARE, customer.store_id, customer)}"


def visitor_of(address: str, user_agent: str, day: str) -> str:
    """A name for a visitor that changes each day and cannot be turned back; 128 bits."""
    text = f"{day}\n{address}\n{user_agent}"
    return hmac.digest(b"goodword.visitor:" + settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()[:32]


def opening(
    store_id: int, link_id: int, *, visitor: str, is_bot: bool, at: datetime, device: str = "", referrer: str = ""
) -> dict[str, Any]:
    """An opening of a share link as it is written down: the columns of Visit.

    The token follows from what makes the visit one (link, visitor, hour): a page can tell it before the row is there.
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    return {
        "store_id": store_id,
        "link_id": link_id,
        "visitor": visitor,
        "token": codes.derived_id("visit", f"{link_id}\n{visitor}\n{hour:%Y%m%d%H}"),
        "device": device,
        "hour": hour,
        "at": at,
        "is_bot": is_bot,
        "referrer": referrer[:80],
    }


def record_visit(
    link: ShareLink, *, visitor: str, is_bot: bool, at: datetime, device: str = "", referrer: str = ""
) -> Visit:
    """Count an opening once a person and hour; the visit, whose token goes to the shop with them."""
    traces = {"device": device, "referrer": referrer}
    return record_opening(opening(link.store_id, link.pk, visitor=visitor, is_bot=is_bot, at=at, **traces))


def record_opening(facts: dict[str, Any]) -> Visit:
    """The visit that counts this opening, made if it is the hour's first."""
    visit = Visit(**facts)
    once = {name: facts[name] for name in ("store_id", "link_id", "visitor", "hour")}
    return visit if insert_new(visit) else Visit.objects.get(**once)


def shop_url(store: Store, visit: Visit | None) -> str:
    """The shop's own site, with the visit that leads there, which it may tell with the order; '' for none."""
    if not store.website or visit is None or visit.is_bot:
        return store.website
    parts = urlsplit(store.website)
    told = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "visit"]
    return urlunsplit(parts._replace(query=urlencode([*told, ("visit", visit.token)])))


def note_shared(link: ShareLink, *, at: datetime) -> None:
    """The advocate tapped a share button for the first time: nothing waits any more that asks them to."""
    mine = ShareLink.objects.filter(pk=link.pk, store_id=link.store_id, shared_at=None)
    if mine.update(shared_at=at):
        cancel_pending(link.customer, kinds=PROMPTS, reason="shared", at=at)


def have_shared(store: Store, customers: Iterable[int]) -> set[int]:
    """Of these customers (ids), those whose link was shared, as far as one can see: a tap, or somebody came by it."""
    came = (
        Exists(Visit.objects.filter(store=OuterRef("store"), link=OuterRef("pk"), is_bot=False))
        | Exists(Claim.objects.filter(store=OuterRef("store"), link=OuterRef("pk")))
        | Exists(Referral.objects.filter(store=OuterRef("store"), link=OuterRef("pk")))
    )
    links = ShareLink.objects.for_store(store).filter(customer__in=list(customers))
    return set(links.filter(~Q(shared_at=None) | came).values_list("customer_id", flat=True))
