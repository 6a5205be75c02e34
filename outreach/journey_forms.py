"""What owners type about a journey: when, how and to whom, and its words in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Segment
from outreach import fields
from outreach.journey_wording import (
    BEFORE,
    MINUTES,
    OWN_TRIGGERS,
    WITH_NUMBER,
    WITHOUT_WAIT,
    amount_and_unit,
    spacing_of,
    trigger_label,
    usual_number,
)
from outreach.journeys import Plan
from outreach.kinds import Action, Kind, Trigger, Way
from outreach.language import LONGEST, BadWords, clean, compile_words
from outreach.models import Journey, Template
from outreach.preview import conditions
from outreach.words import PIECES, Wording, our_words
from stores import choices
from stores.l10n import fold_digits
from stores.models import Store

NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits
LONGEST_WAIT = 1095  # days
MOST_REMINDERS = 5
LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
UNITS = [("minutes", gettext_lazy("minutes")), ("hours", gettext_lazy("hours")), ("days", gettext_lazy("days"))]


class WholeField(forms.IntegerField):
    """A whole number in any digits, refused with the range it takes."""

    def __init__(self, lowest: int, highest: int, **kwargs: Any) -> None:
        message = format_lazy(
            gettext_lazy("Write a whole number from {lowest} to {highest}."), lowest=lowest, highest=highest
        )
        wrong = dict.fromkeys(["required", "invalid", "min_value", "max_value"], message)
        super().__init__(min_value=lowest, max_value=highest, error_messages=wrong, **kwargs)
        self.widget = forms.TextInput(attrs=NUMERIC)

    def to_python(self, value: Any) -> int | None:
        """Persian and Arabic digits count."""
        return super().to_python(fold_digits(value).strip() if isinstance(value, str) else value)


class JourneyForm(forms.Form):
    """When, by which ways, to whom. Fields a kind has no use for are left out."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    is_on = forms.BooleanField(label=gettext_lazy("Switched on"), required=False)
    trigger = forms.ChoiceField(label=gettext_lazy("Starts with"))
    number = WholeField(
        0,
        1000,
        label=gettext_lazy("Number"),
        required=False,
        help_text=gettext_lazy("Which purchase, or the lowest score."),
    )
    event_kind = forms.CharField(
        label=gettext_lazy("Event"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("The “kind” your systems report it with."),
        widget=forms.TextInput(attrs={"dir": "ltr", "autocapitalize": "none", "spellcheck": "false"}),
    )
    wait = WholeField(0, 100_000, label=gettext_lazy("How long after"))
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS)
    spacing = forms.CharField(
        label=gettext_lazy("Days from one to the next"),
        max_length=40,
        help_text=gettext_lazy("Each gap is at least as long as the one before. After the last one it stops."),
        widget=forms.TextInput(attrs={**NUMERIC, "dir": "ltr"}),
    )
    audience = forms.ChoiceField(label=gettext_lazy("To whom"), required=False)

    def __init__(self, *args: Any, journey: Journey, segments: Mapping[str, Segment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.journey, self.segments = journey, segments
        for place in range(len(Way)):
            self.fields[f"way_{place}"] = forms.ChoiceField(label=_way_label(place), required=False)
        self._leave_out()
        options: choices.Choices = [("", "—"), *((way.value, str(way.label)) for way in Way)]
        listed = [("", _("Everybody it may go to")), *((slug, one.name) for slug, one in segments.items())]
        choices.fill(self, audience=listed, **dict.fromkeys(self.way_names, options))
        if "trigger" in self.fields:
            choices.fill(self, trigger=[(one.value, trigger_label(one)) for one in OWN_TRIGGERS])

    @property
    def kind(self) -> Kind:
        """The journey's kind."""
        return Kind(self.journey.kind)

    @property
    def way_names(self) -> list[str]:
        """The fields of the ways, in order."""
        return [name for name in self.fields if name.startswith("way_")]

    def ways(self) -> Iterator[forms.BoundField]:
        """Their fields, for the page."""
        return (self[name] for name in self.way_names)

    def _leave_out(self) -> None:
        is_own = self.kind is Kind.OWN
        unused = set() if is_own else {"name", "trigger", "event_kind"}
        if not is_own and self.kind not in WITH_NUMBER:
            unused.add("number")
        if self.kind in WITHOUT_WAIT:
            unused |= {"wait", "unit"}
        if self.kind is not Kind.SHARE_REMINDER:
            unused.add("spacing")
        for name in unused:
            del self.fields[name]
        if self.kind in BEFORE:
            self.fields["wait"].label = _("How long before the end")

    def clean_spacing(self) -> list[int]:
        """The gaps as numbers."""
        typed = re.split(r"[\s,،;]+", fold_digits(self.cleaned_data["spacing"]).strip(" ,،;"))
        words = _("Write up to five whole numbers of days with commas between them, for example 7, 14, 28.")
        if not all(one.isascii() and one.isdigit() and 1 <= int(one[:6]) <= 365 for one in typed):
            raise ValidationError(words)
        gaps = [int(one) for one in typed]
        if len(gaps) > MOST_REMINDERS:
            raise ValidationError(words)
        if gaps != sorted(gaps):
            raise ValidationError(_("The gaps must not get shorter: somebody who does not answer wants more rest."))
        return gaps

    def clean(self) -> dict[str, Any]:
        """What one field cannot know of another."""
        values = super().clean() or self.cleaned_data
        if not self.chosen_ways(values):
            self.add_error(self.way_names[0], _("Choose at least one way."))
        if "unit" in values and values.get("wait", 0) * MINUTES[values["unit"]] > LONGEST_WAIT * 1440:
            self.add_error("wait", _("That is longer than three years."))
        self._clean_number(values)
        if values.get("trigger") == Trigger.EVENT and not values.get("event_kind"):
            self.add_error("event_kind", _("Write which event it is, as your systems call it."))
        return values

    def _clean_number(self, values: dict[str, Any]) -> None:
        trigger, number = values.get("trigger", self.journey.trigger), values.get("number")
        if "number" not in self.fields or "number" in self.errors:
            return
        if trigger == Trigger.NTH_ORDER and (number is None or number < 1):
            self.add_error("number", _("Write which purchase: 2 for the second, 5 for the fifth."))
        if trigger == Trigger.SCORE and (number is None or number > 10):
            self.add_error("number", _("Write the lowest score, 0 to 10."))

    def chosen_ways(self, values: Mapping[str, Any]) -> list[str]:
        """The ways in order, each once."""
        return list(dict.fromkeys(values[name] for name in self.way_names if values.get(name)))

    @property
    def plan(self) -> Plan:
        """What a valid form says."""
        values = self.cleaned_data
        gaps = values.get("spacing")
        minutes = values["wait"] * MINUTES[values["unit"]] if "wait" in values else self.journey.wait_minutes
        return Plan(
            is_on=values["is_on"],
            wait_minutes=gaps[0] * 1440 if gaps else minutes,
            ways=self.chosen_ways(values),
            segment=self.segments.get(values["audience"]),
            options={"spacing": gaps} if gaps else self.journey.options,
            name=values.get("name", ""),
            trigger=values.get("trigger", ""),
            event_kind=values.get("event_kind", "") if values.get("trigger") == Trigger.EVENT else "",
            number=values.get("number"),
        )


def _way_label(place: int) -> str:
    return _("First by") if place == 0 else _("If that cannot be, by")


class WordsForm(forms.Form):
    """The words in one language. What is left empty is said in our words."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=200, required=False)
    body = forms.CharField(
        label=gettext_lazy("Letter"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 9}),
        help_text=gettext_lazy("An empty line begins a new paragraph."),
    )
    button = forms.CharField(label=gettext_lazy("Button"), max_length=60, required=False)
    sms = forms.CharField(
        label=gettext_lazy("Text message"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("We put your name before it, the link and the way to stop after it."),
    )
    script = forms.CharField(
        label=gettext_lazy("What to say or write"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "For calls, handwritten notes and the counter. Ask {% if call %}, {% if note %} or {% if visit %} "
            "where it should differ."
        ),
    )

    def __init__(self, data: Mapping[str, str] | None, *, kind: Kind, language: str, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial, prefix=f"words-{language}")
        self.kind, self.language = kind, language
        if kind.spec.action in (Action.NONE, Action.SCORES):
            del self.fields["button"]
        for one in self.fields.values():
            one.widget.attrs |= {"dir": "rtl" if language == "fa" else "ltr", "lang": language, "data-words": ""}

    @property
    def label(self) -> str:
        """The language's name."""
        return str(dict(settings.LANGUAGES)[self.language])

    def clean(self) -> dict[str, Any]:
        """Each piece as words that can be read; every problem stands at its piece."""
        values = super().clean() or self.cleaned_data
        for name in [name for name in self.fields if name in values]:
            values[name] = clean(values[name]).strip()
            for problem in self.problems(name, values[name]):
                self.add_error(name, problem)
        return values

    def problems(self, name: str, text: str) -> list[str]:
        """What stands in the way of a piece."""
        found = []
        try:
            compile_words(text, fields.names_of(self.kind), conditions(name))
        except BadWords as error:
            found += error.problems
        if name == "sms" and LINK.search(text):
            found.append(_("Take the link out: phone companies block texts with foreign links. Ours comes by itself."))
        if name in ("subject", "button") and "\n" in text:
            found.append(_("Write this on one line."))
        return found

    @property
    def warnings(self) -> list[str]:
        """What may read as if something were missing: fields that can be empty, printed without an `if`."""
        found: set[str] = set()
        for name in self.fields:
            try:
                words = compile_words(self.typed(name), fields.names_of(self.kind), conditions(name))
            except BadWords:
                continue
            found |= words.unguarded & fields.risky(self.kind)
        sentence = _(
            "{{ %(name)s }} (%(label)s) may be empty. Write around it: {%% if %(name)s %%} … {%% endif %%}, "
            'or what to say instead: {{ %(name)s|default:"…" }}.'
        )
        return [sentence % {"name": one, "label": fields.FIELDS[one].label} for one in sorted(found)]

    def typed(self, name: str) -> str:
        """What stands in the field, sent or not."""
        return str(self[name].value() or "")

    @property
    def words(self) -> Wording:
        """What was typed, ours where it was left empty; also of a form with problems."""
        ours = our_words(self.kind, self.language)
        said = {name: clean(self.typed(name)).strip() if name in self.fields else "" for name in PIECES}
        return Wording(**{name: said[name] or ours.piece(name) for name in PIECES})


class Editor:
    """The journey and its words in every language, checked together: nothing is saved until all is well."""

    def __init__(self, store: Store, journey: Journey, data: Mapping[str, str] | None = None) -> None:
        self.store, self.journey, self.kind = store, journey, Kind(journey.kind)
        segments = {one.public_id: one for one in Segment.objects.for_store(store).order_by("name")}
        self.form = JourneyForm(data, journey=journey, segments=segments, initial=_initial(journey))
        said = _said(journey)
        self.languages = [
            WordsForm(data, kind=self.kind, language=code, initial=said[code]) for code, _name in settings.LANGUAGES
        ]
        self.has_own = {code for code, words in said.items() if words["is_own"]}

    def is_valid(self) -> bool:
        """Every form, so that every problem is shown at once."""
        return all([self.form.is_valid(), *(one.is_valid() for one in self.languages)])

    def words(self, language: str) -> WordsForm:
        """The form of a language."""
        return next(one for one in self.languages if one.language == language)

    @property
    def said(self) -> dict[str, Wording]:
        """The words in every language."""
        return {one.language: one.words for one in self.languages}

    @property
    def wrong_language(self) -> str:
        """The first language whose words have a problem; '' for none."""
        return next((one.language for one in self.languages if one.is_bound and one.errors), "")

    @property
    def errors(self) -> bool:
        """Whether anything is to be mended."""
        return bool(self.form.errors or self.wrong_language)

    @property
    def fields(self) -> list[fields.Field]:
        """What its words may name."""
        return list(fields.of(self.kind))


def _initial(journey: Journey) -> dict[str, Any]:
    wait, unit = amount_and_unit(journey.wait_minutes)
    values = {
        "name": journey.name,
        "is_on": journey.is_on,
        "trigger": journey.trigger,
        "number": usual_number(journey) if journey.number is None else journey.number,
        "event_kind": journey.event_kind,
        "wait": wait,
        "unit": unit,
        "spacing": ", ".join(map(str, journey.options.get("spacing") or spacing_of(journey))),
        "audience": journey.segment.public_id if journey.segment else "",
    }
    return values | {f"way_{place}": way for place, way in enumerate(journey.ways)}


def _said(journey: Journey) -> dict[str, dict[str, Any]]:
    """What each language says now, piece by piece, and whether any of it is the store's own."""
    rows = Template.objects.for_store(journey.store).filter(journey=journey) if journey.pk else []
    own = {row.language: row for row in rows}
    said: dict[str, dict[str, Any]] = {}
    for code, _name in settings.LANGUAGES:
        ours = our_words(Kind(journey.kind), code)
        row = own.get(code)
        said[code] = {name: (row and getattr(row, name)) or ours.piece(name) for name in PIECES}
        said[code]["is_own"] = row is not None
    return said


def typed_of(journey: Journey, plan: Plan, words: Mapping[str, Wording]) -> dict[str, str]:
    """A plan and words as the editor's form would send them."""
    shown = Journey(store=journey.store, kind=journey.kind, segment=plan.segment)
    for name in ("is_on", "wait_minutes", "ways", "options", "number", "name", "trigger", "event_kind"):
        setattr(shown, name, getattr(plan, name))
    values = {name: "" if value is None else str(value) for name, value in _initial(shown).items()}
    values["is_on"] = "on" if plan.is_on else ""
    pieces = {(language, name): one.piece(name) for language, one in words.items() for name in PIECES}
    return values | {f"words-{language}-{name}": text for (language, name), text in pieces.items()}


class NewJourneyForm(forms.Form):
    """A message of the owner's own."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Only your team sees it, for example “Two months after the first visit”."),
        error_messages={"required": gettext_lazy("Give it a name, so that you find it again.")},
    )


class TestForm(forms.Form):
    """Where a test goes: a letter to the person's own address, a text to a number they write."""

    phone = forms.CharField(
        label=gettext_lazy("Your phone number"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel", "dir": "ltr"}),
    )
