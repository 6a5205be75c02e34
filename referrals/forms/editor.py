"""The editor of a program: its form, its steps, and what was typed kept whatever happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from referrals.forms.fields import moment_input
from referrals.forms.offers import ADVOCATE_KINDS, FRIEND_KINDS, OfferForm, amount_typed, offer_typed
from referrals.forms.program import (
    EVIDENCE,
    MOST_CHOICES,
    LaterForm,
    ProgramForm,
    SecondForm,
    TierForm,
    evidence_read,
)
from referrals.forms.rows import MOST_ROWS, Typed, count_sent, is_place, plain, rows_sent, sent
from referrals.models import Program
from referrals.services.programs import Schedule
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms, terms_of, uncapped
from rewards.models import Offer, Tier
from stores.l10n import fold_digits
from stores.models import Location, Store

# Rows are sent as <name of the row>-<place>-<field>, and their number under the name of all.
TIERS, LATERS = ("tier", "tiers"), ("later", "laters")
# The first purchase brings the friend's gift already.
LATER_FIRST = {
    "threshold": "2",
    "gives": str(Tier.Gives.ONCE),
    "kind": str(Offer.Kind.PERCENT_OFF),
    "valid_days": "90",
}


class Editor:
    """The program form with its steps. Unchecked, it shows what was typed and complains about nothing."""

    def __init__(self, data: Mapping[str, str], store: Store, *, check: bool = True) -> None:
        self.data, self.store, self.check = data, store, check
        self.places = list(Location.objects.for_store(store).order_by("name").values_list("code", "name"))
        self.form = self._form(ProgramForm, data)
        self.second = self._form(SecondForm, data, prefix="second")
        self.steps = [
            self._step(TierForm, ADVOCATE_KINDS, f"tier-{place}") for place in range(count_sent(data, "tiers"))
        ]
        self.laters = [
            self._step(LaterForm, FRIEND_KINDS, f"later-{place}") for place in range(count_sent(data, "laters"))
        ]

    def _form(self, kind: type[Any], data: Mapping[str, str], **options: Any) -> Any:
        if self.check:
            return kind(data, store=self.store, places=self.places, **options)
        prefix = f"{options['prefix']}-" if "prefix" in options else ""
        typed = {name: data.get(prefix + name, "") for name in kind.base_fields}
        return kind(initial=typed, store=self.store, places=self.places, **options)

    def _step(self, kind: type[TierForm], kinds: list[Offer.Kind], prefix: str) -> TierForm:
        form: TierForm = self._form(kind, self.data, kinds=kinds, prefix=prefix)
        places = range(min(count_sent(self.data, f"{prefix}-choices"), MOST_CHOICES))
        form.choices = [
            self._form(OfferForm, self.data, kinds=kinds, prefix=f"{prefix}-choice-{place}") for place in places
        ]
        return form

    @property
    def may_grow(self) -> bool:
        """Whether another step may be added."""
        return len(self.steps) < MOST_ROWS

    @property
    def later_may_grow(self) -> bool:
        """Whether another step of the friend's may be added."""
        return len(self.laters) < MOST_ROWS

    @property
    def is_later_open(self) -> bool:
        """Whether the seldom gifts (for later purchases, for a friend's friend) are in use."""
        return bool(self.laters or self.second["kind"].value())

    def is_valid(self) -> bool:
        """Check every form, then the steps against each other; errors stand on the fields."""
        rows = [*self.steps, *self.laters]
        fine = all([self.form.is_valid(), self.second.is_valid(), *(row.is_valid() for row in rows)])
        _refuse_twins(self.steps)
        _refuse_twins(self.laters)
        if fine and not self._first_earns() and not self.form.cleaned_data["nothing_first"]:
            self.form.add_error(
                "nothing_first",
                _("Nobody gets anything for a first friend. Add a step from 1 friend on, or say that it is meant."),
            )
        if fine and self.form.cleaned_data["ceiling"]:
            self._ask_for_caps()
        return bool(all([self.form.is_valid(), self.second.is_valid(), *(row.is_valid() for row in rows)]))

    def _first_earns(self) -> bool:
        return any(
            step.cleaned_data["threshold"] == 1 and step.cleaned_data["gives"] == Tier.Gives.EACH for step in self.steps
        )

    def _ask_for_caps(self) -> None:
        """With a budget, a percentage needs an upper limit: nobody knows else what may still be promised."""
        offers = [(self.form, self.form.offer_terms), *(pair for row in self.steps for pair in row.offers)]
        offers += [pair for row in self.laters for pair in row.offers]
        offers += [(self.second, self.second.offer_terms)] if self.second.offer_or_nothing else []
        open_ended = uncapped(self.terms)
        for form, terms in offers:
            if terms in open_ended:
                form.add_error("most", _("You have a budget: write what this comes to at most."))

    def first_gifts(self) -> tuple[OfferTerms | None, OfferTerms | None]:
        """What a friend gets and what the customer gets first; None for what cannot be read yet."""
        self.form.is_valid()
        return self.form.readable_offer, next(iter(self.first_choices()), None)

    def first_choices(self) -> list[OfferTerms]:
        """What the customer gets first, and what may be picked in its place; [] while it cannot be read."""
        steps = [step for step in self.steps if step.is_valid()]
        first = min(steps, key=lambda step: (step.cleaned_data["threshold"], step.cleaned_data["gives"]), default=None)
        return [terms for _form, terms in first.offers] if first else []

    def refuse(self, field: str, reason: str) -> None:
        """Say on a field what the store's other promises do not allow."""
        self.form.add_error(field, reason)

    @property
    def margin(self) -> int | None:
        """The margin typed for the advice; None where there is none to be read."""
        self.form.is_valid()
        margin: int | None = self.form.cleaned_data.get("margin")
        return margin

    @property
    def schedule(self) -> Schedule:
        """For whom and when, of a valid editor."""
        schedule: Schedule = self.form.schedule
        return schedule

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
            friend_tiers=[step.tier_terms for step in self.laters],
            second=self.second.offer_or_nothing,
            limits=self.form.limits,
            crediting=self.form.crediting,
            ceiling_minor=values["ceiling"],
            places=values["places"],
        )


def _refuse_twins(rows: list[TierForm]) -> None:
    seen = set()
    for row in rows:
        key = (row.cleaned_data.get("threshold"), row.cleaned_data.get("gives")) if row.is_valid() else None
        if key and key in seen:
            row.add_error("threshold", _("Another step begins at the same number. Give this one its own."))
        seen.add(key)


# -- What stands in the fields --


def as_typed(program: Program) -> Typed:
    """The terms in force as the editor's fields would send them."""
    return typed_terms(
        terms_of(program),
        program.store,
        Schedule(Program.Audience(program.audience), program.starts_at, program.ends_at),
    )


def typed_terms(terms: ProgramTerms, store: Store, schedule: Schedule | None = None) -> Typed:
    """Terms as the editor's fields would send them."""
    schedule = schedule or Schedule()
    earns = any(tier.threshold == 1 and tier.gives == Tier.Gives.EACH for tier in terms.tiers)
    values = {
        "name": terms.name,
        "audience": int(schedule.audience),
        "starts": moment_input(schedule.starts_at),
        "ends": moment_input(schedule.ends_at),
        "hold_days": terms.hold_days,
        "claim_days": terms.claim_days,
        "nothing_first": not earns,
        "ceiling": amount_typed(terms.ceiling_minor, store),
        "places": terms.places,
        **offer_typed(terms.friend, store),
        **_typed_limits(terms, store),
        **{f"second-{name}": value for name, value in offer_typed(terms.second, store).items()},
    }
    return {
        **plain(values),
        **sent(TIERS, [_typed_tier(tier, store) for tier in terms.tiers]),
        **sent(LATERS, [_typed_tier(tier, store) for tier in terms.friend_tiers]),
    }


def _typed_limits(terms: ProgramTerms, store: Store) -> dict[str, Any]:
    limits, crediting = asdict(terms.limits), asdict(terms.crediting)
    for name in ("only_products", "not_products"):
        limits[name] = "\n".join(rule.get("sku") or rule["category"] for rule in limits[name])
    limits["minimum_order"] = amount_typed(limits.pop("minimum_order_minor"), store)
    crediting["evidence"] = ",".join(evidence_read(",".join(crediting["evidence"]) or ",".join(EVIDENCE)))
    return {**limits, **crediting}


def _typed_tier(tier: TierTerms, store: Store) -> Typed:
    values = {
        "threshold": tier.threshold,
        "gives": tier.gives,
        "name": tier.name,
        "within_days": tier.within_days,
        "choices": len(tier.choices),
        **offer_typed(tier.offer, store),
    }
    for place, offer in enumerate(tier.choices):
        values.update({f"choice-{place}-{name}": value for name, value in offer_typed(offer, store).items()})
    return plain(values)


# -- Steps added, taken away and moved, without script --


def reshaped(post: Mapping[str, str]) -> Typed:
    """What was sent, changed as `step` asks: add, remove-N, later-add, later-remove-N, choose-N, unchoose-N-M, up-N."""
    verb, _dash, place = post.get("step", "").partition("-")
    tiers, laters = rows_sent(post, TIERS), rows_sent(post, LATERS)
    if verb == "later":
        verb, _dash, place = place.partition("-")
        _reshape(laters, verb, place, first=LATER_FIRST)
    else:
        _reshape(tiers, verb, place)
    values = {name: post[name] for name in post if not name.startswith(("tier-", "later-"))}
    if verb == "up":
        values["evidence"] = ",".join(_raised(evidence_read(values.get("evidence", "")), place))
    return {**values, **sent(TIERS, tiers), **sent(LATERS, laters)}


def _reshape(rows: list[Typed], verb: str, place: str, *, first: Typed | None = None) -> None:
    row, _dash, choice = place.partition("-")
    if verb == "add" and len(rows) < MOST_ROWS:
        rows.append(_next_row(rows) if rows or first is None else dict(first))
    elif verb == "remove" and is_place(row, len(rows)):
        del rows[int(row)]
    elif verb == "choose" and is_place(row, len(rows)):
        _add_choice(rows[int(row)])
    elif verb == "unchoose" and is_place(row, len(rows)) and is_place(choice, MOST_CHOICES):
        _take_choice(rows[int(row)], int(choice))


def _add_choice(row: Typed) -> None:
    have = min(count_sent(row, "choices"), MOST_CHOICES)
    if have < MOST_CHOICES:
        row.update({"choices": str(have + 1), f"choice-{have}-kind": Offer.Kind.STORE_CREDIT.value})
        row[f"choice-{have}-valid_days"] = row.get("valid_days", "90")


def _take_choice(row: Typed, place: int) -> None:
    """Take one away; those behind it move up."""
    have = min(count_sent(row, "choices"), MOST_CHOICES)
    if place >= have:
        return
    names = [key.removeprefix("choice-0-") for key in row if key.startswith("choice-0-")]
    for later in range(place, have - 1):
        row.update({f"choice-{later}-{name}": row.get(f"choice-{later + 1}-{name}", "") for name in names})
    row["choices"] = str(have - 1)


def _raised(order: list[str], place: str) -> list[str]:
    """The order with that one a place nearer to the front."""
    if is_place(place, len(order)) and int(place):
        at = int(place)
        order[at - 1], order[at] = order[at], order[at - 1]
    return order


def _next_row(rows: list[Typed]) -> Typed:
    """A new row that follows on the last: two friends more."""
    last = rows[-1] if rows else {}
    typed = fold_digits(last.get("threshold", "")).strip()
    start = int(typed) + 2 if typed.isascii() and typed.isdigit() and len(typed) < 5 else 1
    return {
        "threshold": str(start),
        "gives": str(Tier.Gives.ONCE if rows else Tier.Gives.EACH),
        "kind": last.get("kind", str(Offer.Kind.PERCENT_OFF)),
        "valid_days": last.get("valid_days", "90"),
    }
