"""Errors of the API as application/problem+json (RFC 9457), one shape for every failure."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from rest_framework import exceptions

from stores.logs import request_id


class Problem(exceptions.APIException):
    """An error with a stable slug that programs may rely on.

    `slug` is the `type` field, `errors` maps a field to a list of texts, `retry_after` is in seconds.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: dict[str, list[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code, self.slug = status, slug
        self.errors, self.wait = errors or {}, retry_after


TITLES = {
    400: ("invalid", "The request is not valid"),
    401: ("not-authenticated", "A valid API key is needed"),
    403: ("not-allowed", "This key may not do that"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "This address does not take that method"),
    406: ("not-acceptable", "Only JSON is spoken here"),
    409: ("conflict", "Not possible now"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "Send application/json"),
    422: ("unprocessable", "The request cannot be processed"),
    429: ("too-many-requests", "Too many requests"),
    500: ("server-error", "Something failed on our side"),
    503: ("unavailable", "Not available right now"),
}


def body(
    status: int, *, slug: str | None = None, detail: str = "", errors: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """The members of a problem document."""
    default_slug, title = TITLES.get(status, ("error", "Error"))
    return {
        "type": slug or default_slug,
        "title": title,
        "status": status,
        "detail": detail or title,
        "errors": errors or {},
        "request_id": request_id(),
    }


def plain_problem(request: HttpRequest, status: int) -> JsonResponse:
    """A problem document outside DRF (an unknown address under /api/)."""
    return JsonResponse(body(status), status=status, content_type="application/problem+json")
