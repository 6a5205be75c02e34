"""What comments are about: themes with their numbers, and the words that find them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from stores.access import for_role, me
from stores.lists import csv_response
from stores.models import Role, Store
from surveys import theme_queries as queries
from surveys.matching import LONGEST, MOST_WORDS, words_of
from surveys.models import Theme
from surveys.services import themes

REMOVED = "removed_theme"  # in the session: (store, name, words), for the way back


class ThemeForm(forms.Form):
    """A theme: its name and its words."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    words = forms.CharField(
        label=gettext_lazy("Words, one a line"),
        max_length=MOST_WORDS * LONGEST,
        widget=forms.Textarea(attrs={"rows": 14, "dir": "auto"}),
        error_messages={"required": gettext_lazy("Write at least one word.")},
    )

    def clean_words(self) -> str:
        """The words, each once, neither too many nor too long."""
        words = words_of(self.cleaned_data["words"])
        if not words:
            raise ValidationError(_("Write at least one word."))
        if len(words) > MOST_WORDS:
            raise ValidationError(_("These are too many words: %(most)s are enough."), params={"most": MOST_WORDS})
        long = next((word for word in words if len(word) > LONGEST), "")
        if long:
            raise ValidationError(_("“%(word)s …” is too long for a word."), params={"word": long[:30]})
        return "\n".join(words)


@for_role(Role.MANAGER)
@require_GET
def overview(request: HttpRequest, store: Store) -> HttpResponse:
    """Every theme with its share of the comments, now and before; `?format=csv` gives them as a file."""
    chosen, now = _chosen(request), timezone.now()
    lines = queries.lines(store, **chosen, at=now)
    if request.GET.get("format") == "csv":
        header = [_("Theme"), _("Comments"), _("of"), _("Comments before"), _("of")]
        rows = ([one.theme.name, one.now, one.of_now, one.before, one.of_before] for one in lines)
        return csv_response("themes", header, rows)
    removed = request.session.get(REMOVED)
    context = {
        "lines": lines,
        "rising": [line for line in lines if line.is_rising],
        "comments": lines[0].of_now if lines else 0,
        "is_compared": queries.are_compared(store),
        "removed": removed[1] if removed and removed[0] == store.pk else "",
    }
    return render(request, "surveys/dashboard/themes.html", context | _around(chosen))


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """The days looked at, and whose comments."""
    typed = request.GET.get("days", "")
    days = int(typed) if typed in {str(days) for days in queries.DAYS} else 90
    return {"days": days, "everybody": request.GET.get("who") == "everybody"}


def _around(chosen: dict[str, Any]) -> dict[str, Any]:
    return {"nav_key": "unhappy", "tab": "themes", "choices": queries.DAYS, **chosen}


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def theme(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One theme: how often, examples, its words; POST saves or (`action=remove`) removes it."""
    found = get_object_or_404(Theme.objects.for_store(store).select_related("store"), public_id=public_id)
    if request.POST.get("action") == "remove":
        themes.remove_theme(found, by=me(request), at=timezone.now())
        request.session[REMOVED] = [store.pk, found.name, found.words]
        return redirect("surveys:themes", store=store.slug)
    form = ThemeForm(request.POST or None, initial={"name": found.name, "words": found.words})
    if request.method == "POST" and _save(request, store, found, form):
        return redirect("surveys:theme", store=store.slug, public_id=public_id)
    chosen, now = _chosen(request), timezone.now()
    context = {
        "theme": found,
        "form": form,
        "columns": queries.columns(found, **chosen, at=now),
        "examples": queries.examples(found, **chosen, at=now),
        "trial": queries.try_words(store, words_of(str(form["words"].value() or ""))),
    }
    status = 422 if form.errors else 200
    return render(request, "surveys/dashboard/theme.html", context | _around(chosen), status=status)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_theme(request: HttpRequest, store: Store) -> HttpResponse:
    """A theme of the store's own."""
    form = ThemeForm(request.POST or None)
    if request.method == "POST":
        made = _save(request, store, None, form)
        if made:
            return redirect("surveys:theme", store=store.slug, public_id=made.public_id)
    words = words_of(str(form["words"].value() or ""))
    context = {"theme": None, "form": form, "trial": queries.try_words(store, words)}
    status = 422 if form.errors else 200
    return render(request, "surveys/dashboard/theme.html", context | _around(_chosen(request)), status=status)


def _save(request: HttpRequest, store: Store, found: Theme | None, form: ThemeForm) -> Theme | None:
    """Save a valid form; None with a word on the form when that cannot be."""
    if not form.is_valid():
        return None
    try:
        saved = themes.save_theme(store, found, **form.cleaned_data, by=me(request), at=timezone.now())
    except themes.NameTaken:
        form.add_error("name", _("Another theme has this name."))
        return None
    messages.success(request, _("Saved."))
    return saved


@for_role(Role.MANAGER)
@require_POST
def try_theme(request: HttpRequest, store: Store) -> HttpResponse:
    """What the words being typed would find."""
    typed = request.POST.get("words", "")[: MOST_WORDS * LONGEST]
    trial = queries.try_words(store, words_of(typed)[:MOST_WORDS])
    return render(request, "surveys/dashboard/_trial.html", {"trial": trial})


@for_role(Role.MANAGER)
@require_POST
def restore_theme(request: HttpRequest, store: Store) -> HttpResponse:
    """Bring back the theme that was removed last."""
    kept = request.session.pop(REMOVED, None)
    if kept and kept[0] == store.pk:
        try:
            themes.save_theme(store, None, name=kept[1], words=kept[2], by=me(request), at=timezone.now())
            messages.success(request, _("It is back."))
        except themes.NameTaken:
            messages.info(request, _("Another theme has this name."))
    return redirect("surveys:themes", store=store.slug)
