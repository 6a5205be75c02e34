"""API keys: `Authorization: Bearer gw_...`. A key sees one store."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from stores import directory, limits
from stores.limits import Limit
from stores.models import ApiKey, Store
from stores.problems import Problem
from stores.tenancy import acting_for


def hash_key(key: str) -> str:
    """What is stored of a key: it has 160 random bits, so a plain hash cannot be turned back."""
    return sha256(key.encode()).hexdigest()


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to None, `request.auth` to the ApiKey and `request.store` to its store."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        """The key of the request; raises AuthenticationFailed, or a 429 Problem."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise AuthenticationFailed("Send your API key as Authorization: Bearer KEY.")
        hashed = hash_key(key.strip())
        store_id = directory.enter_by_api_key(hashed)
        keys = ApiKey.objects.filter(store_id=store_id or 0, hash=hashed, revoked_at=None)
        found = keys.select_related("store").first() if store_id else None
        if found is None:
            raise AuthenticationFailed("This API key is not valid.")
        store = found.store
        _limit(found)
        _note_use(found, store)
        request._request.store = store  # type: ignore[attr-defined]
        return None, found

    def authenticate_header(self, request: Request) -> str:
        """Makes DRF answer 401, not 403."""
        return "Bearer"


def calls_by(key_id: int) -> Limit:
    """What each call by a key counts against."""
    return Limit(f"api:{key_id}", settings.API_CALLS_PER_MINUTE, 60)


def _limit(key: ApiKey) -> None:
    calls = calls_by(key.pk)
    if limits.take([calls])[0] > calls.most:
        raise Problem(429, "too-many-requests", "Wait a minute, then go on.", retry_after=60)


def _note_use(key: ApiKey, store: Store) -> None:
    """Once a minute, after the request's transaction: within it, parallel calls would wait for the row."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > timedelta(minutes=1):
        transaction.on_commit(lambda: _write_use(key, store, now), robust=True)


def _write_use(key: ApiKey, store: Store, now: datetime) -> None:
    with acting_for(store):
        recent = Q(last_used_at__gt=now - timedelta(minutes=1))
        ApiKey.objects.for_store(store).filter(pk=key.pk).exclude(recent).update(last_used_at=now)


class HasScope(BasePermission):
    """The view's `scope` must be among the key's."""

    message = "This API key lacks the scope for that."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the key may."""
        return isinstance(request.auth, ApiKey) and view.scope in request.auth.scopes
