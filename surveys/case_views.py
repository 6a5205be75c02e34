"""Unhappy customers: who waits for help, and everything about helping one."""

from __future__ import annotations

from typing import Any

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from outreach.rendering import language_of
from outreach.services import is_suppressed
from rewards.services import apologies, vouchers
from stores.access import for_role, me
from stores.codes import spaced
from stores.lists import EXPORT_LIMIT, csv_response
from stores.models import Role, Store
from surveys import case_queries as queries
from surveys import replies
from surveys.case_steps import STEPS
from surveys.forms import GiftForm, LetterForm, NoteForm
from surveys.models import RecoveryCase
from surveys.services import recovery

CHOICES = ("mine", "nobody", "overdue", "ended")


@for_role(Role.MANAGER)
@require_GET
def cases(request: HttpRequest, store: Store) -> HttpResponse:
    """Who waits for help, the oldest promise first; `?tab=` narrows the list, `?tab=ended` shows who had it."""
    show, now, user = request.GET.get("tab", ""), timezone.now(), me(request)
    show = show if show in CHOICES else ""
    rows = queries.cases(store, show=show, user=user, at=now)
    if request.GET.get("format") == "csv":
        return _as_csv(rows)
    ended = show == "ended"
    page = queries.page_of(rows, ended=ended, cursor=request.GET.get("after", ""))
    after = queries.follow_ups(store, page.rows) if ended else {}
    for case in page.rows:
        case.bought, case.overdue = queries.bought(case), queries.is_overdue(case, now)
        case.after = after.get(case.pk)
    context = {
        "nav_key": "unhappy",
        "tab": "cases",
        "page": page,
        "show": show,
        "ended": ended,
        "counts": queries.counts(store, user, now),
        "turned": queries.turned(store, now) if ended else None,
    }
    return render(request, "surveys/dashboard/cases.html", context)


def _as_csv(rows: queries.QuerySet[RecoveryCase]) -> HttpResponse:
    header = [_("Customer"), _("Phone"), _("E-mail"), _("Bought"), _("Score"), _("Comment"), _("State"), _("Since"),
              _("Promised until"), _("Ended"), _("What was done"), _("With")]  # fmt: skip
    return csv_response(
        "unhappy-customers",
        header,
        (
            [
                case.customer, case.customer.phone, case.customer.email, "; ".join(queries.bought(case)),
                case.response.score, case.response.comment, case.get_status_display(), case.opened_at,
                case.promise_at, case.ended_at, case.get_outcome_display(), case.assignee,
            ]
            for case in rows[:EXPORT_LIMIT]
        ),
    )  # fmt: skip


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One unhappy customer: whom to call, what happened, and the steps (POST `action`)."""
    rows = queries.with_facts(RecoveryCase.objects.for_store(store))
    found = get_object_or_404(rows, public_id=public_id)
    refused: dict[str, Form] = {}
    if request.method == "POST":
        step = STEPS.get(request.POST.get("action", ""))
        if step is None:
            raise Http404("no such step")
        refused = step(request, found)
        if not refused:
            return redirect("surveys:case", store=store.slug, public_id=public_id)
    context = _facts(found) | _letter(request, found) | _gift(found) | refused
    return render(request, "surveys/dashboard/case.html", context, status=422 if refused else 200)


def _facts(found: RecoveryCase) -> dict[str, Any]:
    asked = queries.follow_ups(found.store, [found]) if found.status != queries.OPEN else {}
    gift = queries.last_gift(found)
    done = RecoveryCase.Outcome.VOUCHER if gift else RecoveryCase.Outcome.EXPLAINED
    return {
        "nav_key": "unhappy",
        "case": found,
        "bought": queries.bought(found),
        "overdue": queries.is_overdue(found, timezone.now()),
        "history": queries.history(found),
        "helpers": queries.helpers(found.store),
        "after": asked.get(found.pk),
        "form": NoteForm(initial={"outcome": done}),
    }


def _letter(request: HttpRequest, found: RecoveryCase) -> dict[str, Any]:
    """The letter as it stands before staff go on writing: `?reply=` names the words to start from."""
    store, customer = found.store, found.customer
    known = replies.replies(store, language_of(store, customer))
    typed = request.GET.get("reply", "")
    chosen = next((one for one in known if str(one.number) == typed), None)
    product = next(iter(queries.bought(found)), "")
    body = replies.draft(found, chosen, product=product, gift=queries.last_gift(found)) if chosen else ""
    initial = {"subject": recovery.subject_for(found), "body": body, "number": recovery.letters_written(found)}
    return {
        "replies": known,
        "chosen": chosen,
        "letter_form": LetterForm(initial=initial),
        "is_closed": is_suppressed(store, customer),
    }


def _gift(found: RecoveryCase) -> dict[str, Any]:
    store, gift = found.store, queries.last_gift(found)
    voucher = vouchers.voucher_of(gift) if gift else None
    return {
        "gift_form": GiftForm(store=store, initial={"number": queries.gifts_given(found)}),
        "left_minor": apologies.left_this_month(store, found.customer, at=timezone.now()),
        "gift": gift,
        "gift_text": replies.gift_text(gift.offer, store) if gift else "",
        "gift_code": spaced(voucher.code) if voucher else "",
        "voucher": voucher,
    }
