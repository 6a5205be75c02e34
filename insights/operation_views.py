"""What the operator of the server looks at: /readyz, /metrics and a page."""

from __future__ import annotations

import time
from functools import partial

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from insights.operation import checks, exposing, figures, guard, standing
from insights.operation.figures import Figures
from stores import health

KEPT = 5.0  # seconds: a stranger who asks again and again asks Postgres seldom
_kept: tuple[float, Figures] | None = None


@never_cache
@require_safe
@transaction.non_atomic_requests
def readyz(request: HttpRequest) -> JsonResponse:
    """Each check by name with a sentence; 503 when one fails without which nothing works.

    The others are alarms: `ok` is false, and the server stays in service. What the sentences of the figures name
    (stores, numbers) is for those who may read /metrics.
    """
    found = {name: health.run(check) for name, check in health.CHECKS.items()}
    found |= {name: health.run(partial(_about, check)) for name, check in (checks.SERIOUS | checks.ALARMS).items()}
    ready = all(found[name]["ok"] for name in (*health.CHECKS, *checks.SERIOUS))
    if not guard.may_read(request):
        for name in (*checks.SERIOUS, *checks.ALARMS):
            found[name] = {"ok": found[name]["ok"]}
    return JsonResponse({"ready": ready, "checks": found}, status=200 if ready else 503)


def _about(check: checks.Check) -> str:
    return check(_figures())


def _figures() -> Figures:
    """The figures, at most KEPT seconds old."""
    global _kept  # noqa: PLW0603  # one memory in each process
    if _kept is None or time.monotonic() - _kept[0] > KEPT:
        _kept = (time.monotonic(), figures.read(timezone.now()))
    return _kept[1]


@never_cache
@require_safe
@transaction.non_atomic_requests
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text; 401 for whoever may not read it."""
    if not guard.may_read(request):
        return HttpResponse(
            "Set METRICS_TOKEN, and send it as a bearer token.\n", status=401, content_type="text/plain"
        )
    return HttpResponse(exposing.page(timezone.now()), content_type=CONTENT_TYPE_LATEST)


@require_safe
@login_required
def operator(request: HttpRequest) -> HttpResponse:
    """How the server is, for whoever operates it (`manage.py create_operator`); nobody else learns that it is there."""
    if not request.user.is_superuser:  # type: ignore[union-attr]
        raise Http404("no such page")
    found = figures.read(timezone.now())
    return render(request, "insights/operator.html", {"found": found, "standing": standing.of(found)})
