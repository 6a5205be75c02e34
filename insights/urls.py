"""Addresses of the owner's home and what it opens."""

from django.urls import path

from insights import views

app_name = "insights"

dashboard = [
    path("", views.home, name="home"),
    path("rows/<slug:what>/", views.rows, name="rows"),
    path("customers/<slug:public_id>/", views.customer, name="customer"),
    path("messages/", views.messages, name="messages"),
]
