"""Addresses of the first page, my stores, settings and health."""

from __future__ import annotations

from django.urls import path

from stores import health as probes
from stores import views

site = [
    path("", views.home, name="home"),
    path("stores/", views.mine, name="mine"),
]
health = [
    path("healthz", probes.healthz, name="healthz"),
]
dashboard = [
    path("settings/", views.settings, name="settings"),
    path("settings/people/", views.people, name="people"),
    path("settings/people/<int:pk>/", views.person, name="person"),
    path("settings/keys/", views.keys, name="keys"),
    path("settings/keys/<str:public_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("settings/keys/<str:public_id>/restore/", views.restore_key, name="restore_key"),
]
