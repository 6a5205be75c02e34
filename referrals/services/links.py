"""Share links and their visits."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from customers.models import Customer
from outreach.kinds import Kind
from outreach.services import cancel_pending
from referrals import rules
from referrals.models import Claim, Program, Referral, ShareLink, Visit
from stores import codes, directory, tokens
from stores.models import Store
from stores.rows import insert_rows

# What only asks those who have not shared yet.
PROMPTS = [Kind.SHARE_REMINDER, Kind.BROUGHT_HERE]


def share_link_of(customer: Customer, *, at: datetime, program: Program | None = None) -> ShareLink:
    """The customer's share link, made when first needed; `program`, the store's, spares a look-up."""
    known = ShareLink.objects.filter(store_id=customer.store_id, customer=customer).first()
    if known:
        return known
    program = program or Program.objects.for_store(customer.store).get()
    return share_links_of(customer.store, {customer: at}, program=program)[customer.pk]


def share_links_of(store: Store, needed: Mapping[Customer, datetime], *, program: Program) -> dict[int, ShareLink]:
    """The share links of these customers by the customer's id; made, at the time given, where there are none."""
    for _ in range(20):
        known = ShareLink.objects.for_store(store).filter(customer__in=[customer.pk for customer in needed])
        found = {link.customer_id: link for link in known}
        missing = sorted((customer for customer in needed if customer.pk not in found), key=lambda one: one.pk)
        made = insert_rows([_new(store, customer, program, needed[customer]) for customer in missing])
        if len(made) == len(missing):
            return found | {link.customer_id: link for link in made}
        # Either a code is taken, or a twin made a link.
    raise RuntimeError("no free share codes were found")


def _new(store: Store, customer: Customer, program: Program, at: datetime) -> ShareLink:
    code = rules.new_code(customer.name, store.slug)
    return ShareLink(
        store=store, program=program, customer=customer, code=code, code_norm=codes.normalise(code), created_at=at
    )


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
