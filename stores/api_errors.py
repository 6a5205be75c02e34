"""What DRF does with an exception: a problem document (stores.problems)."""

from __future__ import annotations

import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from stores import problems

logger = logging.getLogger(__name__)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, answering with a problem document."""
    if isinstance(error, OperationalError | InterfaceError):  # disk full, being restarted, a deadlock: nothing was kept
        logger.error("the database failed", exc_info=error)
        error = problems.Problem(503, "unavailable", "The database is not available; try again.", retry_after=5)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    slug, errors, detail = None, {}, ""
    if isinstance(error, problems.Problem):
        slug, errors, detail = error.slug, error.errors, str(error.detail)
        if error.wait is not None:
            response["Retry-After"] = str(error.wait)
    elif isinstance(error, exceptions.ValidationError):
        errors = flat_errors(error.detail)
        detail = "Some fields need another look; nothing was changed."
    elif isinstance(error, exceptions.APIException):
        detail = str(error.detail)
    response.data = problems.body(response.status_code, slug=slug, detail=detail, errors=errors)
    response.content_type = "application/problem+json"
    return response


def flat_errors(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested errors as dotted field names, each with a list of texts."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            name = key if not prefix else prefix if key == "non_field_errors" else f"{prefix}.{key}"
            found.update(flat_errors(value, str(name)))
        return found
    if isinstance(detail, list) and detail and isinstance(detail[0], (dict, list)):
        found = {}
        for place, value in enumerate(detail):
            found.update(flat_errors(value, f"{prefix}.{place}" if prefix else str(place)))
        return found
    texts = detail if isinstance(detail, list) else [detail]
    return {prefix or "body": [str(text) for text in texts]} if texts else {}
