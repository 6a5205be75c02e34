"""Security keys: allauth's forms, with a label that speaks the page's language."""

from __future__ import annotations

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy


class AddKey(AddWebAuthnForm):
    """A new key; one without a name is given one."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False)


class EditKey(EditWebAuthnForm):
    """Another name for a key."""

    name = forms.CharField(label=gettext_lazy("Name"))
