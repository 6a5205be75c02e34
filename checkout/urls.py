"""The counter's addresses (config/urls.py mounts them at /c/<store>/)."""

from django.urls import path

from checkout import ask_views, name_views, views

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
]
