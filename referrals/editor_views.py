"""The editor of a program: the customer's page beside the form, drafts, what publishing changes, older versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from referrals import advice, changes, previews, program_history, queries
from referrals.coming import coming_of, keeps
from referrals.forms import Editor, as_typed, reshaped, typed_terms
from referrals.models import Program
from referrals.services import drafting, programs
from referrals.services.terms import DEFAULT_TERMS, Facts, describe, terms_from
from rewards.services import budgets
from stores import draft_views, drafts
from stores.access import for_role, me
from stores.drafts import Notice
from stores.models import Draft, Role, Store
from stores.previews import chosen

BESIDE = ("language", "view", "margin")  # how the page is looked at, not what is edited


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_program(request: HttpRequest, store: Store) -> HttpResponse:
    """The editor of a program that is yet to be made."""
    if request.method == "GET":
        return _page(request, store, None, Editor(typed_terms(DEFAULT_TERMS, store), store, check=False))
    return _edited(request, store, None)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def program(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The editor of one program.

    POST `step` says what for: save (a draft), publish, look, drop and undrop the draft, or a change of the form.
    """
    found = find_program(store, public_id)
    if request.method == "GET":
        return _opened(request, store, found)
    return _edited(request, store, found)


def find_program(store: Store, public_id: str) -> Program:
    """The store's program of that id; those with partner stores are made by agreement, not here. Raises Http404."""
    shared = programs.programs_of(store).exclude(audience=Program.Audience.STORES)
    found: Program = get_object_or_404(shared, public_id=public_id)
    return found


def _opened(request: HttpRequest, store: Store, found: Program) -> HttpResponse:
    """The draft where there is one, else what is in force; `?version=` an older version, to look at."""
    asked, draft = request.GET.get("version", ""), drafting.draft_of(found)
    facts = program_history.facts_of_version(found, asked) if asked else None
    if asked and facts is None:
        raise Http404("no such version")
    typed = as_typed(found)
    if facts:
        typed = typed_terms(terms_from(facts), store, programs.schedule_from(facts))
    elif draft:
        typed = draft.typed
    notice = Notice("version", lines=[changes.number(int(asked))]) if facts else None
    margin = {"margin": request.GET.get("margin", "")}
    return _page(request, store, found, Editor({**typed, **margin}, store), notice=notice)


# -- What is pressed --


def _edited(request: HttpRequest, store: Store, found: Program | None) -> HttpResponse:
    step = request.POST.get("step", "save")
    if found and step in ("drop", "undrop"):
        act = draft_views.drop if step == "drop" else draft_views.undrop
        return act(request, store, drafting.subject_of(found), _address(store, found))
    if step not in ("save", "publish", "look"):
        return _page(request, store, found, Editor(reshaped(request.POST), store, check=False))
    editor = Editor(request.POST, store)
    if step == "save" and found and found.status != Program.Status.DRAFT:
        return _save_draft(request, found, editor)
    if not editor.is_valid():
        return _page(request, store, found, editor, status=422)
    if step == "look":
        return _page(request, store, found, editor)
    return _written(request, store, found, editor, step)


def _save_draft(request: HttpRequest, found: Program, editor: Editor) -> HttpResponse:
    """Keep what is typed, right or wrong: it changes nothing for anybody."""
    typed = drafts.fields_of(request.POST, besides=BESIDE)
    try:
        drafting.save_draft(found, typed, begun=request.POST.get("begun", ""), by=me(request), at=timezone.now())
    except drafts.SavedMeanwhile:
        return _page(request, found.store, found, editor, status=409, notice=_outdated(found, editor))
    messages.success(request, _("Saved as a draft: nobody sees it until you publish it."))
    return redirect(_address(found.store, found))


def _written(request: HttpRequest, store: Store, found: Program | None, editor: Editor, step: str) -> HttpResponse:
    """Save a program that nobody sees yet, or publish; a refusal leaves what was typed and says what to do."""
    try:
        saved = _publish(request, store, found, editor) if step == "publish" else _save(request, store, found, editor)
    except (drafts.Unseen, drafts.SavedMeanwhile):
        notice = _outdated(found, editor, request.POST)
        return _page(request, store, found, editor, status=422 if notice.kind == "look" else 409, notice=notice)
    except programs.BelowCommitted:
        editor.refuse(*_below(found, editor))
    except programs.Overlapping:
        editor.refuse("starts", overlapping())
    else:
        asked = {"margin": editor.margin} if editor.margin else {}
        if found and found.status != Program.Status.DRAFT and saved.terms_id != found.terms_id:
            asked["published"] = saved.terms.number
        address = _address(store, saved)
        return redirect(f"{address}?{urlencode(asked)}" if asked else address)
    return _page(request, store, found, editor, status=422)


def _save(request: HttpRequest, store: Store, found: Program | None, editor: Editor) -> Program:
    at, schedule, base = timezone.now(), editor.schedule, request.POST.get("base", "")
    if found is None:
        saved = programs.create_program(
            store,
            editor.terms,
            audience=schedule.audience,
            starts_at=schedule.starts_at,
            ends_at=schedule.ends_at,
            status=Program.Status.DRAFT,
            by=me(request),
            at=at,
        )
    elif changes.in_words(describe(found), _facts(found, editor), store):
        saved = drafting.save_unpublished(found, editor.terms, schedule, begun=base, by=me(request), at=at)
    else:
        saved = found
    messages.success(request, _("Saved as a draft: nobody sees it until you publish it."))
    return saved


def _publish(request: HttpRequest, store: Store, found: Program | None, editor: Editor) -> Program:
    at, seal, by = timezone.now(), request.POST.get("seal", ""), me(request)
    if found is None:
        published = drafting.publish_new(store, editor.terms, editor.schedule, seal=seal, by=by, at=at)
        messages.success(request, _("Published."))
        return published
    lines = changes.in_words(describe(found), _facts(found, editor), store)
    if not lines and found.status != Program.Status.DRAFT:
        drafts.end_draft(store, drafting.subject_of(found), request.POST.get("begun", ""))
        messages.info(request, _("Nothing was different, so nothing changed."))
        return found
    begun, schedule = request.POST.get("begun", ""), _schedule(found, editor)
    published = drafting.publish(found, editor.terms, schedule, seal=seal, begun=begun, by=by, at=at)
    messages.success(request, _("Published: it holds from now on."))
    for line in [*lines, *keeps(published)] if found.status != Program.Status.DRAFT else []:
        messages.info(request, line)
    return published


def _schedule(found: Program | None, editor: Editor) -> programs.Schedule:
    """As typed; for whom a program is can be changed only while it is a draft."""
    typed = editor.schedule
    if found is None or found.status == Program.Status.DRAFT:
        return typed
    return programs.Schedule(Program.Audience(found.audience), typed.starts_at, typed.ends_at)


def _facts(found: Program | None, editor: Editor) -> Facts:
    """What a valid editor says, as the history would keep it."""
    return programs.wished(editor.terms, _schedule(found, editor), editor.store.currency)


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
    committed = changes.money(budgets.committed(budget), found.store)
    return "ceiling", _("%(amount)s are promised or spent already. Write at least that.") % {"amount": committed}


# -- What somebody else did meanwhile --


def _outdated(found: Program | None, editor: Editor, post: Mapping[str, str] | None = None) -> Notice:
    """Who was faster, and what is different in what is typed here; or that there was no look at it yet."""
    if found is None or (post and post.get("base") == drafting.base_of(found)):
        return Notice("look")
    if post:
        return draft_views.published(program_history.latest(found))
    draft = drafting.draft_of(found)
    return draft_views.saved(draft, _against(found, draft, editor) if draft else None)


def _against(found: Program, draft: Draft, editor: Editor) -> list[str]:
    """What is typed here against the draft of somebody else, in words, as far as both can be read."""
    theirs = Editor(draft.typed, found.store)
    if not (theirs.is_valid() and editor.is_valid()):
        return []
    return changes.in_words(_facts(found, theirs), _facts(found, editor), found.store)


# -- The page --


def _page(
    request: HttpRequest,
    store: Store,
    found: Program | None,
    editor: Editor,
    *,
    status: int = 200,
    notice: Notice | None = None,
) -> HttpResponse:
    at, in_force = timezone.now(), describe(found) if found else {}
    base, is_published = drafts.seal(in_force, {}), found and request.GET.get("published") == str(found.terms.number)
    context = {
        "nav_key": "program",
        "program": found,
        "state": queries.state_of(found, at) if found else "draft",
        "so_far": queries.row_of(found, at) if found else None,
        "now": at,
        "editor": editor,
        "notice": notice,
        **(draft_views.shown(request, store, drafting.subject_of(found), base, notice) if found else {"base": base}),
        "undo_to": found.terms.number - 1 if found and is_published else 0,
        "address": _address(store, found),
        "preview_address": _address(store, found, "preview"),
        "products": queries.products_to_pick(store),
        "history": program_history.history(found) if found else [],
        "boosts": queries.boosts_of(found) if found else [],
        **_beside(request, store, found, in_force, editor.data, at),
    }
    return render(request, "referrals/dashboard/program.html", context, status=status)


def _address(store: Store, found: Program | None, page: str = "program") -> str:
    """Where the editor, or what stands beside it, is."""
    if found is None:
        name = {"program": "referrals:new_program", "preview": "referrals:preview_new"}[page]
        return reverse(name, args=[store.slug])
    return reverse(f"referrals:{page}", args=[store.slug, found.public_id])


@for_role(Role.MANAGER)
@require_POST
def preview_new(request: HttpRequest, store: Store) -> HttpResponse:
    """What stands beside the editor of a program that is yet to be made."""
    return _preview(request, store, None)


@for_role(Role.MANAGER)
@require_POST
def preview(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """What stands beside the editor, for what is typed: people's pages, and what publishing changes."""
    return _preview(request, store, find_program(store, public_id))


def _preview(request: HttpRequest, store: Store, found: Program | None) -> HttpResponse:
    in_force = describe(found) if found else {}
    context = _beside(request, store, found, in_force, request.POST, timezone.now())
    return render(request, "referrals/dashboard/_beside.html", {"program": found, "is_part": True, **context})


def _beside(
    request: HttpRequest, store: Store, found: Program | None, in_force: Facts, typed: Mapping[str, str], at: datetime
) -> dict[str, object]:
    """The page as people would see it, what publishing would change, the advice; for terms that can be read."""
    # People do not see the program's name, so that theirs can be looked at before it has one.
    editor = Editor({**{name: typed[name] for name in typed}, "name": typed.get("name") or "…"}, store)
    friend, mine = editor.first_gifts()
    view, language = (request.POST.get(name, "") for name in ("view", "language"))
    page, coming = None, None
    if editor.is_valid():
        coming = coming_of(store, found, in_force, _facts(found, editor), at)
        schedule = _schedule(found, editor)
        page = previews.page(request, store, found, editor.terms, schedule, view=view, language=language, at=at)
    return {
        "page": page,
        "coming": coming,
        "view": chosen(view, previews.VIEWS, previews.ADVOCATE),
        "language": chosen(language, dict(settings.LANGUAGES), store.locale),
        "languages_to_preview": settings.LANGUAGES,
        "advice": advice.advise(friend, mine, store, at, margin=editor.margin) if friend else [],
        "margin": editor.form["margin"],
    }


# -- Older versions --


@for_role(Role.MANAGER)
@require_POST
def program_back(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Put an older version in force again, everything as it was, as a new version."""
    found = find_program(store, public_id)
    facts = program_history.facts_of_version(found, request.POST.get("version", ""))
    if facts is None:
        raise Http404("no such version")
    if facts["friend"].get("currency", store.currency) != store.currency:
        messages.error(request, _("That version is in another currency. Change the program by hand."))
        return redirect(_address(store, found))
    try:
        changed = drafting.go_back(found, facts, by=me(request), at=timezone.now())
    except programs.BelowCommitted:
        messages.error(request, _("More is promised by now than that version's budget or places allow."))
    except programs.Overlapping:
        messages.error(request, overlapping())
    else:
        messages.success(request, _("The older version holds again, from now on."))
        for line in [*changes.in_words(describe(found), describe(changed), store), *keeps(changed)]:
            messages.info(request, line)
    return redirect(_address(store, found))
