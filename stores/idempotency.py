"""Any money POST may be retried with its key: one effect, the same answer.

The answer is stored in the transaction of its effect, so a crash leaves both or neither. Twins in
flight meet at a transaction-scoped lock. Refusals have no effect and are not stored: the same call
is judged afresh. Source: API.md; RELIABILITY G4.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from stores.models import ApiKey, IdempotentCall, Store
from stores.problems import Problem

KEPT = timedelta(hours=24)


def once(request: Request, store: Store, work: Callable[[], tuple[int, dict[str, Any]]]) -> Response:
    """Run `work` (status and body) under the request's Idempotency-Key, or replay its first answer.

    Raises Problem 400 (no or bad key), 409 (twin in flight), 422 (same key, other body).
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Problem(400, "idempotency-key-required", "Send an Idempotency-Key header, new for each payment.")
    if len(key) > 255 or not key.isprintable():
        raise Problem(400, "idempotency-key-invalid", "The Idempotency-Key may have 255 printable characters.")
    api_key = request.auth
    assert isinstance(api_key, ApiKey)
    hashed = hash_of(request.path, request.data)
    _wait_for_no_twin(f"{api_key.pk}:{key}")
    earlier = IdempotentCall.objects.for_store(store).filter(api_key=api_key, key=key).first()
    if earlier and earlier.at > timezone.now() - KEPT:
        if earlier.request_hash != hashed:
            raise Problem(422, "idempotency-mismatch", "This Idempotency-Key was used with another body.")
        return Response(json.loads(earlier.body), earlier.status, headers={"Idempotent-Replay": "true"})
    status, body = work()
    answered = IdempotentCall(store=store, api_key=api_key, key=key, request_hash=hashed, status=status)
    answered.body = json.dumps(body)
    _keep(answered, instead_of=earlier)
    return Response(body, status)


def hash_of(path: str, data: Any) -> str:
    """Stands for what a call asks: the same key with another body is refused."""
    return sha256(f"{path}\n{json.dumps(data, sort_keys=True)}".encode()).hexdigest()


def _keep(answered: IdempotentCall, *, instead_of: IdempotentCall | None) -> None:
    """Store the answer; nobody else can, since the lock is ours."""
    if instead_of:  # older than a day
        answered.pk = instead_of.pk
        answered.save(force_update=True)
    else:
        answered.save(force_insert=True)


def _wait_for_no_twin(name: str) -> None:
    """Raise Problem 409 while another transaction holds the same key; released at its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 20261122))", [name])
        if not cursor.fetchone()[0]:
            raise Problem(409, "in-progress", "The same call is still running.", retry_after=1)
