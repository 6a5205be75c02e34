"""What people type about checks: thresholds and weights, and whom to block."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.rules import BadEmail, BadPhone, mailbox_of, normal_email, normal_phone
from referrals.fraud.blocks import Suspect, masked_email
from referrals.fraud.rules import MOST_WEIGHT, Name
from referrals.fraud.settings import Strictness
from referrals.models import Block
from stores.l10n import fold_digits
from stores.models import Store

MOST_SCORE = 1000
NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits


class Digits(forms.IntegerField):
    """A whole number in any digits."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> int | None:
        """The number; raises ValidationError."""
        return super().to_python(fold_digits(value) if isinstance(value, str) else value)


def _points(label: Any, most: int, **kwargs: Any) -> Digits:
    return Digits(label=label, min_value=0, max_value=most, widget=forms.TextInput(attrs=NUMERIC), **kwargs)


class StrictnessForm(forms.Form):
    """From which score on a person looks, from which on it is refused; what each signal weighs."""

    hold_at = _points(gettext_lazy("A person looks from (points)"), MOST_SCORE)
    refuse_at = _points(gettext_lazy("Refused from (points)"), MOST_SCORE)
    weights_follow = forms.BooleanField(
        label=gettext_lazy("Let the weights follow what you decide"),
        required=False,
        help_text=gettext_lazy(
            "Each night: a signal that you confirm weighs more, one that you overturn weighs less. "
            "Never below nothing, never above twice the usual."
        ),
    )

    def __init__(self, data: Any = None, *, strictness: Strictness) -> None:
        initial = {name: getattr(strictness, name) for name in ("hold_at", "refuse_at", "weights_follow")}
        initial |= {f"weight_{name}": weight for name, weight in strictness.weights.items()}
        super().__init__(data, initial=initial)
        for name in Name:
            self.fields[f"weight_{name}"] = _points(name.label, MOST_WEIGHT)

    def clean(self) -> dict[str, Any]:
        """Nobody is refused before somebody would look."""
        values = super().clean() or {}
        hold, refuse = values.get("hold_at"), values.get("refuse_at")
        if hold == 0:
            self.add_error("hold_at", _("With 0 points every purchase would wait for you. Write 1 or more."))
        if hold is not None and refuse is not None and refuse < hold:
            self.add_error("refuse_at", _("Write as many points as for a look, or more."))
        return values

    @property
    def strictness(self) -> Strictness:
        """What was typed; for a valid form."""
        values = self.cleaned_data
        weights = {str(name): values[f"weight_{name}"] for name in Name}
        return Strictness(values["hold_at"], values["refuse_at"], weights, values["weights_follow"])


class BlockForm(forms.Form):
    """Somebody to block, as typed."""

    KINDS = (Block.What.EMAIL, Block.What.PHONE, Block.What.DOMAIN)

    what = forms.ChoiceField(label=gettext_lazy("What"), choices=[(one.value, one.label) for one in KINDS])
    value = forms.CharField(label=gettext_lazy("Address, number or domain"), max_length=254)
    reason = forms.CharField(label=gettext_lazy("Why?"), max_length=200, required=False)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean(self) -> dict[str, Any]:
        """Reads what was typed as what it is."""
        values = super().clean() or {}
        if "what" in values and "value" in values:
            try:
                self.suspect = self._read(values["what"], values["value"].strip())
            except (BadEmail, BadPhone, ValueError):
                self.add_error("value", self._mend(values["what"]))
        return values

    def _read(self, what: str, typed: str) -> Suspect:
        if what == Block.What.EMAIL:
            box = mailbox_of(normal_email(typed))
            return Suspect(Block.What.EMAIL, box, masked_email(box))
        if what == Block.What.PHONE:
            phone = normal_phone(typed, self.store.country)
            return Suspect(Block.What.PHONE, phone, f"{phone[:3]}…{phone[-2:]}")
        domain = normal_email(f"x@{typed.lstrip('@')}").rpartition("@")[2]
        return Suspect(Block.What.DOMAIN, domain, domain[:80])

    @staticmethod
    def _mend(what: str) -> str:
        mend = {
            Block.What.EMAIL: _("Write a whole e-mail address, such as name@example.com."),
            Block.What.PHONE: _("Write the number with its country, such as +63 917 000 0001."),
            Block.What.DOMAIN: _("Write what stands after the @, such as example.com."),
        }
        return mend[Block.What(what)]


class SuspectForm(forms.Form):
    """What of one referral is to be blocked."""

    which = forms.MultipleChoiceField(
        label=gettext_lazy("What is to be blocked?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one thing to block.")},
    )
    reason = forms.CharField(label=gettext_lazy("Why?"), max_length=200, required=False)
    also_void = forms.BooleanField(label=gettext_lazy("This purchase does not count either"), required=False)

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["which"].choices = choices  # type: ignore[attr-defined]
