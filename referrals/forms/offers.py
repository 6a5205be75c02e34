"""What one side is promised, as it is typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Product
from referrals.forms.fields import MONEY, above_zero, minor, money, whole
from referrals.services.terms import OfferTerms
from rewards.models import Offer
from stores.l10n import fold_digits, money_input
from stores.models import Store

Kind = Offer.Kind
FRIEND_KINDS: list[Offer.Kind] = [kind for kind in Kind if kind not in (Kind.CASH, Kind.COMMISSION)]
ADVOCATE_KINDS: list[Offer.Kind] = list(Kind)
FIRST, MONTHS, ALWAYS = "first", "months", "always"
LASTS = [
    (FIRST, gettext_lazy("of the first purchase only")),
    (MONTHS, gettext_lazy("of all purchases for some months")),
    (ALWAYS, gettext_lazy("of all purchases, always")),
]
# Which kinds use a field; what others leave in it does not count. The style sheet hides it there.
CODES = [kind for kind in Kind if kind.is_code]
USED_BY: dict[str, list[Offer.Kind]] = {
    "minimum": CODES,
    "valid_days": CODES,
    "is_personal": CODES,
    "place": CODES,
    "most": [kind for kind in Kind if kind.is_percentage],
    "lasts": [Kind.COMMISSION],
    "months": [Kind.COMMISSION],
    "sku": [Kind.FREE_PRODUCT],
    "words": [Kind.DONATION, Kind.CUSTOM],
}


class OfferForm(forms.Form):
    """What one side is promised. Amounts are typed in the store's currency (toman where it shows toman)."""

    kind = forms.ChoiceField(label=gettext_lazy("What"))
    value = forms.CharField(
        label=gettext_lazy("How much"),
        max_length=40,
        widget=forms.TextInput(attrs=MONEY),
        error_messages={"required": gettext_lazy("Write how much: a percentage or an amount.")},
    )
    minimum = money(gettext_lazy("Smallest bill"))
    valid_days = whole(gettext_lazy("Days valid"), 1, 3650, initial=90)
    most = money(gettext_lazy("At most"))
    lasts = forms.ChoiceField(label=gettext_lazy("How long"), choices=LASTS, initial=FIRST, required=False)
    months = whole(gettext_lazy("Months"), 1, 600, required=False)
    sku = forms.CharField(
        label=gettext_lazy("Product"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Its number (SKU). “How much” is its price: so much comes off the bill."),
        widget=forms.TextInput(attrs={"list": "products", "autocomplete": "off", "dir": "ltr"}),
    )
    words = forms.CharField(
        label=gettext_lazy("In your words"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("The charity; or what you give, for example “a lesson with our barista”."),
    )

    is_personal = forms.BooleanField(label=gettext_lazy("Only for its holder"), required=False)
    place = forms.ChoiceField(label=gettext_lazy("Only at"), required=False)

    def __init__(
        self,
        *args: Any,
        store: Store,
        kinds: Iterable[Offer.Kind] = FRIEND_KINDS,
        places: Iterable[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        """`store` says in which money amounts are typed; `places` are its locations, as code and name."""
        super().__init__(*args, **kwargs)
        self.store = store
        self.fields["place"].choices = [("", _("everywhere")), *places]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]

    def clean_minimum(self) -> int:
        """The smallest bill in minor units; 0 for none."""
        typed = self.cleaned_data["minimum"]
        return minor(typed, self.store) if typed else 0

    def clean_most(self) -> int | None:
        """What a percentage comes to at most, in minor units."""
        return above_zero(self.cleaned_data["most"], self.store)

    def clean(self) -> dict[str, Any]:
        """The value as the kind wants it: `percent` or `amount_minor`; and what the kind needs besides."""
        values = super().clean() or self.cleaned_data
        if "kind" not in values:
            return values
        kind = Kind(values["kind"])
        self._forget_unused(kind, values)
        for field, read in (("value", self._worth), ("months", self._lasting), ("words", self._naming)):
            if field in values:
                try:
                    values.update(read(kind, values))
                except ValidationError as error:
                    self.add_error("sku" if field == "words" and kind == Kind.FREE_PRODUCT else field, error)
        return values

    def _forget_unused(self, kind: Offer.Kind, values: dict[str, Any]) -> None:
        plain: dict[str, Any] = {
            "minimum": 0, "valid_days": 90, "most": None, "months": None, "is_personal": False,
        }  # fmt: skip
        unused = [name for name, kinds in USED_BY.items() if kind not in kinds]
        unused += ["months"] if values.get("lasts") != MONTHS else []
        for field in unused:
            self.errors.pop(field, None)
            values[field] = plain.get(field, "")

    def _worth(self, kind: Offer.Kind, values: dict[str, Any]) -> dict[str, int | None]:
        if kind.is_percentage:
            return {"percent": _percent(values["value"]), "amount_minor": None}
        return {"percent": None, "amount_minor": above_zero(values["value"], self.store)}

    def _lasting(self, kind: Offer.Kind, values: dict[str, Any]) -> dict[str, int | None]:
        """Months as an offer has them: 0 for the first purchase, None for always."""
        lasts = values.get("lasts") or FIRST
        if kind == Kind.COMMISSION and lasts == MONTHS and not values["months"]:
            raise ValidationError(_("Write for how many months."))
        return {"months": {FIRST: 0, ALWAYS: None}.get(lasts, values["months"])}

    def _naming(self, kind: Offer.Kind, values: dict[str, Any]) -> dict[str, str]:
        """The words that say what is given; of a product its name."""
        if kind in USED_BY["words"] and not values["words"].strip():
            raise ValidationError(_("Say in your words what it is."))
        if kind != Kind.FREE_PRODUCT:
            return {}
        sku = values.get("sku", "").strip()
        product = Product.objects.for_store(self.store).filter(sku=sku).first()
        if product is None:
            raise ValidationError(_("Choose one of your products by its number."))
        return {"sku": sku, "words": product.name[:120]}

    @property
    def offer_terms(self) -> OfferTerms:
        """The terms of a valid form."""
        values = self.cleaned_data
        return OfferTerms(
            Kind(values["kind"]),
            percent=values["percent"],
            amount_minor=values["amount_minor"],
            minimum_minor=values["minimum"],
            valid_days=values["valid_days"],
            most_minor=values["most"],
            months=values["months"],
            sku=values["sku"],
            words=values["words"],
            is_personal=values["is_personal"],
            place=values["place"],
        )

    @property
    def is_bound_to(self) -> bool:
        """Whether it is for its holder only, or for one place."""
        return any(name in self.errors or self[name].value() for name in ("is_personal", "place"))

    @property
    def readable_offer(self) -> OfferTerms | None:
        """The terms, as soon as the fields of the offer are right; None before."""
        needed = {"kind", "percent", "amount_minor", *USED_BY} - {"lasts"}
        wrong = {"kind", "value", *USED_BY} & self.errors.keys()
        return self.offer_terms if not wrong and needed <= self.cleaned_data.keys() else None


class OptionalOfferForm(OfferForm):
    """An offer, or nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        kind.required = False
        kind.choices = [("", _("nothing")), *kind.choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """As an offer's; nothing is asked of nothing."""
        if not self.errors.get("kind") and not self.cleaned_data.get("kind"):
            self.errors.clear()
            return {"kind": ""}
        return super().clean()

    @property
    def offer_or_nothing(self) -> OfferTerms | None:
        """The terms of a valid form; None for nothing."""
        return self.offer_terms if self.cleaned_data["kind"] else None


def _percent(typed: str) -> int:
    text = fold_digits(typed).strip().strip("%٪").strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 100):
        raise ValidationError(_("Write a whole percentage from 1 to 100."))
    return int(text)


def offer_of(terms: OfferTerms, store: Store) -> Offer:
    """An offer that promises these terms, for its words only."""
    return Offer(
        kind=terms.kind,
        percent=terms.percent,
        amount_minor=terms.amount_minor,
        minimum_minor=terms.minimum_minor,
        most_minor=terms.most_minor,
        months=terms.months,
        words=terms.words,
        currency=store.currency,
        store=store,
    )


def offer_typed(terms: OfferTerms | None, store: Store) -> dict[str, str]:
    """An offer as it is typed; of nothing only the kind."""
    if terms is None:
        return {"kind": "", "valid_days": "90"}
    lasts = {0: FIRST, None: ALWAYS}.get(terms.months, MONTHS)
    return {
        "kind": str(terms.kind),
        "value": str(terms.percent) if terms.amount_minor is None else amount_typed(terms.amount_minor, store),
        "minimum": amount_typed(terms.minimum_minor, store),
        "valid_days": str(terms.valid_days),
        "most": amount_typed(terms.most_minor, store),
        "lasts": lasts,
        "months": str(terms.months) if lasts == MONTHS else "",
        "sku": terms.sku,
        "words": terms.words if terms.kind in USED_BY["words"] else "",
        "is_personal": "on" if terms.is_personal else "",
        "place": terms.place,
    }


def amount_typed(amount: int | None, store: Store) -> str:
    """An amount as it is typed; '' for none."""
    return money_input(amount, store.currency, toman=store.toman) if amount else ""
