"""Logging in: how often a password may be tried, and who needs more than a password."""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from stores import limits, secrets
from stores.limits import Limit
from stores.models import Role, Store, User
from stores.public import address_of, network_of

logger = logging.getLogger("goodword.logins")

# For one address; and from one network, where a shop's staff may all log in at opening time.
PER_ADDRESS, ADDRESS_WINDOW = 5, 300
PER_NETWORK, NETWORK_WINDOW = 20, 60


class Adapter(DefaultAccountAdapter):
    """allauth's, with passwords counted before they are checked, by the counter that counts codes (stores.limits)."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """The visitor's address, as everywhere: not that of the proxy in front, which all people share."""
        return address_of(request) or "unknown"

    def is_safe_url(self, url: str | None) -> bool:
        """Whether people may be sent on to it; what is no address at all is not safe, and no error either."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The user of a right password, whose try is given back; None for a wrong one."""
        user = super().authenticate(request, **credentials)
        if user:
            limits.give_back(_tries(request, credentials))
            logger.info("the password of user %s was right", user.pk)
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Whom it was about stays out of the log: many type their password there."""
        logger.warning("a password was wrong")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises ValidationError past a limit, without a look at the password."""
        found = _tries(request, credentials)
        if any(number > limit.most for number, limit in zip(limits.take(found), found, strict=True)):
            logger.warning("a password was not looked at: too many tries")
            raise self.validation_error("too_many_login_attempts")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth calls it once somebody has set a new password by mail."""
        limits.forget(_tries(request, credentials)[0].name)


class SecondFactors(DefaultMFAAdapter):
    """allauth's, with the seeds of apps and recovery codes sealed: a dump of the database opens no log-in."""

    CONTEXT, MARK = "mfa", "gAAAA"  # how a sealed text begins; one from before this was so stands there plain

    def encrypt(self, text: str) -> str:
        """What is stored."""
        return secrets.seal(text, self.CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        """The seed again; raises secrets.Unreadable."""
        is_sealed = encrypted_text.startswith(self.MARK)
        return secrets.unseal(encrypted_text, self.CONTEXT) if is_sealed else encrypted_text


def _tries(request: HttpRequest, credentials: dict[str, Any]) -> list[Limit]:
    login = sha256(str(credentials.get("email") or credentials.get("username") or "").lower().encode()).hexdigest()
    found = [Limit(f"login:for:{login}", PER_ADDRESS, ADDRESS_WINDOW)]
    network = network_of(address_of(request))
    if network:
        found.append(Limit(f"login:from:{network}", PER_NETWORK, NETWORK_WINDOW))
    return found


def lacks_second_factor(user: User, store: Store, role: Role) -> bool:
    """Whether an owner must set one up first: the operator asks every owner for it, or this store its own."""
    needed = settings.OWNERS_NEED_SECOND_FACTOR or store.owners_need_second_factor
    return bool(needed) and role == Role.OWNER and not store.is_sample and not is_mfa_enabled(user)
