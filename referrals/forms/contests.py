"""A contest, as it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from referrals.forms.fields import MomentField, moment_input, moment_widget, whole
from referrals.forms.offers import OfferForm, OptionalOfferForm, offer_typed
from referrals.forms.rows import MOST_ROWS, Typed, count_sent, is_place, plain, rows_sent, sent
from referrals.services.contests import KINDS, ContestData, PrizeTerms
from rewards.models import Offer
from stores.l10n import fold_digits, local_digits
from stores.models import Location, Store

PRIZES = ("prize", "prizes")
USUAL_DAYS, LAST_PLACE = 10, 1000


class ContestForm(forms.Form):
    """The contest but for what can be won."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("As customers read it, for example “Friends’ week”."),
    )
    starts = MomentField(label=gettext_lazy("From"), required=True)
    ends = MomentField(label=gettext_lazy("Until"), required=True)
    settle_days = whole(
        gettext_lazy("Days after its end until the prizes are given"),
        0,
        365,
        help_text=gettext_lazy("By then it is known what was sent back."),
    )
    rules = forms.CharField(
        label=gettext_lazy("What you want to add to the rules"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy("Not needed: dates, prizes and who wins a tie stand there already, in three languages."),
    )

    def __init__(self, *args: Any, hold_days: int, **kwargs: Any) -> None:
        """`hold_days` is what the store's slowest program waits until a friend counts."""
        super().__init__(*args, **kwargs)
        self.hold_days = hold_days
        for name in ("starts", "ends"):
            self.fields[name].widget = moment_widget()

    def clean_settle_days(self) -> int:
        """No fewer days than a friend's purchase waits until it counts."""
        days: int = self.cleaned_data["settle_days"]
        if days < self.hold_days:
            words = _(
                "Friends count after %(days)s days in your program: write at least that, or the last do not count."
            )
            raise ValidationError(words, params={"days": local_digits(str(self.hold_days), get_language() or "en")})
        return days

    def clean(self) -> dict[str, Any]:
        """The values; the end comes after the start."""
        values = super().clean() or self.cleaned_data
        if values.get("starts") and values.get("ends") and values["ends"] <= values["starts"]:
            self.add_error("ends", _("The end must be after the start."))
        return values


class PrizeForm(OfferForm):
    """What some places win."""

    first = whole(gettext_lazy("From place"), 1, LAST_PLACE, initial=1)
    last = whole(gettext_lazy("To place"), 1, LAST_PLACE, initial=1)

    def clean(self) -> dict[str, Any]:
        """The values; the last place is not before the first."""
        values = super().clean() or self.cleaned_data
        if values.get("first") and values.get("last") and values["last"] < values["first"]:
            self.add_error("last", _("Write the same place, or a later one."))
        return values

    @property
    def prize_terms(self) -> PrizeTerms:
        """The prize of a valid form."""
        return PrizeTerms(self.cleaned_data["first"], self.cleaned_data["last"], self.offer_terms)


class ContestEditor:
    """The form with its prizes. Unchecked, it shows what was typed and complains about nothing."""

    def __init__(self, data: Mapping[str, str], store: Store, *, hold_days: int, check: bool = True) -> None:
        self.data, self.store, self.check = data, store, check
        self.places = list(Location.objects.for_store(store).order_by("name").values_list("code", "name"))
        self.form: ContestForm = self._form(ContestForm, "", hold_days=hold_days)
        gift = {"store": store, "places": self.places, "kinds": KINDS}
        self.prizes = [self._form(PrizeForm, f"prize-{place}", **gift) for place in range(count_sent(data, PRIZES[1]))]
        self.consolation: OptionalOfferForm = self._form(OptionalOfferForm, "consolation", **gift)

    def _form(self, kind: type[Any], prefix: str, **options: Any) -> Any:
        if self.check:
            return kind(self.data, prefix=prefix or None, **options)
        start = f"{prefix}-" if prefix else ""
        typed = {name: self.data.get(start + name, "") for name in kind.base_fields}
        return kind(initial=typed, prefix=prefix or None, **options)

    @property
    def may_grow(self) -> bool:
        """Whether another prize may be added."""
        return len(self.prizes) < MOST_ROWS

    def is_valid(self) -> bool:
        """Check every form, then the prizes against each other; errors stand on the fields."""
        forms = [self.form, self.consolation, *self.prizes]
        fine = [one.is_valid() for one in forms]  # all of them, so that each says what is wrong
        self._refuse_overlaps()
        return all(fine) and all(not one.errors for one in forms)

    def _refuse_overlaps(self) -> None:
        taken: set[int] = set()
        for one in self.prizes:
            first, last = one.cleaned_data.get("first"), one.cleaned_data.get("last")
            if not first or not last:
                continue
            places = set(range(first, last + 1))
            if places & taken:
                one.add_error("first", _("Another prize is for this place already. Give each place one prize."))
            taken |= places

    @property
    def contest_data(self) -> ContestData:
        """The contest of a valid editor."""
        values = self.form.cleaned_data
        return ContestData(
            name=values["name"],
            starts_at=values["starts"],
            ends_at=values["ends"],
            prizes=sorted((one.prize_terms for one in self.prizes), key=lambda prize: prize.first),
            consolation=self.consolation.offer_or_nothing,
            settle_days=values["settle_days"],
            rules=values["rules"],
        )


# -- What stands in the fields --


def contest_typed(data: ContestData, store: Store) -> Typed:
    """A contest as the editor's fields would send it."""
    values = {
        "name": data.name,
        "starts": moment_input(data.starts_at),
        "ends": moment_input(data.ends_at),
        "settle_days": data.settle_days,
        "rules": data.rules,
        **{f"consolation-{name}": value for name, value in offer_typed(data.consolation, store).items()},
    }
    rows = [{**offer_typed(one.offer, store), "first": one.first, "last": one.last} for one in data.prizes]
    return {**plain(values), **sent(PRIZES, [plain(row) for row in rows])}


def new_contest_typed(tomorrow: datetime, hold_days: int) -> Typed:
    """A contest to begin with: ten days from `tomorrow` on, a first prize to be filled in, something for everyone."""
    gift = {"kind": str(Offer.Kind.PERCENT_OFF), "value": "10", "valid_days": "90"}
    prize = {"first": "1", "last": "1", "kind": str(Offer.Kind.GIFT_CARD), "valid_days": "365"}
    values = {
        "starts": moment_input(tomorrow),
        "ends": moment_input(tomorrow + timedelta(days=USUAL_DAYS)),
        "settle_days": max(14, hold_days),
        **{f"consolation-{name}": value for name, value in gift.items()},
    }
    return {**plain(values), **sent(PRIZES, [prize])}


def contest_reshaped(post: Mapping[str, str]) -> Typed:
    """What was sent, changed as `step` asks: add, remove-N."""
    verb, _dash, place = post.get("step", "").partition("-")
    rows = rows_sent(post, PRIZES)
    if verb == "add" and len(rows) < MOST_ROWS:
        rows.append(_next_prize(rows))
    elif verb == "remove" and is_place(place, len(rows)):
        del rows[int(place)]
    values = {name: post[name] for name in post if not name.startswith("prize-")}
    return {**values, **sent(PRIZES, rows)}


def _next_prize(rows: list[Typed]) -> Typed:
    """A prize for the place after the last one's."""
    last = rows[-1] if rows else {}
    typed = fold_digits(last.get("last", "")).strip()
    place = str(int(typed) + 1) if typed.isascii() and typed.isdigit() and len(typed) < 4 else "1"
    return {"first": place, "last": place, "kind": last.get("kind", str(Offer.Kind.GIFT_CARD)), "valid_days": "90"}
