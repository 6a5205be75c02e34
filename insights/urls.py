"""Addresses of the owner's home and what it opens."""

from django.urls import path

from insights import (
    answer_views,
    budget_views,
    calendar_views,
    find_views,
    operation_views,
    report_views,
    setup_views,
    takeout_views,
    views,
)

app_name = "insights"

# Of the server, not of a store.
operation = [
    path("readyz", operation_views.readyz, name="readyz"),
    path("metrics", operation_views.metrics, name="metrics"),
    path("operator/", operation_views.operator, name="operator"),
]

dashboard = [
    path("", views.home, name="home"),
    path("rows/<slug:what>/", views.rows, name="rows"),
    # Before customers/<id>/, which would take it.
    path("customers/data/", takeout_views.takeouts, name="takeouts"),
    path("customers/data/<slug:public_id>/", takeout_views.takeout, name="takeout"),
    path("customers/data/<slug:public_id>/file/", takeout_views.takeout_file, name="takeout_file"),
    path("customers/<slug:public_id>/data/", takeout_views.customer_data, name="customer_data"),
    path("customers/<slug:public_id>/", views.customer, name="customer"),
    path("rewards/books/budgets/", budget_views.budgets, name="budgets"),
    path("reports/", report_views.funnel, name="reports"),
    path("reports/friends/", report_views.compared, name="cohorts"),
    path("reports/friends/customers/", report_views.firsts, name="firsts"),
    path("reports/return/", report_views.returned, name="returns"),
    path("reports/leaders/", report_views.leaderboard, name="leaders"),
    path("setup/", setup_views.setup, name="setup"),
    # Before setup/<step>/, which would take them.
    path("setup/done/", setup_views.setup_done, name="setup_done"),
    path("setup/card/", setup_views.setup_card, name="setup_card"),
    path("setup/close/", setup_views.setup_close, name="setup_close"),
    path("setup/sample/", setup_views.sample, name="sample"),
    path("setup/sample/remove/", setup_views.remove_sample, name="remove_sample"),
    path("setup/<slug:step>/", setup_views.setup_step, name="setup_step"),
    path("setup/<slug:step>/skip/", setup_views.setup_skip, name="setup_skip"),
    path("find/", find_views.find, name="find"),
    path("answers/", answer_views.answers_page, name="answers"),
    path("messages/", views.messages, name="messages"),
    path("messages/calendar/", calendar_views.calendar_page, name="calendar"),
]
