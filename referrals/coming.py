"""What publishing a program would change, and for whom: old and new in words, who keeps the old, who gets the new.

Reads only. The numbers are of people, and bounded, so that a large store's editor stays quick.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import CustomerTag
from customers.tagging import PARTNER, STAFF
from referrals import changes
from referrals.models import Program, Referral, ShareLink
from referrals.queries import WAITING, state_of
from referrals.services.terms import Facts
from rewards.models import Voucher
from stores import drafts
from stores.models import Store

MOST_COUNTED = 10_000
TAGS = {Program.Audience.PARTNERS: PARTNER, Program.Audience.STAFF: STAFF}


def coming_of(store: Store, program: Program | None, in_force: Facts, wanted: Facts, at: datetime) -> drafts.Coming:
    """What publishing `wanted` changes; of a program that nobody has seen there is only who gets it."""
    lines = changes.in_words(in_force, wanted, store) if program else []
    is_first = program is None or program.status == Program.Status.DRAFT
    return drafts.Coming(
        lines,
        drafts.seal(in_force, wanted),
        is_first,
        keeps=keeps(program) if program and lines and not is_first else [],
        gets=gets(store, program, Program.Audience(wanted["audience"]), at) if lines or is_first else [],
    )


# -- Who keeps the old --


def keeps(program: Program) -> list[str]:
    """Who was promised something by the terms until now: for them these go on."""
    store, budget = program.store, program.budget_id
    given = Voucher.objects.for_store(store).filter(status=Voucher.Status.ISSUED, kind=Voucher.Kind.OFFER)
    held = given.filter(Q(reward__terms__budget=budget) | Q(claim__terms__budget=budget)).aggregate(
        friends=Count("customer", filter=Q(claim__terms__budget=budget), distinct=True),
        holders=Count("customer", filter=Q(reward__terms__budget=budget), distinct=True),
    )
    waiting = Referral.objects.for_store(store).filter(status__in=WAITING, terms__budget=budget).count()
    lines = [
        *_friends(held["friends"]),
        *_holders(held["holders"]),
        *_purchases(waiting),
    ]
    return lines or [_("Nobody holds a gift or waits for a reward yet.")]


def _friends(count: int) -> list[str]:
    words = ngettext(
        "%(count)s friend has a gift and has not used it: it keeps what it promised.",
        "%(count)s friends have a gift and have not used it: it keeps what it promised.",
        count,
    )
    return [words % {"count": changes.number(count)}] if count else []


def _holders(count: int) -> list[str]:
    words = ngettext(
        "%(count)s customer has a reward and has not used it: it keeps what it promised.",
        "%(count)s customers have a reward and have not used it: it keeps what it promised.",
        count,
    )
    return [words % {"count": changes.number(count)}] if count else []


def _purchases(count: int) -> list[str]:
    words = ngettext(
        "%(count)s purchase of a friend waits to be counted: it is rewarded by the steps of its day.",
        "%(count)s purchases of friends wait to be counted: they are rewarded by the steps of their day.",
        count,
    )
    return [words % {"count": changes.number(count)}] if count else []


# -- Who gets the new --


def gets(store: Store, program: Program | None, audience: Program.Audience, at: datetime) -> list[str]:
    """Who sees the new terms from the moment they are published."""
    if program and program.status != Program.Status.DRAFT and state_of(program, at) not in ("live", "coming"):
        return [_("The program does not run now: nobody sees the new terms until it does.")]
    count = _reached(store, audience)
    if count > MOST_COUNTED:
        who = _("More than %(count)s customers have a link: their page, and what a new friend gets, are the new ones.")
        return [who % {"count": changes.number(MOST_COUNTED)}]
    if not count:
        return [_("Nobody has a link yet: whoever gets one sees the new terms.")]
    words = ngettext(
        "%(count)s customer has a link: their page, and what a new friend gets, are the new ones.",
        "%(count)s customers have a link: their pages, and what a new friend gets, are the new ones.",
        count,
    )
    return [words % {"count": changes.number(count)}]


def _reached(store: Store, audience: Program.Audience) -> int:
    """How many customers with a link of their own it is for; counted no further than MOST_COUNTED."""
    mine = ShareLink.objects.for_store(store).filter(is_main=True)
    if audience in TAGS:
        tagged = CustomerTag.objects.for_store(store).filter(tag=TAGS[audience])
        mine = mine.filter(customer__in=tagged.values("customer"))
    return mine.order_by()[: MOST_COUNTED + 1].count()
