"""The customer's page and the friend's for terms that are typed: made as the public ones are, then taken back."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from customers.models import Customer
from outreach.fields import FIELDS
from outreach.preview import MADE_UP
from referrals.me_views import page_of
from referrals.models import Program, ShareLink
from referrals.public_forms import ClaimForm
from referrals.public_views import Invited, landing_of
from referrals.services.drafting import NOWHERE, as_if_published
from referrals.services.programs import Schedule
from referrals.services.terms import ProgramTerms
from stores import previews
from stores.models import Store

ADVOCATE, FRIEND = "advocate", "friend"
VIEWS = (ADVOCATE, FRIEND)
CODE = "SARA-2K7M"  # no real one: it has no check character


def page(
    request: HttpRequest,
    store: Store,
    program: Program | None,
    terms: ProgramTerms,
    schedule: Schedule,
    *,
    view: str,
    language: str,
    at: datetime,
) -> previews.Page:
    """What a customer (`ADVOCATE`) or their friend would see if this were published now."""
    view = previews.chosen(view, VIEWS, ADVOCATE)
    language = previews.chosen(language, dict(settings.LANGUAGES), store.locale)
    with translation.override(language), as_if_published(store, program, terms, schedule, at) as running:
        name, context = _shown(running, view, language, at)
        return previews.page(request, f"referrals/public/{name}.html", context, language, view)


def _shown(running: Program, view: str, language: str, at: datetime) -> tuple[str, dict[str, object]]:
    """The template and what it shows, to somebody who is made up and of whom nothing is known."""
    store = running.store
    person = Customer(pk=NOWHERE, store=store, name=FIELDS["name"].sample(language, at), locale=language)
    link = ShareLink(pk=NOWHERE, store=store, customer=person, code=CODE, created_at=at)
    if view == FRIEND:
        return "landing", landing_of(Invited(link, running), ClaimForm())
    return "share", page_of(link, MADE_UP, running)
