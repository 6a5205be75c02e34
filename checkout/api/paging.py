"""Lists in pages: `{"next", "results"}`, newest first. A page starts after a row, so new rows shift nothing."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api.fields import bad_field
from stores.tenancy import StoreQuerySet

PARAMETERS = ("limit", "cursor")
USUAL, MOST = 50, 200


def paged(request: Request, rows: StoreQuerySet, shape: Callable[[Any], dict[str, Any]]) -> Response:
    """One page of `rows`, each turned into JSON by `shape`."""
    limit, after = _limit(request), _cursor(request)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    following = _following(request, found[limit - 1].pk) if len(found) > limit else None
    return Response({"next": following, "results": [shape(row) for row in found[:limit]]})


def _limit(request: Request) -> int:
    """How many rows a page has; what is more than we give is cut, not refused."""
    typed = request.query_params.get("limit", str(USUAL))
    if not (typed.isascii() and typed.isdigit() and len(typed) < 20 and int(typed)):
        raise bad_field("limit", "Send a whole number from 1 up.")
    return min(int(typed), MOST)


def _cursor(request: Request) -> int | None:
    typed = request.query_params.get("cursor", "")
    if not typed:
        return None
    try:
        found = int(urlsafe_b64decode(typed + "=" * (-len(typed) % 4)).decode("ascii"))
    except ValueError as error:
        raise bad_field("cursor", "Follow the address in `next` as it is.") from error
    if not 0 < found < 2**63:
        raise bad_field("cursor", "Follow the address in `next` as it is.")
    return found


def _following(request: Request, last: int) -> str:
    query = request.query_params.copy()
    query["cursor"] = urlsafe_b64encode(str(last).encode()).decode().rstrip("=")
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
