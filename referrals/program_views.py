"""The store's programs: the list, the editor of one, its states, older versions, boosts; the store's money."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals import advice, changes, queries
from referrals.forms import (
    BoostForm,
    CurrencyForm,
    Editor,
    NewStoreForm,
    as_typed,
    boost_initial,
    offer_of,
    reshaped,
    typed_terms,
)
from referrals.models import Boost, Program
from referrals.public.ladders import either
from referrals.public.sharing import as_told, share_text
from referrals.services import boosts, programs
from referrals.services.terms import DEFAULT_TERMS, describe, facts_of, terms_of, uncapped
from rewards.wording import offer_text
from stores import limits
from stores.access import for_role
from stores.models import Role, Store, User

STORES_A_DAY = 20


@for_role(Role.MANAGER)
@require_safe
def program_list(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's programs with their state, dates and budgets."""
    context = {"nav_key": "program", "rows": queries.program_rows(store, timezone.now())}
    return render(request, "referrals/dashboard/programs.html", context)


# -- The editor --


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_program(request: HttpRequest, store: Store) -> HttpResponse:
    """The editor of a program that is yet to be made; it becomes a draft."""
    if request.method == "GET":
        return _page(request, store, None, Editor(typed_terms(DEFAULT_TERMS, store), store, check=False))
    return _edited(request, store, None)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def program(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The editor of one program. POST `step` says what for: save (the default), look, or a change of the form."""
    found = _program(store, public_id)
    if request.method == "GET":
        typed = as_typed(found) | {"margin": request.GET.get("margin", "")}
        return _page(request, store, found, Editor(typed, store))
    return _edited(request, store, found)


def _program(store: Store, public_id: str) -> Program:
    shared = programs.programs_of(store).exclude(audience=Program.Audience.STORES)  # of those the agreement decides
    found: Program = get_object_or_404(shared, public_id=public_id)
    return found


def _edited(request: HttpRequest, store: Store, found: Program | None) -> HttpResponse:
    step = request.POST.get("step", "save")
    if step not in ("save", "look"):
        return _page(request, store, found, Editor(reshaped(request.POST), store, check=False))
    editor = Editor(request.POST, store)
    if not editor.is_valid():
        return _page(request, store, found, editor, status=422)
    if step == "look":
        return _page(request, store, found, editor)
    saved = _save(request, store, found, editor)
    if saved is None:
        return _page(request, store, found, editor, status=422)
    asked = urlencode({"margin": editor.margin}) if editor.margin else ""
    address = reverse("referrals:program", args=[store.slug, saved.public_id])
    return redirect(f"{address}?{asked}" if asked else address)


def _save(request: HttpRequest, store: Store, found: Program | None, editor: Editor) -> Program | None:
    """The program as it is now; None where the store's other promises do not allow it: the form says which."""
    try:
        if found is None:
            return _make(request, store, editor)
        return _change(request, found, editor)
    except programs.BelowCommitted:
        editor.refuse(*_below(found, editor))
    except programs.Overlapping:
        editor.refuse("starts", overlapping())
    return None


def _make(request: HttpRequest, store: Store, editor: Editor) -> Program:
    schedule, draft = editor.schedule, Program.Status.DRAFT
    made = programs.create_program(
        store,
        editor.terms,
        audience=schedule.audience,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        status=draft,
        by=_me(request),
        at=timezone.now(),
    )
    messages.success(request, _("Saved as a draft: nobody sees it until you publish it."))
    return made


def _change(request: HttpRequest, found: Program, editor: Editor) -> Program:
    lines = changes.in_words(describe(found), _facts(found, editor), found.store)
    if not lines:
        messages.info(request, _("Nothing was different, so nothing changed."))
        return found
    changed = programs.change_program(
        found, editor.terms, schedule=_schedule(found, editor), by=_me(request), at=timezone.now()
    )
    messages.success(request, _("Saved: it holds from now on."))
    for line in [*lines, *queries.effects(changed)]:
        messages.info(request, line)
    return changed


def _schedule(found: Program | None, editor: Editor) -> programs.Schedule:
    """As typed; for whom a program is can be changed only while it is a draft."""
    typed = editor.schedule
    if found is None or found.status == Program.Status.DRAFT:
        return typed
    return programs.Schedule(Program.Audience(found.audience), typed.starts_at, typed.ends_at)


def _facts(found: Program | None, editor: Editor) -> changes.Facts:
    """What the editor says, as the history would keep it."""
    schedule = _schedule(found, editor)
    return {
        **facts_of(editor.terms, editor.store.currency),
        "audience": int(schedule.audience),
        "starts_at": schedule.starts_at.isoformat() if schedule.starts_at else None,
        "ends_at": schedule.ends_at.isoformat() if schedule.ends_at else None,
    }


def overlapping() -> str:
    """Why two programs cannot run at once, and what to do."""
    return _(
        "Another program for the same people runs at that time. Give one of them an end before the other starts, "
        "or pause or end the other first."
    )


def _below(found: Program | None, editor: Editor) -> tuple[str, str]:
    """The field that is too low, and by what."""
    assert found is not None
    places, budget = editor.terms.places, found.budget
    if places is not None and places < budget.places_taken:
        taken = changes.number(budget.places_taken)
        return "places", _("%(count)s places are promised or taken already. Write at least that.") % {"count": taken}
    committed = changes.money(budget.committed_minor, found.store)
    return "ceiling", _("%(amount)s are promised or spent already. Write at least that.") % {"amount": committed}


def _page(
    request: HttpRequest, store: Store, found: Program | None, editor: Editor, *, status: int = 200
) -> HttpResponse:
    at = timezone.now()
    context = {
        "nav_key": "program",
        "program": found,
        "state": queries.state_of(found, at) if found else "draft",
        "so_far": queries.row_of(found, at) if found else None,
        "now": at,
        "editor": editor,
        "address": _address(store, found),
        "preview_address": _address(store, found, "preview"),
        "products": queries.products_to_pick(store),
        "history": queries.history(found) if found else [],
        "boosts": queries.boosts_of(found) if found else [],
        **_beside(request, store, found, Editor(editor.data, store)),
    }
    return render(request, "referrals/dashboard/program.html", context, status=status)


def _address(store: Store, found: Program | None, page: str = "program") -> str:
    """Where the editor, or what stands beside it, is."""
    if found is None:
        return reverse(
            {"program": "referrals:new_program", "preview": "referrals:preview_new"}[page], args=[store.slug]
        )
    return reverse(f"referrals:{page}", args=[store.slug, found.public_id])


@for_role(Role.MANAGER)
@require_POST
def preview_new(request: HttpRequest, store: Store) -> HttpResponse:
    """What stands beside the editor of a program that is yet to be made."""
    return _preview(request, store, None)


@for_role(Role.MANAGER)
@require_POST
def preview(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """What stands beside the editor, for what is typed: the customer's page, and what saving changes."""
    return _preview(request, store, _program(store, public_id))


def _preview(request: HttpRequest, store: Store, found: Program | None) -> HttpResponse:
    context = _beside(request, store, found, Editor(request.POST, store))
    return render(request, "referrals/dashboard/_beside.html", {"program": found, **context})


def _beside(request: HttpRequest, store: Store, found: Program | None, editor: Editor) -> dict[str, object]:
    """The words a customer would read, the advice, and what saving would change; for terms that can be read."""
    friend, mine = editor.first_gifts()
    language = request.POST.get("language") or store.locale
    language = language if language in dict(settings.LANGUAGES) else store.locale
    with translation.override(language):
        friend_gets = offer_text(offer_of(friend, store), store) if friend else ""
        gifts = [offer_of(terms, store) for terms in editor.first_choices()]
        told = as_told(gifts, store) if gifts else ""
        words = {
            "friend_gets": friend_gets,
            "you_get": either(*(offer_text(gift, store) for gift in gifts)) if gifts else "",
            "text": share_text(store, friend_gets or "…", told),
        }
    return {
        "preview": {**words, "language": language, "dir": "rtl" if language == "fa" else "ltr"},
        "languages_to_preview": settings.LANGUAGES,
        "advice": advice.advise(friend, mine, store, timezone.now(), margin=editor.margin) if friend else [],
        "margin": editor.form["margin"],
        "coming": queries.preview(found, _facts(found, editor), store) if editor.is_valid() else None,
    }


# -- States and older versions --


@for_role(Role.MANAGER)
@require_POST
def program_status(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Publish the program, pause it, let it run again, end it; each but publishing can be undone."""
    wanted, found = request.POST.get("status", ""), _program(store, public_id)
    if wanted not in Program.Status.values:
        raise Http404("no such status")
    try:
        moved = programs.set_status(found, Program.Status(wanted), by=_me(request), at=timezone.now())
    except programs.Overlapping:
        messages.error(request, overlapping())
    else:
        if moved:
            messages.success(request, _moved_to(found))
    return redirect("referrals:program", store=store.slug, public_id=found.public_id)


def _moved_to(program: Program) -> str:
    if program.status == Program.Status.PAUSED:
        return _("Paused: nobody is asked, links show a friendly page, gifts already given stay good.")
    if program.status == Program.Status.ENDED:
        return _("Ended: nobody is asked any more, gifts and rewards already promised stay good.")
    if queries.state_of(program, timezone.now()) == "over":
        return _("Published, but its end is past. Give it a later end, so that it runs.")
    return _("The program runs.")


@for_role(Role.MANAGER)
@require_POST
def program_back(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Put an older version's terms in force again, as a new version; name, dates and budget stay."""
    found = _program(store, public_id)
    version = queries.version_of(found, request.POST.get("version", ""))
    if version is None:
        raise Http404("no such version")
    terms = terms_of(found, version)
    if terms.ceiling_minor and uncapped(terms):
        messages.error(
            request,
            _("That version has a percentage without an upper limit, and now there is a budget. Change it by hand."),
        )
    else:
        changed = programs.change_program(found, terms, by=_me(request), at=timezone.now())
        messages.success(request, _("The older terms hold again, from now on."))
        for line in [*changes.in_words(describe(found), describe(changed), store), *queries.effects(changed)]:
            messages.info(request, line)
    return redirect("referrals:program", store=store.slug, public_id=found.public_id)


# -- Boosts --


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_boost(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A time in which customers earn more."""
    found, at = _program(store, public_id), timezone.now()
    form = BoostForm(request.POST or None, initial=boost_initial(*_next_week(at)))
    if request.method == "POST" and form.is_valid():
        boosts.make_boost(found, form.boost_data, by=_me(request), at=at)
        messages.success(request, _("The boost is set."))
        return redirect("referrals:program", store=store.slug, public_id=found.public_id)
    context = {"nav_key": "program", "program": found, "form": form}
    return render(request, "referrals/dashboard/boost.html", context, status=422 if request.method == "POST" else 200)


def _next_week(at: datetime) -> tuple[datetime, datetime]:
    """Seven whole days from tomorrow on the store's clock."""
    today = at.astimezone(timezone.get_current_timezone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1), today + timedelta(days=8)


@for_role(Role.MANAGER)
@require_POST
def boost_change(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Stop a boost before its end, or undo that."""
    boost = get_object_or_404(
        Boost.objects.for_store(store).select_related("program__store", "store"), public_id=public_id
    )
    if request.POST.get("to") == "stop":
        if boosts.stop_boost(boost, by=_me(request), at=timezone.now()):
            messages.success(request, _("Stopped. Purchases placed until now still count for it."))
    elif boosts.resume_boost(boost, by=_me(request), at=timezone.now()):
        messages.success(request, _("The boost goes on as if it had not been stopped."))
    return redirect("referrals:program", store=store.slug, public_id=boost.program.public_id)


# -- Money, and opening a store --


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
        return redirect("referrals:programs", store=store.slug)
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
            return redirect("referrals:programs", store=opened.slug)
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
