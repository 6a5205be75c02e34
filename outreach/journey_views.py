"""Journeys: what is sent, when, to whom, in which words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Channel
from customers.rules import BadPhone, normal_phone
from outreach import journey_changes, journey_history, publishing, trial
from outreach import journey_wording as wording
from outreach import journeys as services
from outreach.channels import Letter
from outreach.journey_forms import Editor, NewJourneyForm, typed_of
from outreach.kinds import Kind, Trigger, Way
from outreach.models import Journey, Message
from outreach.preview import VIEWS, Preview, preview
from outreach.words import PIECES, our_words
from stores import draft_views, drafts
from stores.access import for_role, me
from stores.lists import row_number
from stores.models import AuditEvent, Role, Store

COUNTED_DAYS = timedelta(days=30)
BESIDE = ("language", "view", "bare", "phone", "test")  # how it is looked at and tried, not what is edited


@dataclass(frozen=True)
class Line:
    """A journey on the list."""

    journey: Journey
    slug: str
    name: str
    when: str
    to_whom: str
    ways: list[Way]
    sent: int


@require_safe
@for_role(Role.MANAGER)
def journeys(request: HttpRequest, store: Store) -> HttpResponse:
    """Every kind of message in families, with how many went out lately."""
    lines = _lines(store, timezone.now())
    families = [
        (key, label, [line for kind in kinds for line in lines if line.journey.kind == kind])
        for key, label, kinds in wording.FAMILIES
    ]
    removed = _removed(store, request.GET.get("removed", ""))
    context = {
        "nav_key": "messages",
        "families": families,
        "removed": removed,
        "new_form": NewJourneyForm(),
        "drafted": drafts.subjects(store, "journey"),
    }
    return render(request, "outreach/dashboard/journeys.html", context)


def _lines(store: Store, at: datetime) -> list[Line]:
    by_kind, by_journey = _sent(store, at)
    return [
        Line(
            journey,
            services.slug_of(journey),
            wording.name_of(journey),
            wording.when(journey),
            wording.to_whom(journey),
            wording.ways_of(journey),
            by_journey.get(journey.pk, 0) if journey.kind == Kind.OWN else by_kind.get(journey.kind, 0),
        )
        for journey in services.all_journeys(store)
    ]


def _sent(store: Store, at: datetime) -> tuple[dict[str, int], dict[int, int]]:
    """How many went out in the last days, by kind and by journey; one query."""
    recent: QuerySet[Any] = Message.objects.for_store(store).filter(
        status=Message.Status.SENT, due_at__gt=at - COUNTED_DAYS, due_at__lte=at
    )
    by_kind: dict[str, int] = {}
    by_journey: dict[int, int] = {}
    for kind, journey, number in recent.values_list("kind", "journey").annotate(number=Count("pk")):
        by_kind[kind] = by_kind.get(kind, 0) + number
        by_journey[journey] = by_journey.get(journey, 0) + number
    return by_kind, by_journey


def _removed(store: Store, typed: str) -> AuditEvent | None:
    """The journey just taken away, for its undo."""
    number = row_number(typed)
    if number is None:
        return None
    events = AuditEvent.objects.for_store(store).filter(action="journey.removed")
    found: AuditEvent | None = events.filter(pk=number).first()
    return found


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def new_journey(request: HttpRequest, store: Store) -> HttpResponse:
    """A message of the owner's own; it begins switched off."""
    form = NewJourneyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = services.create_own(store, form.cleaned_data["name"], by=me(request), at=timezone.now())
        messages.success(request, _("Here it is, switched off: say when it starts, and write its words."))
        return redirect("outreach:journey", store.slug, services.slug_of(made))
    context = {"nav_key": "messages", "form": form}
    return render(request, "outreach/dashboard/journey_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def journey(request: HttpRequest, store: Store, slug: str) -> HttpResponse:
    """The editor.

    POST `step` says what for: save (a draft), publish, look, drop and undrop the draft, ours- and undo-LANGUAGE.
    """
    found, step = _find(store, slug), request.POST.get("step", "save")
    if request.method != "POST":
        return _opened(request, found)
    verb, _dash, language = step.partition("-")
    if verb in ("ours", "undo") and language in dict(settings.LANGUAGES):
        return _page(request, found, Editor(store, found, _exchanged(request.POST, found, verb, language)))
    if step in ("drop", "undrop"):
        act = draft_views.drop if step == "drop" else draft_views.undrop
        return act(request, store, publishing.subject_of(found), _address(found))
    editor = Editor(store, found, request.POST)
    if step == "save":
        return _save_draft(request, found, editor)
    if not editor.is_valid():
        return _page(request, found, editor, status=422)
    if step == "look":
        return _page(request, found, editor)
    return _publish(request, found, editor)


def _opened(request: HttpRequest, found: Journey) -> HttpResponse:
    """The draft where there is one, else what is in force; `?version=` an older version, to look at."""
    asked, draft = request.GET.get("version", ""), publishing.draft_of(found)
    if not asked:
        return _page(request, found, Editor(found.store, found, draft.typed if draft else None))
    facts = journey_history.facts_of_version(found, asked)
    if facts is None:
        raise Http404("no such version")
    plan, words = publishing.plan_from(found, facts), publishing.words_from(found, facts)
    typed = typed_of(found, plan, words)
    return _page(request, found, Editor(found.store, found, typed), notice=drafts.Notice("version"))


def _find(store: Store, slug: str) -> Journey:
    found = services.named(store, slug)
    if found is None:
        raise Http404("no such journey")
    return found


def _exchanged(post: QueryDict, found: Journey, verb: str, language: str) -> dict[str, str]:
    """What was sent with our words in the place of a language's, or those put back. Nothing is saved by it."""
    data, ours = {name: str(post[name]) for name in post}, our_words(Kind(found.kind), language)
    for name in PIECES:
        typed, kept = f"words-{language}-{name}", f"was-{language}-{name}"
        if verb == "ours" and typed in data:
            data[kept], data[typed] = data[typed], ours.piece(name)
        elif verb == "undo" and kept in data:
            data[typed] = data.pop(kept)
    return data


def _save_draft(request: HttpRequest, found: Journey, editor: Editor) -> HttpResponse:
    """Keep what is typed, right or wrong: nothing is sent by it."""
    typed = drafts.fields_of(request.POST, besides=BESIDE)
    facts = {"base": publishing.base_of(found), "begun": request.POST.get("begun", "")}
    try:
        drafts.save_draft(found.store, publishing.subject_of(found), typed, **facts, by=me(request), at=timezone.now())
    except drafts.SavedMeanwhile:
        return _page(request, found, editor, status=409, notice=draft_views.saved(publishing.draft_of(found)))
    messages.success(request, _("Saved as a draft: nothing is sent by it until you publish it."))
    return _to(found)


def _publish(request: HttpRequest, found: Journey, editor: Editor) -> HttpResponse:
    """Put in force what the page showed; whoever was not shown it looks first."""
    at, by, post = timezone.now(), me(request), request.POST
    before = journey_history.events_of(found).first()
    try:
        changed = publishing.publish(
            found,
            editor.form.plan,
            editor.said,
            seal=post.get("seal", ""),
            begun=post.get("begun", ""),
            by=by,
            at=at,
        )
    except drafts.Unseen:
        notice = _outdated(found, post.get("base", ""))
        return _page(request, found, editor, status=422 if notice.kind == "look" else 409, notice=notice)
    if not changed:
        messages.info(request, _("Nothing was different, so nothing changed."))
        return _to(found)
    messages.success(request, _("Published: it holds from now on, also for what is waiting."))
    return _to(found, undo=before.pk if before else journey_history.FIRST)


def _outdated(found: Journey, base: str) -> drafts.Notice:
    """Who was faster; or that there was no look at the changes yet."""
    if base == publishing.base_of(found):
        return drafts.Notice("look")
    return draft_views.published(journey_history.latest(found))


@require_POST
@for_role(Role.MANAGER)
def journey_back(request: HttpRequest, store: Store, slug: str) -> HttpResponse:
    """Put an older version in force again, words and all; whether it is switched on stays as it is."""
    found = _find(store, slug)
    facts = journey_history.facts_of_version(found, request.POST.get("version", ""))
    if facts is None:
        raise Http404("no such version")
    before = journey_history.events_of(found).first()
    if publishing.go_back(found, facts, by=me(request), at=timezone.now()):
        messages.success(request, _("The older version holds again, from now on."))
        return _to(found, undo=before.pk if before else journey_history.FIRST)
    return _to(found)


def _address(found: Journey) -> str:
    return reverse("outreach:journey", args=[found.store.slug, services.slug_of(found)])


def _to(found: Journey, **asked: object) -> HttpResponse:
    """Back to the editor; `undo` is the version that held until now."""
    return redirect(f"{_address(found)}?{urlencode(asked)}" if asked else _address(found))


def _page(
    request: HttpRequest,
    found: Journey,
    editor: Editor,
    *,
    status: int = 200,
    notice: drafts.Notice | None = None,
) -> HttpResponse:
    language = _chosen(request.POST.get("language", ""), editor, refused=editor.errors)
    context = {
        "nav_key": "messages",
        "journey": found,
        "slug": services.slug_of(found),
        "name": wording.name_of(found),
        "when": wording.when(found),
        "purpose": wording.purpose(found),
        "editor": editor,
        "form": editor.form,
        "language": language,
        "is_own": found.kind == Kind.OWN,
        "is_manual": found.trigger == Trigger.MANUAL,
        "kept": _kept(request.POST) if request.POST.get("step", "").startswith("ours-") else {},
        "kinds": Kind,
        "views": _views(),
        **_drafted(request, found, notice),
        **_beside(request, found, editor, language),
    }
    return render(request, "outreach/dashboard/journey.html", context, status=status)


def _drafted(request: HttpRequest, found: Journey, notice: drafts.Notice | None) -> dict[str, Any]:
    """The draft, what somebody else did meanwhile, older versions."""
    steps, undo = journey_history.history(found), request.GET.get("undo", "")
    return {
        "notice": notice,
        **draft_views.shown(request, found.store, publishing.subject_of(found), publishing.base_of(found), notice),
        "undo_to": undo if undo and any(one.back_to == undo for one in steps) else "",
        "history": steps,
        "address": _address(found),
        "back_address": reverse("outreach:journey_back", args=[found.store.slug, services.slug_of(found)]),
    }


def _views() -> list[tuple[str, str]]:
    """How the preview can be looked at."""
    return [
        ("mail", _("Letter")),
        ("text", _("Text message")),
        ("plain", _("Letter as plain text")),
        ("script", _("What staff say")),
    ]


def _chosen(typed: str, editor: Editor, *, refused: bool) -> str:
    """The language that is open: after a refusal one that has a problem."""
    known = dict(settings.LANGUAGES)
    if refused and editor.wrong_language and not (typed in known and editor.words(typed).errors):
        return editor.wrong_language
    return next((code for code in (typed, editor.store.locale) if code in known), "en")


def _kept(post: QueryDict) -> dict[str, Any]:
    """The words that ours have just taken the place of: the page carries them along for the undo."""
    language = str(post["step"]).partition("-")[2]
    typed = {f"was-{language}-{name}": post.get(f"words-{language}-{name}", "") for name in PIECES}
    return {"language": language, "words": {name: text for name, text in typed.items() if text}}


def _beside(request: HttpRequest, found: Journey, editor: Editor, language: str) -> dict[str, Any]:
    """The preview of what is typed."""
    typed = request.POST.get("view", "")
    form = editor.words(language)
    shown: Preview = preview(
        found.store,
        Kind(found.kind),
        form.words,
        language,
        typed if typed in VIEWS else "mail",
        at=timezone.now(),
        bare=request.POST.get("bare") == "on",
    )
    wanted = None
    if not editor.form.is_bound:
        wanted = publishing.facts_of(found)
    elif editor.is_valid():
        wanted = publishing.wished(found, editor.form.plan, editor.said)
    coming = journey_changes.coming_of(found, wanted, timezone.now()) if wanted else None
    return {
        "preview": shown,
        "bare": request.POST.get("bare") == "on",
        "warnings": form.warnings,
        "coming": coming,
    }


@require_POST
@for_role(Role.MANAGER)
def journey_preview(request: HttpRequest, store: Store, slug: str) -> HttpResponse:
    """What stands beside the editor, for what is typed."""
    found = _find(store, slug)
    editor = Editor(store, found, request.POST)
    language = _chosen(request.POST.get("language", ""), editor, refused=False)
    context = {"is_part": True, **_beside(request, found, editor, language)}
    return render(request, "outreach/dashboard/_journey_beside.html", context)


class _Ready(HttpResponse):
    """A test that may go out."""

    store: Store
    letter: Letter
    channel: Channel


@transaction.non_atomic_requests
@require_POST
def journey_test(request: HttpRequest, store: str, slug: str) -> HttpResponse:
    """Send what is typed to oneself: a letter to one's own address, or a text to the number written there.

    The provider is talked to outside the transaction; the answer is a part of the page, or a page of its own.
    """
    with transaction.atomic():
        prepared = _prepare_test(request, store=store, slug=slug)
    if not isinstance(prepared, _Ready):
        return prepared
    try:
        trial.deliver(prepared.store, prepared.letter, prepared.channel)
    except trial.NoTrial as problem:
        return _said(request, str(problem), went_well=False)
    return _said(request, _("A test is on its way to %(address)s.") % {"address": prepared.letter.to}, went_well=True)


@for_role(Role.MANAGER)
def _prepare_test(request: HttpRequest, store: Store, slug: str) -> HttpResponse:
    found, user = _find(store, slug), me(request)
    editor = Editor(store, found, request.POST)
    words = editor.words(_chosen(request.POST.get("language", ""), editor, refused=False))
    ready = _Ready()
    ready.store = store
    ready.channel = Channel.SMS if request.POST.get("test") == "text" else Channel.EMAIL
    try:
        to = _my_number(request, store) if ready.channel == Channel.SMS else user.email
        trial.allow(store, user)
        ready.letter = trial.letter_for(
            store, Kind(found.kind), words.words, words.language, ready.channel, to, at=timezone.now()
        )
    except trial.NoTrial as problem:
        return _said(request, str(problem), went_well=False)
    return ready


def _my_number(request: HttpRequest, store: Store) -> str:
    try:
        number = normal_phone(request.POST.get("phone", ""), store.country)
    except BadPhone as error:
        raise trial.NoTrial(
            _("This is not a phone number. Write it with its country code, for example +63…")
        ) from error
    if not number:
        raise trial.NoTrial(_("Write the number of your phone first."))
    return number


def _said(request: HttpRequest, sentence: str, *, went_well: bool) -> HttpResponse:
    """What came of a test. A part of the page is an answer whatever it says: htmx shows no refusals."""
    is_part = bool(request.headers.get("HX-Request"))
    name = "_journey_trial" if is_part else "journey_trial"
    context = {"sentence": sentence, "went_well": went_well}
    return render(request, f"outreach/dashboard/{name}.html", context, status=200 if went_well or is_part else 422)


@require_POST
@for_role(Role.MANAGER)
def journey_switch(request: HttpRequest, store: Store, slug: str) -> HttpResponse:
    """On or off; each undoes the other."""
    found, wanted = _find(store, slug), request.POST.get("on") == "1"
    if services.switch(found, is_on=wanted, by=me(request), at=timezone.now()):
        on = _("“%(name)s” is switched on, for what happens from now on.")
        off = _("“%(name)s” is switched off. What is waiting stays in place until it is due.")
        messages.success(request, (on if wanted else off) % {"name": wording.name_of(found)})
    return redirect("outreach:journeys", store.slug)


@require_POST
@for_role(Role.MANAGER)
def journey_remove(request: HttpRequest, store: Store, slug: str) -> HttpResponse:
    """Take away a message of the owner's own, with an undo; one that was sent is only switched off."""
    found = _find(store, slug)
    if found.kind != Kind.OWN:
        raise Http404("only the owner's own can be taken away")
    event = services.remove_own(found, by=me(request), at=timezone.now())
    if event is None:
        messages.info(request, _("People had it, so it stays in your books: it is switched off."))
        return redirect("outreach:journeys", store.slug)
    response = redirect("outreach:journeys", store.slug)
    response["Location"] += f"?removed={event.pk}"
    return response


@require_POST
@for_role(Role.MANAGER)
def journey_restore(request: HttpRequest, store: Store, event: int) -> HttpResponse:
    """Undo that."""
    removed = get_object_or_404(AuditEvent.objects.for_store(store), pk=event, action="journey.removed")
    back = services.bring_back(store, removed, by=me(request), at=timezone.now())
    messages.success(request, _("“%(name)s” is back, switched off.") % {"name": back.name})
    return redirect("outreach:journey", store.slug, services.slug_of(back))
