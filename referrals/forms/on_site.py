"""At which addresses the shop's own site shows what is ours."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores.framing import origin_of
from stores.models import Store

MOST = 10


class AddressesForm(forms.Form):
    """Addresses besides the web shop's own, one a line; https:// may be left out."""

    addresses = forms.CharField(
        label=gettext_lazy("Other addresses of your site"),
        help_text=gettext_lazy("One a line, for example https://blog.example.com. Only these pages may show it."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "ltr", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, store: Store) -> None:
        super().__init__(data, initial={"addresses": "\n".join(store.site_addresses)})

    def clean_addresses(self) -> list[str]:
        """The addresses as frames know them, each once. Names the line that is none."""
        typed = [line.strip() for line in str(self.cleaned_data["addresses"]).splitlines() if line.strip()]
        if len(typed) > MOST:
            raise forms.ValidationError(_("Ten addresses at most, please."))
        found = [(line, origin_of(line if "://" in line else f"https://{line}")) for line in typed]
        for line, origin in found:
            if "." not in origin and "localhost" not in origin:
                raise forms.ValidationError(
                    _("“%(line)s” is no address of a site. Write it like https://shop.example.com."),
                    params={"line": line[:80]},
                )
        return list(dict.fromkeys(origin for _line, origin in found))
