"""A question from draft to publication: what publishing changes and for whom, drafts, older versions in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from customers.models import Category, Product, Segment
from stores import drafts
from stores.drafts import Coming, Step
from stores.l10n import local_digits
from stores.lists import row_number
from stores.models import AuditEvent, Location, Store
from stores.tenancy import StoreModel, StoreQuerySet
from surveys.models import Invitation, Question, Survey
from surveys.rules import Group
from surveys.services.editing import Facts, facts_of

SHOWN, MOST_COUNTED = 20, 10_000
ACTIONS = ("survey.made", "survey.changed")
Say = Callable[[Store, Any], str]


def number(value: int) -> str:
    """A number in the digits of the active language."""
    return local_digits(str(value), get_language() or "en")


# -- Old and new, in words --


def in_words(store: Store, before: Facts, after: Facts) -> list[str]:
    """A sentence for each difference; empty when there is none."""
    if not before:
        return [_("The question was made.")]
    return [*_simple(store, before, after), *_words(before.get("wording", {}), after.get("wording", {}))]


def _simple(store: Store, before: Facts, after: Facts) -> Iterator[str]:
    for name, (title, say) in SENTENCES.items():
        if name in after and before.get(name) != after[name]:
            words = {"what": title, "after": say(store, after[name]), "before": say(store, before.get(name))}
            yield _("%(what)s: %(after)s. Before: %(before)s.") % words


def _text(_store: Store, value: str) -> str:
    return f"“{value}”" if value else "–"


def _label(choices: Any) -> Say:
    return lambda _store, value: str(dict(choices.choices).get(value, value))


def _named(model: type[StoreModel], nothing: Any) -> Say:
    def say(store: Store, value: int | None) -> str:
        if value is None:
            return str(nothing)
        found = model.objects.for_store(store).filter(pk=value).first()
        return str(found) if found else _("one that is not there any more")

    return say


def _days(_store: Store, value: int | None) -> str:
    return number(value) if value is not None else "–"


def _yes(_store: Store, value: bool) -> str:
    return _("yes") if value else _("no")


SENTENCES: dict[str, tuple[Any, Say]] = {
    "name": (gettext_lazy("Name"), _text),
    "is_on": (gettext_lazy("Switched on"), _yes),
    "occasion": (gettext_lazy("Occasion"), _label(Survey.Occasion)),
    "question": (gettext_lazy("How they answer"), _label(Question)),
    "product_id": (gettext_lazy("Product"), _named(Product, gettext_lazy("none named"))),
    "category_id": (gettext_lazy("Category"), _named(Category, gettext_lazy("none named"))),
    "location_id": (gettext_lazy("Branch"), _named(Location, gettext_lazy("every branch"))),
    "segment_id": (gettext_lazy("Who is asked"), _named(Segment, gettext_lazy("everybody who bought"))),
    "every_days": (gettext_lazy("Asked once in (days)"), _days),
}
PIECES = {
    "question": gettext_lazy("Question"),
    Group.PROMOTER.value: gettext_lazy("Asked after a happy answer"),
    Group.PASSIVE.value: gettext_lazy("Asked after an answer in between"),
    Group.DETRACTOR.value: gettext_lazy("Asked after an unhappy answer"),
}


def _words(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for language, label in settings.LANGUAGES:
        old, new = _pieces(before.get(language)), _pieces(after.get(language))
        for name, title in PIECES.items():
            if old.get(name, "") != new.get(name, ""):
                says, was = (f"“{one[name]}”" if one.get(name) else _("our words") for one in (new, old))
                facts = {"piece": title, "language": label, "after": says, "before": was}
                yield _("%(piece)s, %(language)s: %(after)s. Before: %(before)s.") % facts


def _pieces(own: dict[str, Any] | None) -> dict[str, str]:
    own = own or {}
    return {"question": own.get("question", ""), **own.get("more", {})}


# -- Whom it concerns --


def coming_of(store: Store, survey: Survey, in_force: Facts) -> Coming:
    """What publishing this survey (as it is typed) changes; `in_force` is {} for a new one."""
    wanted = facts_of(survey)
    lines = in_words(store, in_force, wanted) if in_force else []
    seal = drafts.seal(in_force, wanted)
    if not in_force:
        return Coming([], seal, is_first=True)
    return Coming(lines, seal, keeps=_keeps(survey) if lines else [], gets=_gets(survey) if lines else [])


def _keeps(survey: Survey) -> list[str]:
    count = survey.responses.order_by()[:MOST_COUNTED].count()
    words = ngettext("%(count)s answer stays as it was given.", "%(count)s answers stay as they were given.", count)
    return [words % {"count": number(count)}] if count else []


def _gets(survey: Survey) -> list[str]:
    if not survey.is_on:
        return [_("It is switched off: nobody is asked until you switch it on.")]
    open_ones = Invitation.objects.for_store(survey.store).filter(survey=survey, response=None)
    count = open_ones.exclude(status=Invitation.Status.SKIPPED).order_by()[:MOST_COUNTED].count()
    words = ngettext(
        "%(count)s person who was asked, or is about to be, and has not answered.",
        "%(count)s people who were asked, or are about to be, and have not answered.",
        count,
    )
    return [*([words % {"count": number(count)}] if count else []), _("Everybody who is asked from then on.")]


# -- Older versions --


def subject_of(survey: Survey) -> str:
    """How the question's draft names it."""
    return f"survey:{survey.public_id}"


def events_of(survey: Survey) -> StoreQuerySet:
    """What changed it, newest first."""
    events: StoreQuerySet = AuditEvent.objects.for_store(survey.store).filter(
        action__in=ACTIONS, subject=survey.public_id
    )
    return events.select_related("user").order_by("-pk")


def history(survey: Survey) -> list[Step]:
    """The latest changes, newest first; at the end, of one that was there before its history, how it began."""
    events, now = list(events_of(survey)[:SHOWN]), _content(facts_of(survey))
    steps = [_step(survey, event, now, is_first=not place) for place, event in enumerate(events)]
    whole = [event for event in events if "wording" in event.before]
    if whole and len(events) < SHOWN and events[-1].action != "survey.made":
        version = "" if _content(whole[-1].before) == now else f"-{whole[-1].pk}"
        steps.append(Step(survey.created_at, "", [_("The question was made.")], version))
    return steps


def _step(survey: Survey, event: AuditEvent, now: Facts, *, is_first: bool) -> Step:
    lines = in_words(survey.store, event.before, event.after)
    can_return = "wording" in event.after and _content(event.after) != now
    return Step(event.at, str(event.user or ""), lines, str(event.pk) if can_return else "", is_first)


def _content(facts: Facts) -> Facts:
    """Without the switch, which going back leaves as it is."""
    return {**facts, "is_on": None}


def facts_of_version(survey: Survey, typed: str) -> Facts | None:
    """What the event of that number made of it (with a minus: what it was before); None where there is no such one."""
    number = row_number(typed.removeprefix("-"))
    event = events_of(survey).filter(pk=number).first() if number is not None else None
    facts: Facts = (event.before if typed.startswith("-") else event.after) if event else {}
    return facts if "wording" in facts else None


def latest(survey: Survey) -> AuditEvent | None:
    """The last thing that somebody did to it."""
    found: AuditEvent | None = events_of(survey).first()
    return found
