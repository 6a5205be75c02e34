"""Addresses of rewards: what people were given, what is to be done and paid, the books."""

from __future__ import annotations

from django.urls import path

from rewards import book_views, code_views, fulfilling_views, payout_views, views

app_name = "rewards"

dashboard = [
    path("rewards/", views.rewards, name="list"),
    path("rewards/to-do/", fulfilling_views.to_do, name="to_do"),
    path("rewards/to-do/given/", fulfilling_views.give_to_charity, name="give_to_charity"),
    path("rewards/to-do/<slug:public_id>/done/", fulfilling_views.done, name="fulfil"),
    path("rewards/to-do/<slug:public_id>/undo/", fulfilling_views.undo, name="unfulfil"),
    path("rewards/payouts/", payout_views.payouts, name="payouts"),
    path("rewards/payouts/<slug:public_id>/", payout_views.one_list, name="payout_list"),
    path("rewards/payouts/<slug:public_id>/csv/", payout_views.bank_file, name="payout_csv"),
    path("rewards/payouts/<slug:public_id>/paid/", payout_views.all_paid, name="payout_all_paid"),
    path("rewards/payouts/<slug:public_id>/close/", payout_views.close_list, name="payout_close"),
    path("rewards/payouts/<slug:public_id>/<slug:payout>/", payout_views.step, name="payout_step"),
    path("rewards/books/", book_views.month, name="books"),
    path("rewards/books/csv/", book_views.bookkeeping, name="bookkeeping"),
    path("rewards/books/customers/<slug:public_id>/", book_views.customer, name="customer_statement"),
    path("rewards/limits/", payout_views.limits, name="limits"),
    path("rewards/codes/", code_views.codes, name="codes"),
    path("rewards/codes/new/", code_views.new_codes, name="new_codes"),
    path("rewards/codes/<slug:public_id>/", code_views.pool, name="pool"),
    path("rewards/codes/<slug:public_id>/stop/", code_views.stop, name="stop_codes"),
    path("rewards/codes/<slug:public_id>/close/", code_views.close, name="close_codes"),
    path("rewards/<slug:public_id>/", views.reward, name="reward"),
    path("rewards/<slug:public_id>/take-back/", views.take_back, name="take_back"),
]
