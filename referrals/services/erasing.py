"""A person is forgotten: their data goes from every table, the books and what is promised stay under a number.

What stays: orders and books without a name, the hash of an address never to write to, and codes that were given
out, for whoever holds them: money is not taken from somebody because they asked to be forgotten. What goes, goes
for good. Why: docs/decisions/0008-merging.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from customers.importing import working
from customers.models import (
    Channel,
    Customer,
    CustomerMerge,
    CustomerTag,
    Event,
    Import,
    ImportRow,
    Order,
    SegmentMember,
)
from outreach import services as outreach
from outreach.models import Hold, Kind, Message, OutboxItem, Suppression, Task
from referrals import rules
from referrals.models import Appeal, Claim, Device, Referral, ShareLink
from referrals.services import prints
from rewards.models import Fulfilment, Payout, PayoutAddress
from stores import codes
from stores.models import Job, JobFile, Store, User
from stores.services import note
from surveys.models import RecoveryCase, Response, Testimonial
from surveys.services import recovery, testimonials

BLANK = {
    "external_id": "", "name": "", "name_norm": "", "email": "", "email_norm": "", "phone": "", "phone_norm": "",
    "locale": "", "time_zone": "", "birth_month": None, "birth_day": None, "postal_address": "", "email_alias": "",
    "address_norm": "", "email_consent": False, "sms_consent": False, "found_by_name": False, "on_leaderboard": False,
}  # fmt: skip
SOURCE = "erasure"
SHORTEST = 4  # characters of a word that is looked for everywhere


class CannotErase(Exception):
    """They stand on a list of payouts: it must be closed first, or nobody would know whom to pay."""


def erase(customer: Customer, *, by: User | None, at: datetime) -> bool:
    """Forget this person, with every row found to be the same person; final. False when it was done before.

    `at` is aware UTC. Raises CannotErase, and then nothing has changed.
    """
    with transaction.atomic():
        people = _held(customer)
        if people[0].erased_at:
            return False
        ids, store = [one.pk for one in people], customer.store
        if Payout.objects.for_store(store).filter(customer__in=ids, status=Payout.Status.LISTED).exists():
            raise CannotErase(customer.public_id)
        words = _words(store, people)
        _stop(store, people, at, by)
        _blank_what_others_read(store, people)
        _blank_rows(store, ids)
        _blank_history(ids, words)
        Customer.objects.for_store(store).filter(pk__in=ids).update(erased_at=at, **BLANK)
        note(store, "customer.erased", subject=people[0].public_id, by=by, at=at)
    return True


def _held(customer: Customer) -> list[Customer]:
    """The row they go by first, then those that were merged into it; all held, in order of their ids."""
    rows = Customer.objects.for_store(customer.store).select_related("store")
    today = rows.get(pk=customer.pk).merged_into_id or customer.pk
    same = rows.filter(Q(pk=today) | Q(merged_into=today))
    held = list(same.select_for_update(of=("self",), no_key=True).order_by("pk"))
    return sorted(held, key=lambda one: one.pk != today)


def _words(store: Store, people: list[Customer]) -> list[str]:
    """What names them beyond doubt: addresses, codes, and a full name that nobody else here has."""
    found = {
        value for one in people for value in (one.email, one.email_norm, one.email_alias, one.phone, one.phone_norm)
    }
    ids = [one.pk for one in people]
    for one in people:
        others = Customer.objects.for_store(store).filter(name_norm=one.name_norm).exclude(pk__in=ids)
        if " " in one.name and not others.exists():
            found |= {one.name, one.name_norm}
    links = ShareLink.objects.for_store(store).filter(customer__in=ids)
    found |= {code for pair in links.values_list("code", "code_norm") for code in pair}
    return sorted((word for word in found if len(word) >= SHORTEST), key=len, reverse=True)


def _stop(store: Store, people: list[Customer], at: datetime, by: User | None) -> None:
    """Nothing waits for them any more, nothing of theirs is shown, and nobody writes to their addresses again."""
    for one in people:
        outreach.cancel_pending(one, kinds=list(Kind), reason="erased", at=at)
        for channel, address in ((Channel.EMAIL, one.email_norm), (Channel.SMS, one.phone_norm)):
            reason = Suppression.Reason.UNSUBSCRIBED
            outreach.suppress(store, channel, address, reason=reason, source=SOURCE, at=at)
    mine = {"customer__in": people}
    for testimonial in Testimonial.objects.for_store(store).filter(**mine).select_related("store", "customer"):
        testimonials.decline(testimonial, at=at)
    cases = RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.OPEN, **mine)
    for case in cases.select_related("store", "customer"):
        recovery.end_case(case, solved=False, note="", at=at, by=by)
    Hold.objects.for_store(store).filter(**mine).delete()


def _blank_what_others_read(store: Store, people: list[Customer]) -> None:
    """Messages to their friends and advocates call them by first name and initial."""
    names = {one.short_name for one in people} | {one.first_name for one in people} - {""}
    referrals = Referral.objects.for_store(store).filter(Q(friend__in=people) | Q(advocate__in=people))
    claims = Claim.objects.for_store(store).filter(Q(friend__in=people) | Q(link__customer__in=people))
    near = {pk for pair in referrals.values_list("friend", "advocate") for pk in pair}
    near |= {pk for pair in claims.values_list("friend", "link__customer") for pk in pair}
    letters = Message.objects.for_store(store).filter(customer__in=near - {one.pk for one in people} - {None})
    for letter in letters:
        if letter.context.get("friend") in names:
            _take_name_out(letter)


def _take_name_out(letter: Message) -> None:
    name = letter.context["friend"]
    Message.objects.filter(pk=letter.pk, store_id=letter.store_id).update(context={**letter.context, "friend": ""})
    alone = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for item in OutboxItem.objects.filter(store_id=letter.store_id, message=letter):
        for column in ("subject", "text", "html"):
            setattr(item, column, alone.sub("…", getattr(item, column)))
        item.save(update_fields=["subject", "text", "html"])
    for task in Task.objects.filter(store_id=letter.store_id, message=letter):
        task.words = alone.sub("…", task.words)
        task.save(update_fields=["words"])


def _blank_rows(store: Store, ids: list[int]) -> None:
    """What stands in rows of their own."""
    mine: dict[str, Any] = {"store_id": store.pk, "customer__in": ids}
    for model in (CustomerTag, SegmentMember, Device, PayoutAddress):
        model.objects.filter(**mine).delete()
    letters = list(Message.objects.filter(**mine).values_list("pk", flat=True))
    Message.objects.filter(store_id=store.pk, pk__in=letters).update(context={}, to="")
    OutboxItem.objects.filter(store_id=store.pk, message__in=letters).update(to="", subject="", text="", html="")
    Task.objects.filter(**mine).update(words="")
    Event.objects.filter(**mine).update(data={})
    Order.objects.filter(**mine).update(named="", card_hash="")
    Response.objects.filter(**mine).update(comment="")
    Testimonial.objects.filter(**mine).update(text="", shown_name="")
    Appeal.objects.filter(**mine).update(friend_name="", friend_contact="", order_number="", words="", answer="")
    Payout.objects.filter(**mine).update(sealed="", hint="", note="")
    Fulfilment.objects.filter(store_id=store.pk, reward__customer__in=ids).update(note="")
    Claim.objects.filter(store_id=store.pk, friend__in=ids).update(device="", address="")
    prints.forget_sheets_of(store, ids)
    JobFile.objects.filter(store_id=store.pk).delete()  # exports hold everybody, and can be made again
    ImportRow.objects.filter(store_id=store.pk, made__customer__in=ids).update(made={})
    _forget_files(store)
    merges = CustomerMerge.objects.filter(store_id=store.pk)
    merges.filter(Q(survivor__in=ids) | Q(gone__in=ids)).update(filled={})
    _rename_links(store, ShareLink.objects.for_store(store).filter(customer__in=ids))


def _forget_files(store: Store) -> None:
    """Files of customers that are not being read just now: whoever needs one brings it again.

    One at work ends in minutes and then goes by itself; whoever stands in it comes back as any re-import would.
    """
    at_work = Job.objects.for_store(store).filter(kind=working.KIND, state=Job.State.RUNNING)
    files = Import.objects.filter(store_id=store.pk).exclude(content=b"")
    files.exclude(pk__in=[job.data["run"] for job in at_work]).update(content=b"")


def _rename_links(store: Store, links: Iterable[ShareLink]) -> None:
    """A code begins with its owner's name: they get one that says nothing, also where a till wrote it down."""
    for link in links:
        code = rules.new_code("", store.slug)
        before, after = link.code_norm, codes.normalise(code)
        ShareLink.objects.filter(pk=link.pk, store_id=store.pk).update(code=code, code_norm=after)
        Order.objects.filter(store_id=store.pk, code=before).update(code=after)


def _blank_history(ids: list[int], words: list[str]) -> None:
    """The rest, append-only tables included, is done by the database: see referrals/migrations/0011_erasing.py."""
    # "(?!x)x" matches nothing: somebody without any name is found by their rows alone.
    pattern = "|".join(rf"(?<![\w.+-]){re.escape(word)}(?![\w-])" for word in words) or "(?!x)x"
    with connection.cursor() as cursor:
        cursor.execute("SELECT goodword_erase(%s, %s)", [ids, pattern])
