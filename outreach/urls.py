"""Addresses of the outbox, and of the page without login that stops messages."""

from django.urls import path

from outreach import public_views, views

app_name = "outreach"

dashboard = [
    path("outbox/", views.outbox, name="outbox"),
    path("outbox/<slug:public_id>/", views.letter, name="letter"),
    path("outbox/<slug:public_id>/html/", views.letter_html, name="letter_html"),
    path("messages/<slug:public_id>/settle/", views.settle, name="settle"),
]

public = [
    path("u/<str:token>", public_views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/", public_views.unsubscribe),
]
