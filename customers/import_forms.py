"""Bringing a file: the file, and what stands in which of its columns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.importing import columns
from customers.models import Channel, Import
from stores import choices

ENCODINGS = {
    "utf-8-sig": gettext_lazy("All letters (UTF-8)"),
    "utf-16": gettext_lazy("All letters (UTF-16)"),
    "windows-1256": gettext_lazy("Arabic and Persian (Windows 1256)"),
    "windows-1252": gettext_lazy("Western (Windows 1252)"),
    "latin-1": gettext_lazy("Western (Latin 1)"),
}


class FileForm(forms.Form):
    """A file of customers or orders."""

    kind = forms.ChoiceField(label=gettext_lazy("What is in it"), choices=Import.Kind.choices, widget=forms.RadioSelect)
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, as shop systems save it, or a spreadsheet (XLSX); at most 20 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,text/csv"}),
    )


class MappingForm(forms.Form):
    """What stands in which column; the letters of the file; who agreed to messages."""

    def __init__(self, *args: Any, run: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        titles = [("", _("– not in the file –")), *((title, title) for title in run.columns if title)]
        needed = columns.NEEDED[run.kind]
        for name, label in columns.FIELDS[run.kind].items():
            field = forms.ChoiceField(label=str(label), choices=titles, required=name in needed)
            field.initial = run.mapping.get(name, "")
            field.error_messages["required"] = _("Choose the column in which it stands.")
            self.fields[f"in_{name}"] = field
        self.fields["encoding"] = forms.ChoiceField(label=_("Letters of the file"), initial=run.encoding)
        choices.fill(self, encoding=[(name, str(label)) for name, label in ENCODINGS.items()])
        for channel, words in (
            (Channel.EMAIL, _("They agreed to messages by e-mail")),
            (Channel.SMS, _("They agreed to messages by text")),
        ):
            agreed = forms.BooleanField(label=words, required=False, initial=channel in run.consent)
            self.fields[f"agreed_{channel.value}"] = agreed

    @property
    def column_fields(self) -> list[Any]:
        """The fields that choose columns."""
        return [self[f"in_{name}"] for name in columns.FIELDS[self.run.kind]]

    @property
    def agreed_fields(self) -> list[Any]:
        """The owner's statements."""
        return [self[f"agreed_{channel}"] for channel in Channel.values]

    def clean(self) -> dict[str, Any]:
        """The values; one column means one thing."""
        values = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for name in columns.FIELDS[self.run.kind]:
            title = values.get(f"in_{name}")
            if title and title in taken:
                self.add_error(f"in_{name}", _("This column is chosen twice."))
            elif title:
                taken[title] = name
        self.mapping = {name: title for title, name in taken.items()}
        if self.run.kind == Import.Kind.CUSTOMERS and columns.missing(self.run.kind, self.mapping):
            words = _("Choose the column of the e-mail, the phone or your number: nobody can be found again by a name.")
            self.add_error("in_email", words)
        return values

    @property
    def wish(self) -> dict[str, Any]:
        """What is written down of a valid form."""
        consent = [channel for channel in Channel.values if self.cleaned_data[f"agreed_{channel}"]]
        return {"mapping": self.mapping, "encoding": self.cleaned_data["encoding"], "consent": consent}
