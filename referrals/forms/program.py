"""The form of one program: the friend's gift, for whom and when, limits, crediting, budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Category, Product
from referrals.crediting import STRENGTH
from referrals.forms.fields import MomentField, above_zero, minor, moment_widget, money, whole
from referrals.forms.offers import ADVOCATE_KINDS, OfferForm, OptionalOfferForm
from referrals.models import Program, Referral
from referrals.services.programs import Schedule
from referrals.services.terms import Crediting, Limits, OfferTerms, TierTerms
from rewards.models import Terms, Tier

Rules = list[dict[str, str]]
MOST_CHOICES = 3
BY_HAND = str(Referral.Evidence.STAFF)  # what the store says itself comes first, always
EVIDENCE = [str(one) for one in STRENGTH if one != BY_HAND]
SELDOM = [
    (gettext_lazy("Budget and places"), ("ceiling", "places")),
    (
        gettext_lazy("Limits: who counts, and how often"),
        (
            "new_only", "look_back_days", "one_a_household", "minimum_order", "most_rewards", "most_in_period",
            "period_days", "only_products", "not_products",
        ),
    ),
    (gettext_lazy("When part of a purchase is sent back"), ("refund",)),
    (gettext_lazy("Who is credited, when several sent the friend"), ("touch", "is_sticky", "visit_days", "evidence")),
]  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Fields that stand under one heading; open where something is wrong or not as usual."""

    title: str
    fields: list[forms.BoundField]
    is_open: bool


def _lines(label: Any, help_text: Any) -> forms.CharField:
    """A field for products and categories, one a line."""
    box = forms.Textarea(attrs={"rows": 2, "dir": "auto", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=4000, required=False, widget=box, help_text=help_text)


# Partner stores' own are made by agreement (services.partners).
EDITED = [choice for choice in Program.Audience.choices if choice[0] != Program.Audience.STORES]


class ProgramForm(OfferForm):
    """The program and the friend's gift."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    audience = forms.TypedChoiceField(
        label=gettext_lazy("For whom"), choices=EDITED, coerce=int, required=False, empty_value=None
    )
    starts = MomentField(label=gettext_lazy("Runs from"), help_text=gettext_lazy("Empty: since ever."))
    ends = MomentField(label=gettext_lazy("Runs until"), help_text=gettext_lazy("Empty: without end."))
    hold_days = whole(gettext_lazy("Days until a purchase counts"), 0, 365)
    claim_days = whole(gettext_lazy("Days a friend has to buy"), 1, 3650)
    nothing_first = forms.BooleanField(
        label=gettext_lazy("The first friends bring the customer nothing: I want it so"), required=False
    )
    ceiling = money(
        gettext_lazy("Budget: rewards and gifts come to at most"),
        help_text=gettext_lazy("When it is promised away, nobody is promised more. Empty: no limit."),
    )
    places = whole(
        gettext_lazy("Only for the first so many friends"),
        1,
        1_000_000,
        required=False,
        help_text=gettext_lazy("Empty: for all."),
    )
    new_only = forms.BooleanField(label=gettext_lazy("New customers only"), required=False)
    look_back_days = whole(
        gettext_lazy("New is who has not bought for (days)"),
        1,
        3650,
        required=False,
        help_text=gettext_lazy("Empty: who never bought before."),
    )
    one_a_household = forms.BooleanField(label=gettext_lazy("One friend a household"), required=False)
    minimum_order = money(gettext_lazy("Smallest purchase that counts"))
    most_rewards = whole(gettext_lazy("Rewarded friends of one customer, at most"), 1, 100_000, required=False)
    most_in_period = whole(gettext_lazy("… and in a period, at most"), 1, 100_000, required=False)
    period_days = whole(gettext_lazy("The period (days)"), 1, 3650, required=False)
    only_products = _lines(
        gettext_lazy("Only these products count"),
        gettext_lazy("The number (SKU) of a product or the name of a category, one a line. Empty: all."),
    )
    not_products = _lines(gettext_lazy("These products do not count"), gettext_lazy("In the same way."))
    refund = forms.ChoiceField(
        label=gettext_lazy("The customer's reward is then"), choices=Terms.Refund.choices, required=False
    )
    touch = forms.ChoiceField(label=gettext_lazy("Credited is"), choices=Terms.Touch.choices, required=False)
    is_sticky = forms.BooleanField(label=gettext_lazy("Who took a gift stays that customer's friend"), required=False)
    visit_days = whole(gettext_lazy("A visit by the link counts for (days)"), 1, 3650, required=False)
    evidence = forms.CharField(widget=forms.HiddenInput, max_length=200, required=False)
    margin = whole(
        gettext_lazy("What is left of a sale, before rewards (percent)"),
        1,
        99,
        required=False,
        help_text=gettext_lazy("Only for the advice; it is not kept."),
    )
    margin.widget.attrs["form"] = "program-form"  # it stands beside the form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts", "ends"):
            self.fields[name].widget = moment_widget()

    @property
    def parts(self) -> list[Part]:
        """What is seldom changed, in the order of the page."""
        return [Part(str(title), [self[name] for name in names], self._is_used(names)) for title, names in SELDOM]

    def _is_used(self, names: Iterable[str]) -> bool:
        return any(name in self.errors or self._holds(name) != USUAL[name] for name in names)

    def _holds(self, name: str) -> str:
        """What stands in a field, as USUAL has it."""
        value = self[name].value()
        return "on" if value is True else str(value or "").strip()

    @property
    def evidence_order(self) -> list[tuple[str, str]]:
        """What speaks for a customer, the strongest first, with its words."""
        labels = dict(Referral.Evidence.choices)
        return [(one, str(labels[one])) for one in evidence_read(str(self["evidence"].value() or ""))]

    def clean_ceiling(self) -> int | None:
        """The budget in minor units."""
        return above_zero(self.cleaned_data["ceiling"], self.store)

    def clean_minimum_order(self) -> int:
        """The smallest purchase that counts, in minor units."""
        typed = self.cleaned_data["minimum_order"]
        return minor(typed, self.store) if typed else 0

    def clean_only_products(self) -> Rules:
        """The rules of what counts."""
        return self._rules(self.cleaned_data["only_products"])

    def clean_not_products(self) -> Rules:
        """The rules of what does not count."""
        return self._rules(self.cleaned_data["not_products"])

    def _rules(self, typed: str) -> Rules:
        """Each line a product by its number, or a category by its name."""
        lines = [line.strip() for line in typed.splitlines() if line.strip()]
        if not lines:
            return []
        skus = set(Product.objects.for_store(self.store).filter(sku__in=lines).values_list("sku", flat=True))
        known = Category.objects.for_store(self.store).filter(name__in=lines)
        categories = set(known.values_list("name", flat=True))
        for line in lines:
            if line not in skus | categories:
                raise ValidationError(_("There is no product or category “%(name)s”."), params={"name": line})
        return [{"sku": line} if line in skus else {"category": line} for line in dict.fromkeys(lines)]

    def clean_evidence(self) -> list[str]:
        """The order of evidence; [] for our own."""
        order = evidence_read(self.cleaned_data["evidence"])
        return [] if order == EVIDENCE else [BY_HAND, *order]

    def clean(self) -> dict[str, Any]:
        """The values; the end comes after the start."""
        values = super().clean()
        if values.get("starts") and values.get("ends") and values["ends"] <= values["starts"]:
            self.add_error("ends", _("The end must be after the start."))
        return values

    @property
    def limits(self) -> Limits:
        """The limits of a valid form."""
        values = self.cleaned_data
        return Limits(
            most_rewards=values["most_rewards"],
            most_in_period=values["most_in_period"],
            period_days=values["period_days"] or Limits.period_days,
            minimum_order_minor=values["minimum_order"],
            new_only=values["new_only"],
            look_back_days=values["look_back_days"],
            one_a_household=values["one_a_household"],
            only_products=values["only_products"],
            not_products=values["not_products"],
        )

    @property
    def crediting(self) -> Crediting:
        """Whom to credit, by a valid form."""
        values = self.cleaned_data
        return Crediting(
            visit_days=values["visit_days"] or Crediting.visit_days,
            touch=Terms.Touch(values["touch"] or Crediting.touch),
            is_sticky=values["is_sticky"],
            evidence=values["evidence"],
            refund=Terms.Refund(values["refund"] or Crediting.refund),
        )

    @property
    def schedule(self) -> Schedule:
        """For whom and when, by a valid form."""
        values = self.cleaned_data
        audience = Program.Audience(values["audience"] or Program.Audience.CUSTOMERS)
        return Schedule(audience, values["starts"], values["ends"])


def evidence_read(typed: str) -> list[str]:
    """Every evidence once: first as typed, then what was left out, in our order."""
    known = [one for one in dict.fromkeys(typed.split(",")) if one in EVIDENCE]
    return known + [one for one in EVIDENCE if one not in known]


# What the fields of SELDOM hold in a plain program.
USUAL = {
    "ceiling": "", "places": "", "new_only": "on", "look_back_days": "", "one_a_household": "", "minimum_order": "",
    "most_rewards": "", "most_in_period": "", "period_days": str(Limits.period_days), "only_products": "",
    "not_products": "", "refund": str(Crediting.refund), "touch": str(Crediting.touch), "is_sticky": "on",
    "visit_days": str(Crediting.visit_days), "evidence": ",".join(EVIDENCE),
}  # fmt: skip


class TierForm(OfferForm):
    """A step of the ladder, with what may be picked in place of its gift."""

    threshold = whole(gettext_lazy("From friend"), 1, 10_000, initial=1)
    gives = forms.ChoiceField(label=gettext_lazy("How often"), choices=Tier.Gives.choices, initial=Tier.Gives.EACH)
    name = forms.CharField(label=gettext_lazy("Name (optional)"), max_length=60, required=False)
    within_days = whole(
        gettext_lazy("Counting the last (days)"), 1, 3650, required=False, help_text=gettext_lazy("Empty: all.")
    )
    choices: list[OfferForm]  # set by the editor

    def is_valid(self) -> bool:
        """Whether the step and everything that may be picked is right."""
        return all([super().is_valid(), *(choice.is_valid() for choice in self.choices)])

    @property
    def may_choose_more(self) -> bool:
        """Whether another gift to choose from may be added."""
        return len(self.choices) < MOST_CHOICES

    @property
    def is_special(self) -> bool:
        """Whether one of the seldom fields is in use."""
        return any(name in self.errors or self[name].value() for name in ("name", "within_days"))

    @property
    def tier_terms(self) -> TierTerms:
        """The terms of a valid form."""
        values = self.cleaned_data
        return TierTerms(
            values["threshold"],
            Tier.Gives(values["gives"]),
            self.offer_terms,
            values["name"],
            values["within_days"],
            [choice.offer_terms for choice in self.choices],
        )

    @property
    def offers(self) -> list[tuple[OfferForm, OfferTerms]]:
        """The offers of a valid form, each with the form it was typed in."""
        return [(self, self.offer_terms), *((choice, choice.offer_terms) for choice in self.choices)]


class LaterForm(TierForm):
    """A step that the friend climbs by purchases of their own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["threshold"].label = _("From purchase")
        self.fields["gives"].choices = [  # type: ignore[attr-defined]
            (Tier.Gives.EACH, _("for each purchase from here on")),
            (Tier.Gives.ONCE, _("once, when reached")),
            (Tier.Gives.EVERY, _("each time so many are full")),
        ]


class SecondForm(OptionalOfferForm):
    """What whoever had sent the customer gets, for a friend's friend."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, kinds=ADVOCATE_KINDS, **kwargs)
