"""Share links and their visits."""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

from django.conf import settings

from customers.models import Customer
from referrals import rules
from referrals.models import Program, ShareLink, Visit
from stores import codes, directory, tokens
from stores.models import Store
from stores.tenancy import insert_new


def share_link_of(customer: Customer, *, at: datetime, program: Program | None = None) -> ShareLink:
    """The customer's share link, made when first needed; `program`, the store's, spares a look-up."""
    known = ShareLink.objects.filter(store_id=customer.store_id, customer=customer).first()
    return known or _make(customer, program or Program.objects.for_store(customer.store).get(), at)


def _make(customer: Customer, program: Program, at: datetime) -> ShareLink:
    store = customer.store
    for _ in range(20):
        code = rules.new_code(customer.name, store.slug)
        link = ShareLink(
            store=store,
            program=program,
            customer=customer,
            code=code,
            code_norm=codes.normalise(code),
            created_at=at,
        )
        if insert_new(link):
            return link
        # Either the code is taken, or a twin made the link.
        known = ShareLink.objects.filter(store_id=customer.store_id, customer=customer).first()
        if known:
            return known
    raise RuntimeError("no free share code was found")


def find_link(store: Store, code: str) -> ShareLink | None:
    """The store's share link with this normalised code."""
    links = ShareLink.objects.for_store(store).select_related("program__friend_offer", "customer", "store")
    return links.filter(code_norm=code).first() if code else None


def enter_by_code(typed: str) -> ShareLink | None:
    """The link of a code whose store is not yet known; binds the transaction to its store."""
    code = codes.normalise(typed)
    store_id = directory.store_id_by_share_code(code)
    store = directory.enter(store_id) if store_id else None
    return find_link(store, code) if store else None


def landing_url(link: ShareLink) -> str:
    """Where a friend lands."""
    return f"{settings.SITE_URL}/r/{link.code}"


def share_page_url(customer: Customer) -> str:
    """The advocate's own page, without login."""
    return f"{settings.SITE_URL}/me/{tokens.make(tokens.Purpose.SHARE, customer.store_id, customer)}"


def visitor_of(address: str, user_agent: str, day: str) -> str:
    """A name for a visitor that changes each day and cannot be turned back; 128 bits."""
    text = f"{day}\n{address}\n{user_agent}"
    return hmac.new(b"goodword.visitor:" + settings.SECRET_KEY.encode(), text.encode(), sha256).hexdigest()[:32]


def record_visit(link: ShareLink, *, visitor: str, is_bot: bool, at: datetime) -> None:
    """Count an opening once a person and hour."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    Visit.objects.bulk_create(
        [Visit(store_id=link.store_id, link=link, visitor=visitor, hour=hour, at=at, is_bot=is_bot)],
        ignore_conflicts=True,
    )


def note_shared(link: ShareLink, *, at: datetime) -> None:
    """The advocate tapped a share button for the first time."""
    ShareLink.objects.filter(pk=link.pk, store_id=link.store_id, shared_at=None).update(shared_at=at)
