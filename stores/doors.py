"""What doors in front of Django share: WSGI applications that answer one ordinary call, and leave the rest to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection


def is_ours(request: WSGIRequest) -> bool:
    """Whether it came by our host and scheme, at an address without a query; raises DisallowedHost."""
    return (
        not request.META.get("QUERY_STRING")
        and (request.is_secure() or not settings.SECURE_SSL_REDIRECT)
        and bool(request.get_host())
    )


def ask(statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of one statement, which is its own transaction; None where there is none."""
    if connection.close_at is not None and time.monotonic() >= connection.close_at:
        connection.close()  # as Django does at the end of a request
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
