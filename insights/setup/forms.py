"""What an owner types in the six steps; each is a part of a form that exists elsewhere, or reads like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from referrals.forms import OfferForm, whole
from referrals.forms.fields import above_zero, money
from referrals.forms.offers import amount_typed, offer_typed
from referrals.services.terms import TEN_PERCENT, OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Tier
from stores.forms import SettingsForm
from stores.models import Store

Kind = Offer.Kind


class PartOfSettings(SettingsForm):
    """Some of the settings."""

    ONLY: ClassVar[Sequence[str]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {name: self.fields[name] for name in self.ONLY if name in self.fields}


class WhoForm(PartOfSettings):
    """Who the shop is, and where."""

    ONLY = ("name", "country", "timezone", "locale", "website")


class LookForm(PartOfSettings):
    """The colour, the name of what customers take part in, and what stands under each letter."""

    ONLY = ("program", "brand_color", "phone", "postal_address")
    program = forms.CharField(
        label=gettext_lazy("Name of your program"),
        max_length=120,
        help_text=gettext_lazy("For you, and on the page with its rules."),
    )

    @property
    def settings(self) -> dict[str, Any]:
        """What a valid form changes in the store's settings."""
        return {name: value for name, value in self.cleaned_data.items() if name != "program"}


# -- What you sell --


@dataclass(frozen=True)
class Goods:
    """What a shop may sell: days until its value shows, and whether it is brought to people."""

    key: str
    label: Any
    days: int
    delivers: bool


# A taste is known at once, a cream or a pan after some weeks of use; the owner may say otherwise.
GOODS = (
    Goods("food", gettext_lazy("Food, café, restaurant"), 1, False),
    Goods("services", gettext_lazy("Services: hair, repair, health"), 2, False),
    Goods("gifts", gettext_lazy("Gifts, flowers, sweets"), 3, True),
    Goods("clothes", gettext_lazy("Clothes and shoes"), 7, True),
    Goods("home", gettext_lazy("Home and kitchen"), 14, True),
    Goods("electronics", gettext_lazy("Electronics"), 14, True),
    Goods("beauty", gettext_lazy("Beauty and care"), 21, True),
    Goods("courses", gettext_lazy("Courses and memberships"), 30, False),
    Goods("other", gettext_lazy("Something else"), 7, True),
)
BY_KEY = {goods.key: goods for goods in GOODS}


class SellsForm(forms.Form):
    """What is sold, and when one knows whether it is good. Empty days mean: as usual for such goods."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What do you sell most?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what comes closest.")},
    )
    days = whole(
        gettext_lazy("Days until people know whether it is good"),
        0,
        365,
        required=False,
        help_text=gettext_lazy("Leave it empty to take the usual ones that stand above."),
    )
    arrives = forms.ChoiceField(
        label=gettext_lazy("The days count from"),
        required=False,
        choices=[
            ("", gettext_lazy("as usual for such goods")),
            ("yes", gettext_lazy("the delivery")),
            ("no", gettext_lazy("the purchase")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(goods.key, goods.label) for goods in GOODS]

    @property
    def settings(self) -> dict[str, Any]:
        """What a valid form changes in the store's settings."""
        goods, days = BY_KEY[self.cleaned_data["kind"]], self.cleaned_data["days"]
        arrives = self.cleaned_data["arrives"]
        return {
            "time_to_value_days": goods.days if days is None else days,
            "delivers": arrives == "yes" if arrives else goods.delivers,
        }


# -- What both sides get --

FRIEND = (Kind.PERCENT_OFF, Kind.FIXED_OFF, Kind.STORE_CREDIT)
ADVOCATE = (Kind.STORE_CREDIT, Kind.PERCENT_OFF, Kind.FIXED_OFF)


class CostForm(forms.Form):
    """What the cost is worked out from while there are no orders, and what is left of a sale."""

    average = money(
        gettext_lazy("A usual purchase"), help_text=gettext_lazy("What a customer pays at once, more or less.")
    )
    margin = whole(
        gettext_lazy("Left to you of a sale (%)"),
        1,
        100,
        required=False,
        help_text=gettext_lazy("The price without what the goods cost you. Only you see it."),
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_average(self) -> int | None:
        """In minor units; None when nothing was typed."""
        return above_zero(self.cleaned_data["average"], self.store)


class GiftsForm:
    """The friend's gift, what the customer gets for the first friend, and the numbers behind the cost.

    Only the kind and the size are asked here; whatever else the program says stays as it is.
    """

    def __init__(self, data: Mapping[str, str] | None, store: Store, terms: ProgramTerms) -> None:
        self.store, self.terms = store, terms
        self.friend = self._offer(data, "friend", terms.friend, FRIEND)
        self.first = min(terms.tiers, key=lambda tier: (tier.threshold, tier.gives != Tier.Gives.EACH), default=None)
        self.mine = self._offer(data, "mine", self.first.offer if self.first else TEN_PERCENT, ADVOCATE)
        kept = {
            "average": amount_typed(store.setup.get("average_minor"), store),
            "margin": store.setup.get("margin") or "",
        }
        self.cost = CostForm(data, initial=kept, store=store)
        self.is_bound = data is not None

    def _offer(
        self, data: Mapping[str, str] | None, prefix: str, now: OfferTerms, kinds: Sequence[Offer.Kind]
    ) -> OfferForm:
        stand = {f"{prefix}-{name}": value for name, value in offer_typed(now, self.store).items()}
        sent = {name: data[name] for name in (f"{prefix}-kind", f"{prefix}-value") if name in data} if data else {}
        shown = kinds if now.kind in kinds else [*kinds, now.kind]
        return OfferForm({**stand, **sent}, prefix=prefix, store=self.store, kinds=shown, places=self._places(now))

    def _places(self, now: OfferTerms) -> list[tuple[str, str]]:
        return [(now.place, now.place)] if now.place else []

    def is_valid(self) -> bool:
        """Whether everything typed can be read; errors stand on the fields."""
        return all([self.friend.is_valid(), self.mine.is_valid(), self.cost.is_valid() or not self.is_bound])

    @property
    def offers(self) -> tuple[OfferTerms | None, OfferTerms | None]:
        """What can be read of both gifts."""
        self.is_valid()
        return self.friend.readable_offer, self.mine.readable_offer

    @property
    def average_minor(self) -> int | None:
        """A usual purchase, as typed or kept; None for none."""
        return self._number("average", "average_minor")

    @property
    def margin(self) -> int | None:
        """What is left of a sale in percent, as typed or kept."""
        return self._number("margin", "margin")

    def _number(self, field: str, name: str) -> int | None:
        if not self.is_bound:
            kept: int | None = self.store.setup.get(name)
            return kept
        self.cost.is_valid()
        typed: int | None = self.cost.cleaned_data.get(field)
        return typed

    @property
    def new_terms(self) -> ProgramTerms:
        """The program's terms with both gifts as a valid form says."""
        first = self.first or TierTerms(1, Tier.Gives.EACH, TEN_PERCENT)
        others = [tier for tier in self.terms.tiers if tier is not first]
        tiers = [replace(first, offer=self.mine.offer_terms), *others]
        return replace(self.terms, friend=self.friend.offer_terms, tiers=tiers)
