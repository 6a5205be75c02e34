"""The counter's addresses (config/urls.py mounts them at /c/<store>/), and what managers see of it."""

from django.urls import path

from checkout import (
    ask_views,
    held_views,
    name_views,
    offline_views,
    people_views,
    pin_views,
    shift_views,
    views,
)

counter = [
    path("", views.counter, name="counter"),
    path("quote/", views.quote, name="quote"),
    path("names/", name_views.names, name="names"),
    path("redeem/", views.redeem, name="redeem"),
    path("done/<slug:public_id>/", views.done, name="done"),
    path("today/", views.today, name="today"),
    path("undo/<slug:public_id>/", views.undo, name="undo"),
    path("asks/", ask_views.asks, name="asks"),
    path("asks/<slug:public_id>/asked/", ask_views.asked, name="asked"),
    path("asks/<slug:public_id>/undo/", ask_views.unasked, name="unasked"),
    path("people/", people_views.people, name="people"),
    path("switch/", pin_views.switch, name="switch"),
    path("pin/", pin_views.own_pin, name="own_pin"),
    path("shift/", shift_views.shift, name="shift"),
    path("offline/", offline_views.offline, name="offline"),
    path("offline/facts/", offline_views.take_along, name="take_along"),
    path("offline/held/", offline_views.bring_back, name="bring_back"),
    path("worker.js", offline_views.worker, name="worker"),
    path("app.webmanifest", offline_views.manifest, name="manifest"),
]
dashboard = [
    path("approvals/held/", held_views.held, name="held"),
    path("approvals/held/<slug:public_id>/settle/", held_views.settle, name="settle"),
    path("approvals/held/<slug:public_id>/unsettle/", held_views.unsettle, name="unsettle"),
    path("settings/counter/", held_views.settings, name="settings"),
]
