"""The editor of an audience: a name, and conditions that are added and taken away one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from customers.models import Segment
from referrals import audiences
from referrals.audiences.facts import MOST_CONDITIONS, Condition, Fact
from referrals.audiences.fifths import HIGHEST, LOWEST
from referrals.audiences.members import as_conditions
from referrals.audiences.values import Money, Names, OneOf, Range, Takes, Whole, number
from referrals.forms import MONEY, whole
from stores.l10n import local_digits, money_input, parse_money
from stores.models import Store


class NameForm(forms.Form):
    """What the audience is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": gettext_lazy("For example: good customers")}
        ),
        error_messages={"required": gettext_lazy("Give it a name: messages are sent to it by this name.")},
    )


class ConditionForm(forms.Form):
    """One condition; its fields depend on the fact."""

    def __init__(self, *args: Any, fact: Fact, names: Names, **kwargs: Any) -> None:
        """`names` are the store's, for the choices."""
        super().__init__(*args, **kwargs)
        self.fact, self.names = fact, names
        self.fields.update(_fields(fact, names, self._typed("value")))

    def _typed(self, field: str) -> str:
        return str(self.data.get(self.add_prefix(field)) or self.initial.get(field) or "")

    def clean(self) -> dict[str, Any]:
        """The values, with `kept`: the condition's value as it is kept."""
        values = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                values["kept"] = self.fact.check(self._value(values), self.names)
            except audiences.BadCondition as error:
                self.add_error("highest" if isinstance(self.fact.takes, Range) else "value", str(error))
        return values

    def _value(self, values: Mapping[str, Any]) -> Any:
        if isinstance(self.fact.takes, Range):
            return [int(values["lowest"]), int(values["highest"])]
        if isinstance(self.fact.takes, Money):
            try:
                return parse_money(values["value"], self.names.store.currency, toman=self.names.store.toman)
            except ValueError as error:
                raise audiences.BadCondition(str(error)) from error
        return values["value"]

    @property
    def condition(self) -> Condition:
        """The condition of a valid form."""
        return {"fact": self.fact.slug, "value": self.cleaned_data["kept"]}


def _fields(fact: Fact, names: Names, typed: str) -> dict[str, forms.Field]:
    """The fields that the fact's value is typed into."""
    takes = fact.takes
    if isinstance(takes, Whole):
        return {"value": whole(fact.label, takes.lowest, takes.highest)}
    if isinstance(takes, Money):
        return {"value": forms.CharField(label=str(fact.label), max_length=40, widget=forms.TextInput(attrs=MONEY))}
    if isinstance(takes, Range):
        scores = [(str(one), number(one)) for one in range(LOWEST, HIGHEST + 1)]
        return {
            "lowest": forms.ChoiceField(label=gettext_lazy("From fifth"), choices=scores),
            "highest": forms.ChoiceField(label=gettext_lazy("to fifth"), choices=scores),
        }
    return {"value": forms.ChoiceField(label=str(fact.label), choices=_choices(fact, takes, names, typed))}


def _choices(fact: Fact, takes: OneOf, names: Names, typed: str) -> list[tuple[str, str]]:
    """Sentences to choose from; one that stands there stays, though the list has changed since."""
    options = list(takes.options(names))
    if typed and takes.is_open and typed not in options:
        options.insert(0, typed)
    return [(one, _said(fact, names, one)) for one in options] or [("", _("Nothing to choose from yet"))]


def _said(fact: Fact, names: Names, option: str) -> str:
    try:
        return fact.says(names, fact.check(option, names))
    except audiences.BadCondition:
        return option


class Editor:
    """The name and the conditions. Unchecked, it shows what was typed and complains about nothing."""

    def __init__(self, data: Mapping[str, str], store: Store, *, check: bool = True) -> None:
        self.data, self.names = data, Names(store)
        self.form = NameForm(data) if check else NameForm(initial={"name": data.get("name", "")})
        self.rows = [
            _row(data, place, audiences.FACTS[slug], self.names, check) for place, slug in enumerate(_slugs(data))
        ]

    @property
    def may_grow(self) -> bool:
        """Whether another condition may be added."""
        return len(self.rows) < MOST_CONDITIONS

    @property
    def groups(self) -> list[tuple[str, list[Fact]]]:
        """What may be added, under its headings."""
        found: dict[str, list[Fact]] = {}
        for fact in audiences.FACTS.values():
            found.setdefault(str(fact.group), []).append(fact)
        return list(found.items())

    def is_valid(self) -> bool:
        """Check everything; errors stand on the fields."""
        fine = all([self.form.is_valid(), *(row.is_valid() for row in self.rows)])
        if not self.rows:
            self.form.add_error(None, _("Say who belongs to it: add at least one condition."))
        return fine and bool(self.rows)

    def readable(self) -> list[Condition] | None:
        """The conditions, as soon as all of them can be read; the name does not matter."""
        valid = [row.is_valid() for row in self.rows]
        return [row.condition for row in self.rows] if valid and all(valid) else None

    def refuse_name(self) -> None:
        """The name belongs to another audience."""
        self.form.add_error("name", _("Another segment has this name. Give this one its own."))

    @property
    def name(self) -> str:
        """The name of a valid editor."""
        return str(self.form.cleaned_data["name"])


def _row(data: Mapping[str, str], place: int, fact: Fact, names: Names, check: bool) -> ConditionForm:
    prefix = f"row-{place}"
    if check:
        return ConditionForm(data, prefix=prefix, fact=fact, names=names)
    typed = {field: data.get(f"{prefix}-{field}", "") for field in ("value", "lowest", "highest")}
    return ConditionForm(initial=typed, prefix=prefix, fact=fact, names=names)


def _slugs(data: Mapping[str, str]) -> list[str]:
    """The facts of the rows that were sent, in their order; what is not known ends them."""
    found = []
    for place in range(MOST_CONDITIONS):
        slug = data.get(f"row-{place}-fact", "")
        if slug not in audiences.FACTS:
            break
        found.append(slug)
    return found


def as_typed(segment: Segment) -> dict[str, str]:
    """A segment as the editor's fields would send it; a condition that is not known any more is left out."""
    conditions = [one for one in as_conditions(segment) if one.get("fact") in audiences.FACTS]
    return _sent(segment.name, [_typed_row(one, segment.store) for one in conditions])


def _typed_row(condition: Condition, store: Store) -> dict[str, str]:
    takes, value = audiences.FACTS[condition["fact"]].takes, condition["value"]
    if isinstance(takes, Range):
        lowest, highest = value
        return {"fact": condition["fact"], "lowest": str(lowest), "highest": str(highest)}
    return {"fact": condition["fact"], "value": _as_typed(takes, value, store)}


def _as_typed(takes: Takes, value: Any, store: Store) -> str:
    """A value as the field holds it, in the language's digits."""
    if isinstance(takes, Money):
        return money_input(value, store.currency, toman=store.toman)
    return local_digits(str(value), get_language() or "en") if isinstance(takes, Whole) else str(value)


def reshaped(post: Mapping[str, str]) -> dict[str, str]:
    """What was sent, with the row added or taken away that `step` asks for."""
    rows = [
        {"fact": slug, **{field: post.get(f"row-{place}-{field}", "") for field in ("value", "lowest", "highest")}}
        for place, slug in enumerate(_slugs(post))
    ]
    verb, _dash, place = post.get("step", "").partition("-")
    wanted = audiences.FACTS.get(post.get("add", ""))
    if verb == "add" and wanted and len(rows) < MOST_CONDITIONS:
        rows.append(_new_row(wanted))
    elif verb == "remove" and place.isascii() and place.isdigit() and int(place[:3]) < len(rows):
        del rows[int(place[:3])]
    return _sent(post.get("name", ""), rows)


def _new_row(fact: Fact) -> dict[str, str]:
    if isinstance(fact.takes, Range):
        lowest, highest = fact.takes.start
        return {"fact": fact.slug, "lowest": str(lowest), "highest": str(highest)}
    start = local_digits(str(fact.takes.start), get_language() or "en")
    return {"fact": fact.slug, "value": start}


def _sent(name: str, rows: list[dict[str, str]]) -> dict[str, str]:
    """Name and rows under the names the page sends."""
    flat = {f"row-{place}-{field}": value for place, row in enumerate(rows) for field, value in row.items()}
    return {"name": name, **flat}
