"""The steps of a case, as its page posts them: each gives back the forms it refused, {} when it was done."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rewards.services.apologies import OverCap
from stores.access import me
from stores.l10n import format_money
from surveys import case_queries as queries
from surveys.forms import GiftForm, LetterForm, NoteForm
from surveys.models import RecoveryCase
from surveys.services import recovery

Refused = dict[str, Form]
LONGEST_TEXT = 600  # characters of a text message: some nine parts in Persian


def _note(request: HttpRequest, found: RecoveryCase) -> Refused:
    form = NoteForm(request.POST, is_needed=_("Write the note first."))
    if not form.is_valid():
        return {"form": form}
    recovery.add_note(found, form.cleaned_data["note"], at=timezone.now(), by=me(request))
    return {}


def _assign(request: HttpRequest, found: RecoveryCase) -> Refused:
    chosen = request.POST.get("assignee", "")
    helpers = {str(user.pk): user for user in queries.helpers(found.store)}
    if chosen and chosen not in helpers:
        raise Http404("no such person here")
    if helpers.get(chosen) != found.assignee:
        recovery.assign(found, helpers.get(chosen), at=timezone.now(), by=me(request))
    return {}


def _solve(request: HttpRequest, found: RecoveryCase) -> Refused:
    form = NoteForm(request.POST)
    if not form.is_valid():
        return {"form": form}
    if _end(request, found, form, solved=True):
        messages.success(request, _("Solved. They may be asked for things again. Opened by mistake? Open it again."))
    return {}


def _close(request: HttpRequest, found: RecoveryCase) -> Refused:
    form = NoteForm(request.POST, is_needed=_("Say in a few words why there was no solution."))
    if not form.is_valid():
        return {"form": form}
    if _end(request, found, form, solved=False):
        messages.success(request, _("Closed without a solution. You can open it again."))
    return {}


def _end(request: HttpRequest, found: RecoveryCase, form: NoteForm, *, solved: bool) -> bool:
    values = form.cleaned_data
    moved = recovery.end_case(
        found, solved=solved, note=values["note"], outcome=values["outcome"], at=timezone.now(), by=me(request)
    )
    if not moved:
        messages.info(request, _("It had been ended already."))
    return moved


def _reopen(request: HttpRequest, found: RecoveryCase) -> Refused:
    if recovery.reopen_case(found, at=timezone.now(), by=me(request)):
        messages.success(request, _("Open again. Until it ends they are asked for nothing."))
    return {}


def _write(request: HttpRequest, found: RecoveryCase) -> Refused:
    form = LetterForm(request.POST)
    customer = found.customer
    if customer.erased_at or not (customer.email_norm or customer.phone_norm):
        form.add_error(None, _("No e-mail address and no phone number is known: nothing can be sent."))
    elif not customer.email_norm and len(request.POST.get("body", "")) > LONGEST_TEXT:
        form.add_error("body", _("No e-mail address is known: a text message has room for 600 characters."))
    if not form.is_valid():
        return {"letter_form": form}
    try:
        recovery.write(found, **form.cleaned_data, at=timezone.now(), by=me(request))
    except recovery.WrittenMeanwhile:
        # What was typed stays; sending it once more is a decision, so the number moves on.
        form.data = {**request.POST.dict(), "number": recovery.letters_written(found)}
        form.add_error(None, _("Somebody wrote to them meanwhile: see below. Send yours as well?"))
        return {"letter_form": form}
    messages.success(request, _("It goes out in a minute. Until then you can call it back below."))
    return {}


def _unwrite(request: HttpRequest, found: RecoveryCase) -> Refused:
    if recovery.unwrite(found, request.POST.get("about", ""), at=timezone.now(), by=me(request)):
        messages.success(request, _("Called back: it was not sent."))
    else:
        messages.info(request, _("It is on its way already and cannot be called back."))
    return {}


def _give(request: HttpRequest, found: RecoveryCase) -> Refused:
    form = GiftForm(request.POST, store=found.store)
    if found.customer.erased_at:
        form.add_error(None, _("This person’s data was erased."))
    if not form.is_valid():
        return {"gift_form": form}
    values = form.cleaned_data
    facts = {"kind": values["kind"], "amount_minor": values["amount"], "number": values["number"]}
    try:
        recovery.apologise(found, **facts, at=timezone.now(), by=me(request))
    except OverCap as error:
        form.add_error("amount", _over_cap(found, error.left_minor))
        return {"gift_form": form}
    except recovery.GivenMeanwhile:
        form.data = {**request.POST.dict(), "number": queries.gifts_given(found)}
        form.add_error(
            None, _("Somebody gave them something meanwhile, or took it back: see above. Give this as well?")
        )
        return {"gift_form": form}
    messages.success(request, _("Given. Tell them the code, or put it into a letter."))
    return {}


def _over_cap(found: RecoveryCase, left_minor: int) -> str:
    store = found.store
    if not left_minor:
        return _("They have had all that one person may be given this month.")
    left = format_money(left_minor, store.currency, get_language() or "en", toman=store.toman)
    return _("That is more than one person may be given in a month: %(left)s is left.") % {"left": left}


def _take_back(request: HttpRequest, found: RecoveryCase) -> Refused:
    if recovery.take_apology_back(found, request.POST.get("about", ""), at=timezone.now(), by=me(request)):
        messages.success(request, _("Taken back."))
    else:
        messages.info(request, _("It was used or taken back already."))
    return {}


STEPS: dict[str, Callable[[HttpRequest, RecoveryCase], Refused]] = {
    "note": _note,
    "assign": _assign,
    "solve": _solve,
    "close": _close,
    "reopen": _reopen,
    "write": _write,
    "unwrite": _unwrite,
    "give": _give,
    "take_back": _take_back,
}
