"""What to print and for whom, as it is typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from customers.models import Customer, Segment
from customers.queries import find
from referrals.forms.fields import minor, money, whole
from referrals.models import PrintRun
from referrals.services.prints import MOST_EACH, MOST_FOR_ONE, PRINTED_APART, Wish
from stores import choices
from stores.models import Location, Membership, Store, User

Whom = PrintRun.Whom


class MaterialForm(forms.Form):
    """A print run that is yet to be made. `whom` is "store", "customer", or a kind with an id: "staff:7"."""

    material = forms.ChoiceField(label=gettext_lazy("What"), choices=PrintRun.Material.choices)
    language = forms.ChoiceField(label=gettext_lazy("Language on it"))
    whom = forms.ChoiceField(label=pgettext_lazy("print run", "For whom"))
    customer = forms.CharField(
        label=gettext_lazy("Which customer"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Their e-mail, phone, code or name, when it is for one customer."),
    )
    copies = whole(
        gettext_lazy("How many"),
        1,
        100_000,
        initial=8,
        help_text=gettext_lazy("Cards or slips; for a segment so many for each person."),
    )
    days = whole(
        gettext_lazy("Good for (days)"),
        1,
        3650,
        required=False,
        help_text=gettext_lazy("Printed on it. Nothing: as long as the program runs."),
    )
    cost = money(
        gettext_lazy("What printing costs"), help_text=gettext_lazy("So that you see whether it was worth it.")
    )
    name = forms.CharField(
        label=gettext_lazy("Name, for you"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("For example: market in May."),
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        choices.fill(self, language=choices.languages())
        self.rows: dict[str, Location | User | Segment] = {}
        field = self.fields["whom"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = self._whom()

    def _whom(self) -> list[Any]:
        """Everybody it can be for, in groups."""
        places = Location.objects.for_store(self.store).order_by("name")
        team = Membership.objects.for_store(self.store).select_related("user").order_by("user__name", "user__email")
        segments = Segment.objects.for_store(self.store).order_by("name")
        groups = [
            (_("Locations"), self._listed(Whom.LOCATION, [(one.pk, one) for one in places])),
            (_("Staff"), self._listed(Whom.STAFF, [(one.user.pk, one.user) for one in team])),
            (_("Segments: a gift from each of them"), self._listed(Whom.SEGMENT, [(one.pk, one) for one in segments])),
        ]
        alone = [(Whom.STORE.value, Whom.STORE.label), (Whom.CUSTOMER.value, _("One customer: their gift"))]
        return alone + [group for group in groups if group[1]]

    def _listed(self, kind: Whom, rows: list[tuple[int, Any]]) -> list[tuple[str, str]]:
        named = {f"{kind.value}:{pk}": row for pk, row in rows}
        self.rows |= named
        return [(key, getattr(row, "name", "") or str(row)) for key, row in named.items()]

    def clean_cost(self) -> int | None:
        """Minor units; None when nothing was typed."""
        typed = self.cleaned_data["cost"]
        return minor(typed, self.store) if typed.strip() else None

    def clean(self) -> dict[str, Any]:
        """Who is meant, and whether so many of it can be made for them."""
        values: dict[str, Any] = super().clean() or {}
        kind = str(values.get("whom", "")).partition(":")[0]
        if kind == Whom.CUSTOMER:
            self._find_customer(values)
        copies, material = values.get("copies"), values.get("material")
        if kind == Whom.SEGMENT and material and material not in PRINTED_APART:
            self.add_error("material", _("For a segment there are cards and parcel slips: each person's is another."))
        most = {Whom.SEGMENT: MOST_EACH, Whom.CUSTOMER: MOST_FOR_ONE}.get(Whom(kind)) if kind else None
        if most and copies and copies > most and material in PRINTED_APART:
            self.add_error("copies", _("For each person there are %(most)s at most.") % {"most": most})
        return values

    def _find_customer(self, values: dict[str, Any]) -> None:
        typed = str(values.get("customer", "")).strip()
        found = list(find(self.store, typed, "")[:2]) if typed else []
        if len(found) == 1:
            values["found"] = found[0]
        elif not typed:
            self.add_error("customer", _("Write which customer it is for."))
        elif found:
            self.add_error("customer", _("Several customers are called so: write the e-mail or phone."))
        else:
            self.add_error("customer", _("Nobody is found by this. Try the e-mail or phone."))

    @property
    def wish(self) -> Wish:
        """What a valid form asks for."""
        values = self.cleaned_data
        kind = Whom(values["whom"].partition(":")[0])
        row, found = self.rows.get(values["whom"]), values.get("found")
        return Wish(
            material=values["material"],
            language=values["language"],
            whom=kind,
            copies=values["copies"],
            name=values["name"].strip() or self._usual_name(values["material"], kind, row or found),
            location=row if isinstance(row, Location) else None,
            staff=row if isinstance(row, User) else None,
            customer=found,
            segment=row if isinstance(row, Segment) else None,
            cost_minor=values["cost"],
            days=values["days"],
        )

    def _usual_name(self, material: str, kind: Whom, row: Location | User | Segment | Customer | None) -> str:
        what = str(PrintRun.Material(material).label)
        whom = getattr(row, "name", "") or str(row) if row else self.store.name
        return f"{what} · {whom}"[:120]


def looked_at(form: MaterialForm) -> Wish:
    """What to show of a form that is not finished: whatever of it can be read, the usual for the rest.

    Errors stay where they are: the form says them when it is sent.
    """
    if form.is_valid():
        return form.wish
    values = form.cleaned_data if hasattr(form, "cleaned_data") else {}
    chosen = values.get("whom", Whom.STORE.value)
    row = form.rows.get(chosen)
    return Wish(
        material=values.get("material", PrintRun.Material.CARDS),
        language=values.get("language", form.store.locale),
        whom=Whom(chosen.partition(":")[0]),
        name=str(_("Preview")),
        location=row if isinstance(row, Location) else None,
        staff=row if isinstance(row, User) else None,
        customer=values.get("found"),
        segment=row if isinstance(row, Segment) else None,
        days=values.get("days"),
    )
