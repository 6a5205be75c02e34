"""What an owner pastes so that passes can be signed. A key once typed is never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from referrals.models import WalletKey
from referrals.services import wallets
from referrals.wallets.apple import BadKey

REASONS = {
    "unreadable": _("This cannot be read. Paste the whole text, with its first and last line, and without a password."),
    "other": _("This belongs to another certificate. Take those that were made for each other."),
    "no_pass": _(
        "This certificate is not for passes: its name has to begin with “pass.” Ask Apple for a Pass Type ID."
    ),
}
PASTED = {"rows": 4, "dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
TITLES = {
    "certificate": _("Certificate (PEM)"),
    "key": _("Its private key (PEM)"),
    "between": _("Apple's WWDR certificate (PEM)"),
    "issuer": _("Issuer ID"),
    "account": _("Key file of the service account (JSON)"),
}
FIELDS = {WalletKey.Wallet.APPLE: ("certificate", "key", "between"), WalletKey.Wallet.GOOGLE: ("issuer", "account")}


class WalletForm(forms.Form):
    """The keys of one wallet; they are tried before they are kept."""

    def __init__(self, wallet: str, data: Any = None) -> None:
        super().__init__(data, prefix=wallet)
        self.wallet = wallet
        for name in FIELDS[WalletKey.Wallet(wallet)]:
            long = name != "issuer"
            widget = forms.Textarea(attrs=PASTED) if long else forms.TextInput(attrs={"dir": "ltr"})
            self.fields[name] = forms.CharField(label=TITLES[name], max_length=20_000, widget=widget)

    @property
    def values(self) -> dict[str, str]:
        """What was pasted, by the signer's words for it."""
        return {name: self.cleaned_data[name] for name in self.fields}

    def clean(self) -> dict[str, Any]:
        """Refuse what could not sign."""
        given = super().clean() or {}
        if not self.errors:
            try:
                wallets.signer_of(self.wallet, self.values)
            except BadKey as error:
                self.add_error(error.field, REASONS[error.reason])
        return given
