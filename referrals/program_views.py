"""The program and its rewards, the store's money, and opening a store."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from referrals import changes, queries
from referrals.forms import CurrencyForm, Editor, NewStoreForm, as_typed, offer_of, reshaped
from referrals.models import Program
from referrals.public.sharing import share_text
from referrals.services import programs
from rewards.wording import offer_text
from stores import limits
from stores.access import for_role
from stores.models import Role, Store, User

STORES_A_DAY = 20


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def program(request: HttpRequest, store: Store) -> HttpResponse:
    """The editor. POST `step` says what for: save (the default), look, add, remove-N."""
    found, step = programs.program_of(store), request.POST.get("step", "save")
    if request.method == "GET":
        return _page(request, found, Editor(as_typed(found), store))
    if step == "add" or step.startswith("remove-"):
        return _page(request, found, Editor(reshaped(request.POST), store, check=False))
    editor = Editor(request.POST, store)
    if not editor.is_valid():
        return _page(request, found, editor, status=422)
    if step == "look":
        return _page(request, found, editor)
    _save(request, found, editor)
    return redirect("referrals:program", store=store.slug)


def _save(request: HttpRequest, found: Program, editor: Editor) -> None:
    lines = changes.in_words(programs.describe(found), changes.facts_of(editor.terms), found.store)
    if not lines:
        messages.info(request, _("Nothing was different, so nothing changed."))
        return
    programs.change_program(found, editor.terms, by=_me(request), at=timezone.now())
    messages.success(request, _("Saved: it holds from now on."))
    for line in [*lines, *queries.effects(found.store)]:
        messages.info(request, line)


def _page(request: HttpRequest, found: Program, editor: Editor, *, status: int = 200) -> HttpResponse:
    context = {
        "nav_key": "program",
        "program": found,
        "editor": editor,
        "history": queries.history(found),
        **_beside(request, found, Editor(editor.data, found.store)),
    }
    return render(request, "referrals/dashboard/program.html", context, status=status)


@for_role(Role.MANAGER)
@require_POST
def preview(request: HttpRequest, store: Store) -> HttpResponse:
    """What stands beside the editor, for what is typed: the customer's page, and what saving changes."""
    found = programs.program_of(store)
    context = _beside(request, found, Editor(request.POST, store))
    return render(request, "referrals/dashboard/_beside.html", {"program": found, **context})


def _beside(request: HttpRequest, found: Program, editor: Editor) -> dict[str, object]:
    """The words a customer would read, the advice, and what saving would change; for terms that can be read."""
    store, given = found.store, editor.first_gifts()
    language = request.POST.get("language") or store.locale
    language = language if language in dict(settings.LANGUAGES) else store.locale
    average = queries.average_order(store, timezone.now())
    with translation.override(language):
        friend, mine = (offer_text(offer_of(terms, store), store) if terms else "" for terms in given)
        words = {"friend_gets": friend, "you_get": mine, "text": share_text(store, friend or "…", mine)}
    friend_terms = given[0]
    return {
        "preview": {**words, "language": language, "dir": "rtl" if language == "fa" else "ltr"},
        "languages_to_preview": settings.LANGUAGES,
        "advice": queries.advice(friend_terms, store, average) if friend_terms else "",
        "coming": queries.preview(found, changes.facts_of(editor.terms), store) if editor.is_valid() else None,
    }


@for_role(Role.MANAGER)
@require_POST
def program_status(request: HttpRequest, store: Store) -> HttpResponse:
    """Pause the program, or let it run; each undoes the other."""
    wanted, found = request.POST.get("status", ""), programs.program_of(store)
    if wanted not in Program.Status.values:
        raise Http404("no such status")
    if wanted != found.status:
        programs.set_status(found, Program.Status(wanted), by=_me(request), at=timezone.now())
        paused = wanted == Program.Status.PAUSED
        messages.success(
            request,
            _("Paused: nobody is asked, links show a friendly page, gifts already given stay good.")
            if paused
            else _("The program runs."),
        )
    return redirect("referrals:program", store=store.slug)


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def currency(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's money: may change until the first order."""
    locked = programs.currency_in_use(store)
    initial = {"currency": store.currency, "toman": store.toman}
    form = CurrencyForm(request.POST or None, initial=initial)
    if request.method == "POST" and not locked and form.is_valid():
        programs.change_currency(store, **form.cleaned_data, by=_me(request), at=timezone.now())
        messages.success(request, _("Saved. Amounts kept their number: look at your rewards next."))
        return redirect("referrals:program", store=store.slug)
    context = {"nav_key": "settings", "tab": "currency", "form": form, "locked": locked}
    refused = request.method == "POST"
    return render(request, "referrals/dashboard/currency.html", context, status=422 if refused else 200)


@login_required
@require_http_methods(["GET", "POST"])
def new_store(request: HttpRequest) -> HttpResponse:
    """Open a store; whoever does is its owner. Its program runs at once, with 10 % off for both sides."""
    form = NewStoreForm(request.POST or None, initial={"locale": translation.get_language(), "timezone": "UTC"})
    if request.method == "POST" and form.is_valid():
        opened = _open(request, form)
        if opened:
            messages.success(request, _("Your store is open. This is what both sides get: change it as you like."))
            return redirect("referrals:program", store=opened.slug)
    return render(request, "referrals/dashboard/new_store.html", {"form": form}, status=422 if form.errors else 200)


def _open(request: HttpRequest, form: NewStoreForm) -> Store | None:
    user, facts = _me(request), form.cleaned_data
    if limits.count(f"new_store:{user.pk}", per_seconds=86400) > STORES_A_DAY:
        form.add_error(None, _("That were many stores in one day. Go on tomorrow."))
        return None
    try:
        return programs.open_store(**facts, toman=facts["currency"] == "IRR", owner=user, at=timezone.now())
    except IntegrityError:  # somebody took the address in between
        form.add_error("slug", _("That address is taken. Try another, for example with your town."))
        return None


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
