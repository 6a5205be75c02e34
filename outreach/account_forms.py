"""What an owner types to give the store an account of its own. A secret once typed is never shown again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Channel
from customers.rules import BadPhone, normal_phone
from outreach.channels import sms
from outreach.channels.outside import is_public
from outreach.channels.sms.shapes import GatewayField
from outreach.mail_providers import MAIL_PROVIDERS, SELECTOR
from stores.l10n import fold_digits

HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+", re.IGNORECASE)
DESTINATIONS = {"url"}  # of the text gateways, whose fields do not say so


def offered(channel: str) -> list[tuple[str, str]]:
    """The providers to choose from."""
    if channel == Channel.SMS:
        return [(slug, str(gateway.label)) for slug, gateway in sms.GATEWAYS.items()]
    return [(slug, str(row.label)) for slug, row in MAIL_PROVIDERS.items() if row.is_offered]


def label_of(channel: str, provider: str) -> str:
    """The provider's name for people."""
    row: Any = (sms.GATEWAYS if channel == Channel.SMS else MAIL_PROVIDERS).get(provider)
    return str(row.label) if row else provider


class AccountForm(forms.Form):
    """The fields of one provider. `kept` holds what is on record; its secrets stay unless new ones are typed."""

    def __init__(
        self, channel: str, provider: str, data: Any = None, *, kept: Mapping[str, str] | None = None, sender: str = ""
    ) -> None:
        self.channel, self.provider, self.kept = channel, provider, dict(kept or {})
        shown = {name: value for name, value in self.kept.items() if name not in self._secret_names()}
        super().__init__(data, initial={**shown, "sender": sender})
        for one in self._asked():
            self.fields[one.name] = self._field(one)
        self.fields["sender"] = self._sender()
        self.order_fields(["sender"])

    def _row(self) -> Any:
        return (sms.GATEWAYS if self.channel == Channel.SMS else MAIL_PROVIDERS)[self.provider]

    def _asked(self) -> list[GatewayField]:
        extra = [SELECTOR] if self.channel == Channel.EMAIL else []
        return [*self._row().fields, *extra]

    def _secret_names(self) -> set[str]:
        return {one.name for one in self._asked() if one.is_secret}

    def _field(self, one: GatewayField) -> forms.Field:
        said: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": one.required}
        choices = getattr(one, "choices", ())
        if one.is_switch:
            return forms.BooleanField(**{**said, "required": False})
        if choices:
            return forms.ChoiceField(choices=choices, **said)
        if not one.is_secret:
            return forms.CharField(max_length=500, **said)
        if self.kept.get(one.name):
            said["help_text"] = gettext_lazy("It is on record. Leave it empty to keep it, or type a new one.")
            said["required"] = False
        hidden = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
        return forms.CharField(max_length=4000, widget=hidden, **said)

    def _sender(self) -> forms.Field:
        if self.channel == Channel.EMAIL:
            return forms.EmailField(
                label=gettext_lazy("Sender address"),
                help_text=gettext_lazy("Your customers see it, and their answers arrive there."),
            )
        one = self._row().sender
        said: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": one.required}
        return forms.CharField(max_length=60, **said)

    def clean_sender(self) -> str:
        """Without line breaks, in small letters where it is an address."""
        typed = str(self.cleaned_data["sender"]).strip()
        return typed.lower() if self.channel == Channel.EMAIL else fold_digits(typed)

    def clean_port(self) -> str:
        """A number of a port."""
        typed = fold_digits(self.cleaned_data["port"]).strip()
        if not (typed.isascii() and typed.isdecimal() and 0 < int(typed) < 65536):
            raise forms.ValidationError(_("Write the port as a number, for example 587."))
        return typed

    def clean_host(self) -> str:
        """A public host; what its name leads to is looked at again with each letter."""
        typed = str(self.cleaned_data["host"]).strip().rstrip(".").lower()
        if not settings.ALLOW_PRIVATE_HOSTS and not _may_be_public(typed):
            raise forms.ValidationError(_("Write the name of a mail server on the internet, such as smtp.example.com."))
        return typed

    def clean_api_url(self) -> str:
        """One of ours, or for a provider that people run themselves, any on the internet."""
        if isinstance(self.fields["api_url"], forms.ChoiceField):
            return str(self.cleaned_data["api_url"])
        return self._address("api_url")

    def clean_url(self) -> str:
        """Likewise."""
        return self._address("url")

    def _address(self, name: str) -> str:
        typed = str(self.cleaned_data[name]).strip()
        try:
            parts = urlsplit(typed)
            host, is_web = parts.hostname or "", parts.scheme == "https" and not parts.username
        except ValueError:
            host, is_web = "", False
        if settings.ALLOW_PRIVATE_HOSTS and host:
            return typed
        if not is_web or not _may_be_public(host):
            raise forms.ValidationError(_("Write a whole address that begins with https://."))
        return typed

    def clean(self) -> dict[str, Any]:
        """Secrets that stay are not sent anywhere new: another destination wants them typed again."""
        cleaned = super().clean() or {}
        moved = [name for name in self._destinations() if cleaned.get(name, "") != self.kept.get(name, "")]
        for name in self._secret_names():
            typed = _bare(str(cleaned.get(name) or ""))
            if not typed and self.kept.get(name):
                if moved:
                    self.add_error(name, _("The messages would go to another place now. Type this again."))
                typed = self.kept[name]
            cleaned[name] = typed
        return cleaned

    def _destinations(self) -> set[str]:
        if not self.kept:
            return set()
        return {one.name for one in self._asked() if getattr(one, "is_destination", one.name in DESTINATIONS)}

    @property
    def values(self) -> dict[str, str]:
        """What is to be kept, of a valid form."""
        names = [one.name for one in self._asked()]
        typed = {name: self.cleaned_data.get(name, "") for name in names}
        return {
            name: ("on" if value else "") if isinstance(value, bool) else str(value).strip()
            for name, value in typed.items()
        }


def _bare(secret: str) -> str:
    """A key as its provider means it: without the lines that people copy around it."""
    if "-----" in secret:
        return "".join(re.sub(r"-----[^-]*-----", "", secret).split())
    return secret.strip()


def _may_be_public(host: str) -> bool:
    """Whether a host looks public: a name with a dot, or a public IP address."""
    try:
        return is_public(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return bool(HOST.fullmatch(host)) and last not in ("localhost", "local", "internal") and not last.isdecimal()


class TestTextForm(forms.Form):
    """Where a test text goes."""

    number = forms.CharField(
        label=gettext_lazy("Your own number"),
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def __init__(self, *args: Any, country: str = "", **kwargs: Any) -> None:
        self.country = country
        super().__init__(*args, **kwargs)

    def clean_number(self) -> str:
        """As E.164."""
        try:
            return normal_phone(self.cleaned_data["number"], self.country)
        except BadPhone as error:
            raise forms.ValidationError(_("Write the number with its country, such as +63 917 000 0001.")) from error
