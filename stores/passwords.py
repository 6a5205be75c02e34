"""What a password must be like, in the digits of who reads it."""

from __future__ import annotations

from django.contrib.auth import password_validation
from django.utils.translation import get_language

from stores import l10n


class LongEnough(password_validation.MinimumLengthValidator):
    """Django's own rule; its sentences count in Persian digits too."""

    def get_error_message(self) -> str:
        """What somebody reads whose password is too short."""
        return _counted(super().get_error_message())

    def get_help_text(self) -> str:
        """What stands under the field."""
        return _counted(super().get_help_text())


def _counted(sentence: str) -> str:
    return l10n.local_digits(sentence, get_language() or "en")
