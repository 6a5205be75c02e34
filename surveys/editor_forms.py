"""What owners type about their questions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.forms.boundfield import BoundField
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Category, Product, Segment
from stores.l10n import fold_digits
from stores.models import Location, Store
from surveys import wording
from surveys.models import Question, Survey
from surveys.rules import Group

SHORTEST, LONGEST = 7, 730  # days between two periodic questions to one person
WORDS = 250
GROUPS: dict[str, str | Promise] = {
    Group.PROMOTER: gettext_lazy("asked after a happy answer"),
    Group.PASSIVE: gettext_lazy("asked after an answer in between"),
    Group.DETRACTOR: gettext_lazy("asked after an unhappy answer"),
}
ABOUT = {  # which fields an occasion has; the others are emptied
    Survey.Occasion.PRODUCT: ("product", "category"),
    Survey.Occasion.PERIODIC: ("segment", "every_days"),
    Survey.Occasion.COUNTER: ("location",),
    Survey.Occasion.WIDGET: (),
}


class DaysField(forms.IntegerField):
    """Whole days in any digits."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def to_python(self, value: Any) -> int | None:
        """Fold digits first."""
        return super().to_python(fold_digits(str(value)) if value is not None else None)


class SurveyForm(forms.ModelForm):
    """A question of the store's own: when, how it is answered, and its words in each language."""

    product = forms.CharField(
        label=gettext_lazy("product (name or SKU)"),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={"list": "products", "autocomplete": "off"}),
    )
    every_days = DaysField(
        label=gettext_lazy("ask each person once in (days)"),
        required=False,
        min_value=SHORTEST,
        max_value=LONGEST,
        help_text=gettext_lazy("Everybody has a day of their own in that time, so that answers come in steadily."),
    )

    class Meta:
        model = Survey
        fields = ("name", "occasion", "question", "category", "location", "segment")

    def __init__(self, *args: Any, store: Store, is_used: bool = False, **kwargs: Any) -> None:
        """`is_used`: people were asked, so how they answer stays as it is."""
        super().__init__(*args, **kwargs)
        self.store, self.instance.store = store, store
        self.fields["occasion"].disabled = self.fields["question"].disabled = is_used
        kinds: dict[str, Any] = {"category": (Category, _("any")), "location": (Location, _("every branch")),
                                 "segment": (Segment, _("everybody who bought"))}  # fmt: skip
        for name, (model, nothing) in kinds.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset, field.empty_label = model.objects.for_store(store).order_by("name"), nothing
        self.fields["category"].label, self.fields["location"].label = _("category"), _("branch")
        self.fields["segment"].label = _("who is asked")
        for name in ("occasion", "question"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [choice for choice in field.choices if choice[0]]  # type: ignore[union-attr,index,misc]
        survey = self.instance
        self.initial.update(product=survey.product.sku if survey.product else "", every_days=survey.every_days)
        for code, _name in settings.LANGUAGES:
            self._add_words(code)

    def _add_words(self, code: str) -> None:
        """The fields of one language, with our own words as the hint in them."""
        own = self.instance.wording.get(code) or {}
        with translation.override(code):
            ours = wording.more_texts()
        names: dict[str, tuple[Any, str, str]] = {"question": (gettext_lazy("question"), own.get("question", ""), "")}
        for group, label in GROUPS.items():
            names[str(group)] = (label, (own.get("more") or {}).get(group, ""), ours[group])
        for name, (label, initial, hint) in names.items():
            self.fields[f"{name}_{code}"] = forms.CharField(
                label=label,
                required=False,
                max_length=WORDS,
                initial=initial,
                widget=forms.TextInput(attrs={"lang": code, "dir": "auto", "placeholder": hint, "autocomplete": "off"}),
            )

    @property
    def languages(self) -> list[tuple[str, str, list[BoundField], bool]]:
        """Code, name and fields of each language, and whether it has words of its own or a mistake."""
        found = []
        for code, name in settings.LANGUAGES:
            fields = [self[f"{one}_{code}"] for one in ("question", *GROUPS)]
            is_open = code == self.store.locale or any(field.value() or field.errors for field in fields)
            found.append((code, str(name), fields, is_open))
        return found

    def clean_name(self) -> str:
        """Unique in the store, as the database wants it."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        twins = Survey.objects.for_store(self.store).filter(name=name).exclude(pk=self.instance.pk)
        if twins.exists():
            raise forms.ValidationError(_("You have a question of that name already."))
        return name

    def clean_product(self) -> Product | None:
        """The product of that SKU, or the only one of that name."""
        typed = str(self.cleaned_data["product"]).strip()
        if not typed:
            return None
        found = Product.objects.for_store(self.store).filter(Q(sku=typed) | Q(name__iexact=typed))
        rows = sorted(found[:20], key=lambda row: row.sku != typed)
        if not rows:
            raise forms.ValidationError(_("No product has that name or SKU. Products come with your orders."))
        if len(rows) > 1 and rows[0].sku != typed:
            raise forms.ValidationError(_("Several products have that name: write the SKU."))
        return rows[0]

    def clean(self) -> dict[str, Any]:
        """What the occasion needs, and nothing of the others."""
        given = super().clean() or self.cleaned_data
        occasion = given.get("occasion")
        for name in ("product", "category", "location", "segment", "every_days"):
            if occasion and name not in ABOUT[occasion]:
                given[name] = None
                self.errors.pop(name, None)
        if occasion == Survey.Occasion.PRODUCT and not ({"product", "category"} & set(self.errors)):
            if not (given.get("product") or given.get("category")):
                self.add_error("product", _("Say which product, or choose a category."))
            elif given.get("product") and given.get("category"):
                self.add_error("category", _("A product or a category, not both."))
        if occasion == Survey.Occasion.PERIODIC and not given.get("every_days") and "every_days" not in self.errors:
            self.add_error("every_days", _("Say how often, from %(least)s to %(most)s days.") % {
                "least": SHORTEST, "most": LONGEST})  # fmt: skip
        return given

    def typed(self) -> Survey:
        """The survey as it would be; what cannot be read stays as it was. Not saved."""
        survey, given = self.instance, self.cleaned_data
        survey.product, survey.every_days = given.get("product"), given.get("every_days")
        survey.wording = self._wording(given)
        return survey

    def _wording(self, given: dict[str, Any]) -> dict[str, Any]:
        """Only what was written, by language."""
        words: dict[str, Any] = {}
        for code, _name in settings.LANGUAGES:
            more = {str(group): given[f"{group}_{code}"] for group in GROUPS if given.get(f"{group}_{code}")}
            own = {"question": given.get(f"question_{code}") or "", "more": more}
            kept = {key: value for key, value in own.items() if value}
            if kept:
                words[code] = kept
        return words


def scale_of(survey: Survey) -> Question:
    """How it is answered; what cannot be read is 0 to 10."""
    return Question(survey.question) if survey.question in Question.values else Question.NPS
