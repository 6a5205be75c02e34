"""Addresses of the unhappy customers' pages and of the survey."""

from __future__ import annotations

from django.urls import path

from surveys import public_views, views

dashboard = [
    path("unhappy/", views.cases, name="cases"),
    path("unhappy/<str:public_id>/", views.case, name="case"),
    path("settings/timing/", views.timing, name="timing"),
]
public = [
    path("s/<str:token>", public_views.answer, name="answer"),
    path("s/<str:token>/", public_views.answer),
]
