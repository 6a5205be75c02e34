"""Words to start from when writing to unhappy people, and how much may be given as an apology."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from stores.access import for_role, me
from stores.context import NAMES
from stores.l10n import money_input
from stores.models import Role, Store
from stores.services import change_settings
from surveys import replies
from surveys.forms import CapForm, RepliesFormSet, ReplyForm

LANGUAGES = [code for code, _name in settings.LANGUAGES]
Replies = formset_factory(ReplyForm, RepliesFormSet, extra=1, max_num=replies.MOST, validate_max=True)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def reply_words(request: HttpRequest, store: Store) -> HttpResponse:
    """The replies of one language; POST puts what was typed in their place, nothing brings ours back."""
    language = request.GET.get("language", "")
    language = language if language in LANGUAGES else store.locale if store.locale in LANGUAGES else LANGUAGES[0]
    if request.method == "POST":
        formset = _formset(store, language, request.POST)
        if formset.is_valid():
            replies.save_replies(store, language, formset.wanted)  # type: ignore[attr-defined]
            messages.success(request, _("Saved."))
            return redirect(f"{reverse('surveys:replies', args=[store.slug])}?language={language}")
    else:
        formset = _formset(store, language)
    return _page(request, store, language, formset=formset)


def _formset(store: Store, language: str, data: QueryDict | None = None) -> BaseFormSet:
    """What was typed, or without `data` what the store has."""
    known = [] if data else [{"name": one.name, "text": one.text} for one in replies.replies(store, language)]
    return Replies(data, initial=known, prefix="replies", form_kwargs={"language": language})


@for_role(Role.OWNER)
@require_POST
def apology_cap(request: HttpRequest, store: Store) -> HttpResponse:
    """Set the most one person may be given in apologies in a month."""
    form = CapForm(request.POST, store=store)
    if form.is_valid():
        changed = change_settings(
            store, {"apology_cap_minor": form.cleaned_data["cap"]}, by=me(request), at=timezone.now()
        )
        messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing changed."))
        return redirect("surveys:replies", store=store.slug)
    return _page(request, store, store.locale if store.locale in LANGUAGES else LANGUAGES[0], cap_form=form)


def _page(
    request: HttpRequest,
    store: Store,
    language: str,
    *,
    formset: BaseFormSet | None = None,
    cap_form: CapForm | None = None,
) -> HttpResponse:
    cap = store.apology_cap_minor
    shown = "" if cap is None else money_input(cap, store.currency, toman=store.toman)
    shown_set = formset or _formset(store, language)
    context = {
        "nav_key": "unhappy",
        "tab": "replies",
        "formset": shown_set,
        "language": language,
        "choices": [(code, NAMES[code]) for code in LANGUAGES],
        "has_own": replies.has_own(store, language),
        "fields": replies.field_words(),
        "cap_form": cap_form or CapForm(store=store, initial={"cap": shown}),
    }
    refused = bool(cap_form) or (shown_set.is_bound and not shown_set.is_valid())
    return render(request, "surveys/dashboard/replies.html", context, status=422 if refused else 200)
