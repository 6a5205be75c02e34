"""Who is at which address (DESIGN section 6)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

import checkout.api.urls
import checkout.urls
import customers.urls
import insights.urls
import outreach.urls
import referrals.urls
import rewards.urls
import stores.urls
import surveys.urls
from stores.problems import plain_problem

# Several urls.py of one app are mounted at different places under one name.
dashboard = [
    # Before referrals: approvals/<id>/<decision>/ would take its addresses.
    path("", include((checkout.urls.dashboard, "till"))),
    path("", include((customers.urls.dashboard, "customers"))),
    path("", include((outreach.urls.dashboard, "outreach"))),
    path("", include((surveys.urls.dashboard, "surveys"))),
    path("", include((referrals.urls.dashboard, "referrals"))),
    path("", include((rewards.urls.dashboard, "rewards"))),
    path("", include((stores.urls.dashboard, "stores"))),
    # Last: customers/<id>/ would take customers/segments/ for a customer.
    path("", include((insights.urls.dashboard, "insights"))),
]

urlpatterns = [
    path("", include((stores.urls.site, "site"))),
    path("", include((stores.urls.health + insights.urls.operation, "health"))),
    path("", include((referrals.urls.site, "setup"))),
    path("", include("allauth.urls")),
    path("d/<slug:store>/", include(dashboard)),
    path("c/<slug:store>/", include((checkout.urls.counter, "checkout"))),
    path("", include((surveys.urls.public, "survey"))),
    path("", include((referrals.urls.public, "referral"))),
    path("", include((outreach.urls.public, "mail"))),
    path("in/", include((outreach.urls.incoming, "in"))),
    path("api/v1/", include((checkout.api.urls.api, "api"))),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 as a page, or as a problem document under /api/."""
    if request.path.startswith("/api/"):
        return plain_problem(request, 404)
    return render(request, "404.html", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """500 likewise."""
    if request.path.startswith("/api/"):
        return plain_problem(request, 500)
    return render(request, "500.html", status=500)


handler404 = not_found
handler500 = failed
