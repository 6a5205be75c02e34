"""Addresses of the owner's home and what it opens."""

from django.urls import path

from insights import answer_views, budget_views, calendar_views, views

app_name = "insights"

dashboard = [
    path("", views.home, name="home"),
    path("rows/<slug:what>/", views.rows, name="rows"),
    path("customers/<slug:public_id>/", views.customer, name="customer"),
    path("rewards/books/budgets/", budget_views.budgets, name="budgets"),
    path("answers/", answer_views.answers_page, name="answers"),
    path("messages/", views.messages, name="messages"),
    path("messages/calendar/", calendar_views.calendar_page, name="calendar"),
]
