"""What owners type: a new store, the program with its rewards, why a referral does not count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from referrals.models import Program, Referral
from referrals.services.programs import OfferTerms, ProgramTerms, TierTerms, terms_of
from rewards.models import Offer, Tier
from stores import choices, directory
from stores.codes import random_characters
from stores.l10n import fold_digits, money_input, parse_money
from stores.models import Store

MOST_STEPS = 12
NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits
MONEY = {"inputmode": "decimal", "autocomplete": "off"}
# What counts as a reason a person may give; the others are the engine's.
REASONS = [
    Referral.Reason.STAFF,
    Referral.Reason.KNOWN_CUSTOMER,
    Referral.Reason.OWN_CODE,
    Referral.Reason.REFUNDED,
    Referral.Reason.CANCELLED,
]


def whole(label: Any, lowest: int, highest: int, **kwargs: Any) -> forms.IntegerField:
    """A field for whole numbers in any digits, refused with the range it takes."""
    words = gettext_lazy("Write a whole number from {lowest} to {highest}.")
    message = format_lazy(words, lowest=lowest, highest=highest)
    return forms.IntegerField(
        label=label,
        min_value=lowest,
        max_value=highest,
        widget=forms.TextInput(attrs=NUMERIC),
        error_messages=dict.fromkeys(["required", "invalid", "min_value", "max_value"], message),
        **kwargs,
    )


class OfferForm(forms.Form):
    """What one side is promised. Amounts are typed in the store's currency (toman where it shows toman)."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=Offer.Kind.choices)
    value = forms.CharField(
        label=gettext_lazy("How much"),
        max_length=40,
        widget=forms.TextInput(attrs=MONEY),
        error_messages={"required": gettext_lazy("Write how much: a percentage or an amount.")},
    )
    minimum = forms.CharField(
        label=gettext_lazy("Smallest bill"), max_length=40, required=False, widget=forms.TextInput(attrs=MONEY)
    )
    valid_days = whole(gettext_lazy("Days valid"), 1, 3650, initial=90)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        """`store` says in which money amounts are typed."""
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_minimum(self) -> int:
        """The smallest bill in minor units; 0 for none."""
        typed = self.cleaned_data["minimum"]
        return self._minor(typed) if typed else 0

    def clean(self) -> dict[str, Any]:
        """The value as the kind wants it: `percent` or `amount_minor`."""
        values = super().clean() or self.cleaned_data
        if "kind" in values and "value" in values:
            try:
                values.update(self._worth(values["kind"], values["value"]))
            except ValidationError as error:
                self.add_error("value", error)
        return values

    def _worth(self, kind: str, typed: str) -> dict[str, int | None]:
        if kind == Offer.Kind.PERCENT_OFF:
            return {"percent": _percent(typed), "amount_minor": None}
        amount = self._minor(typed)
        if amount <= 0:
            raise ValidationError(_("Write an amount above zero."))
        return {"percent": None, "amount_minor": amount}

    def _minor(self, typed: str) -> int:
        try:
            return parse_money(typed, self.store.currency, toman=self.store.toman)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    @property
    def offer_terms(self) -> OfferTerms:
        """The terms of a valid form."""
        values = self.cleaned_data
        return OfferTerms(
            Offer.Kind(values["kind"]),
            percent=values["percent"],
            amount_minor=values["amount_minor"],
            minimum_minor=values["minimum"],
            valid_days=values["valid_days"],
        )

    @property
    def readable_offer(self) -> OfferTerms | None:
        """The terms, as soon as the fields of the offer are right; None before."""
        needed = {"kind", "percent", "amount_minor", "minimum", "valid_days"}
        return self.offer_terms if needed <= self.cleaned_data.keys() else None


def _percent(typed: str) -> int:
    text = fold_digits(typed).strip().strip("%٪").strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 100):
        raise ValidationError(_("Write a whole percentage from 1 to 100."))
    return int(text)


def offer_of(terms: OfferTerms, store: Store) -> Offer:
    """An offer that promises these terms, for its words only."""
    return Offer(
        kind=terms.kind, percent=terms.percent, amount_minor=terms.amount_minor, currency=store.currency, store=store
    )


def offer_initial(terms: OfferTerms, store: Store) -> dict[str, Any]:
    """An offer as it is typed."""
    amount = terms.amount_minor
    return {
        "kind": terms.kind,
        "value": str(terms.percent) if amount is None else money_input(amount, store.currency, toman=store.toman),
        "minimum": money_input(terms.minimum_minor, store.currency, toman=store.toman) if terms.minimum_minor else "",
        "valid_days": terms.valid_days,
    }


class ProgramForm(OfferForm):
    """The program and the friend's gift."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    hold_days = whole(gettext_lazy("Days until a purchase counts"), 0, 365)
    claim_days = whole(gettext_lazy("Days a friend has to buy"), 1, 3650)
    nothing_first = forms.BooleanField(
        label=gettext_lazy("The first friends bring the customer nothing: I want it so"), required=False
    )


class TierForm(OfferForm):
    """A step of the ladder."""

    threshold = whole(gettext_lazy("From friend"), 1, 10_000, initial=1)
    gives = forms.ChoiceField(label=gettext_lazy("How often"), choices=Tier.Gives.choices, initial=Tier.Gives.EACH)
    name = forms.CharField(label=gettext_lazy("Name (optional)"), max_length=60, required=False)

    @property
    def tier_terms(self) -> TierTerms:
        """The terms of a valid form."""
        values = self.cleaned_data
        return TierTerms(values["threshold"], Tier.Gives(values["gives"]), self.offer_terms, values["name"])


def as_typed(program: Program) -> dict[str, str]:
    """The terms in force as the editor's fields would send them."""
    terms, store = terms_of(program), program.store
    earns = any(tier.threshold == 1 and tier.gives == Tier.Gives.EACH for tier in terms.tiers)
    values = {
        "name": terms.name,
        "hold_days": terms.hold_days,
        "claim_days": terms.claim_days,
        "nothing_first": "" if earns else "on",
        **offer_initial(terms.friend, store),
    }
    rows = [
        {"threshold": one.threshold, "gives": one.gives, "name": one.name, **offer_initial(one.offer, store)}
        for one in terms.tiers
    ]
    return _sent(values, rows)


def reshaped(post: Mapping[str, str]) -> dict[str, str]:
    """What was sent, with the row added or taken away that `step` asks for."""
    rows = [
        {name: post.get(f"tier-{place}-{name}", "") for name in TierForm.base_fields}
        for place in range(_row_count(post))
    ]
    verb, _dash, place = post.get("step", "").partition("-")
    if verb == "add" and len(rows) < MOST_STEPS:
        rows.append(_next_row(rows))
    elif verb == "remove" and place.isascii() and place.isdigit() and int(place) < len(rows):
        del rows[int(place)]
    return _sent({name: post.get(name, "") for name in ProgramForm.base_fields}, rows)


def _sent(values: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, str]:
    """Values and rows under the names the page sends."""
    flat = dict(values)
    for place, row in enumerate(rows):
        flat.update({f"tier-{place}-{name}": value for name, value in row.items()})
    return {name: str(value) for name, value in flat.items()} | {"tiers": str(len(rows))}


class Editor:
    """The program form with its steps. Unchecked, it shows what was typed and complains about nothing."""

    def __init__(self, data: Mapping[str, str], store: Store, *, check: bool = True) -> None:
        self.data = data
        self.form = ProgramForm(data, store=store) if check else ProgramForm(initial=dict(data), store=store)
        self.steps = [_row(data, place, store, check) for place in range(_row_count(data))]

    @property
    def may_grow(self) -> bool:
        """Whether another step may be added."""
        return len(self.steps) < MOST_STEPS

    def is_valid(self) -> bool:
        """Check every form, then the steps against each other; errors stand on the fields."""
        fine = all([self.form.is_valid(), *(step.is_valid() for step in self.steps)])
        self._refuse_twins()
        if fine and not self._first_earns() and not self.form.cleaned_data["nothing_first"]:
            self.form.add_error(
                "nothing_first",
                _("Nobody gets anything for a first friend. Add a step from 1 friend on, or say that it is meant."),
            )
        return self.form.is_valid() and all(step.is_valid() for step in self.steps)

    def _first_earns(self) -> bool:
        return any(
            step.cleaned_data["threshold"] == 1 and step.cleaned_data["gives"] == Tier.Gives.EACH for step in self.steps
        )

    def _refuse_twins(self) -> None:
        seen = set()
        for step in self.steps:
            key = (step.cleaned_data.get("threshold"), step.cleaned_data.get("gives")) if step.is_valid() else None
            if key and key in seen:
                step.add_error("threshold", _("Another step begins at the same number. Give this one its own."))
            seen.add(key)

    def first_gifts(self) -> tuple[OfferTerms | None, OfferTerms | None]:
        """What a friend gets and what the customer gets first; None for what cannot be read yet."""
        steps = [step for step in self.steps if step.is_valid()]
        first = min(steps, key=lambda step: (step.cleaned_data["threshold"], step.cleaned_data["gives"]), default=None)
        self.form.is_valid()
        return self.form.readable_offer, first.offer_terms if first else None

    @property
    def terms(self) -> ProgramTerms:
        """The terms of a valid editor."""
        values = self.form.cleaned_data
        return ProgramTerms(
            name=values["name"],
            friend=self.form.offer_terms,
            tiers=[step.tier_terms for step in self.steps],
            hold_days=values["hold_days"],
            claim_days=values["claim_days"],
        )


def _row(data: Mapping[str, str], place: int, store: Store, check: bool) -> TierForm:
    prefix = f"tier-{place}"
    if check:
        return TierForm(data, prefix=prefix, store=store)
    typed = {name: data.get(f"{prefix}-{name}", "") for name in TierForm.base_fields}
    return TierForm(initial=typed, prefix=prefix, store=store)


def _row_count(post: Mapping[str, str]) -> int:
    typed = post.get("tiers", "0")
    return min(int(typed), MOST_STEPS) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0


def _next_row(rows: list[dict[str, str]]) -> dict[str, Any]:
    """A new row that follows on the last: two friends more."""
    last = rows[-1] if rows else {}
    typed = fold_digits(last.get("threshold", "")).strip()
    start = int(typed) + 2 if typed.isascii() and typed.isdigit() and len(typed) < 5 else 1
    return {
        "threshold": str(start),
        "gives": Tier.Gives.ONCE if rows else Tier.Gives.EACH,
        "kind": last.get("kind", Offer.Kind.PERCENT_OFF),
        "valid_days": last.get("valid_days", "90"),
    }


class ReasonForm(forms.Form):
    """Why referrals are not to count."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why do they not count?"),
        choices=[(reason.value, reason.label) for reason in REASONS],
        error_messages={"required": gettext_lazy("Choose a reason: it is kept, and shown to the team.")},
    )


class NewStoreForm(forms.Form):
    """A store to be opened. The address is suggested from the name."""

    name = forms.CharField(label=gettext_lazy("Name of your store"), max_length=120)
    slug = forms.CharField(
        label=gettext_lazy("Address on this server"),
        max_length=50,
        required=False,
        help_text=gettext_lazy("Letters a-z, digits and dashes. Leave it empty and we make one from the name."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    locale = forms.ChoiceField(label=gettext_lazy("Language of your customers"))
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("Reads phone numbers written without +."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices.fill(self, currency=choices.currencies(), timezone=choices.time_zones())
        choices.fill(self, locale=choices.languages(), country=choices.countries())

    def clean(self) -> dict[str, Any]:
        """The values, with a free address."""
        values = super().clean() or self.cleaned_data
        if "slug" in values:
            typed = values["slug"].strip().lower()
            if typed and slugify(typed) != typed:
                self.add_error("slug", _("Use the letters a to z, digits and dashes only, for example rosewater-cafe."))
            elif typed and directory.store_id_by_slug(typed):
                self.add_error("slug", _("That address is taken. Try another, for example with your town."))
            values["slug"] = typed or free_slug(values.get("name", ""))
        return values


def free_slug(name: str) -> str:
    """An address that nobody has, near the name; names without Latin letters get a random one."""
    base = slugify(name)[:40] or "shop"
    while base == "shop" or directory.store_id_by_slug(base):
        base = f"{(slugify(name)[:40] or 'shop')}-{random_characters(4).lower()}"
    return base


class CurrencyForm(forms.Form):
    """The store's money, as long as nothing was sold."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    toman = forms.BooleanField(
        label=gettext_lazy("Show rial amounts in toman"),
        required=False,
        help_text=gettext_lazy("Only for the Iranian rial (IRR)."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices.fill(self, currency=choices.currencies())
