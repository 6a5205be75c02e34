"""Addresses of approvals, the program, opening a store; and of the share and landing pages."""

from __future__ import annotations

from django.urls import path

from referrals import program_views, public_views, segment_views, send_views, views

site = [
    path("stores/new/", program_views.new_store, name="new_store"),
]
dashboard = [
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/<str:public_id>/<str:decision>/", views.decide, name="decide"),
    path("program/", program_views.program, name="program"),
    path("program/preview/", program_views.preview, name="preview"),
    path("program/status/", program_views.program_status, name="program_status"),
    path("settings/currency/", program_views.currency, name="currency"),
    path("customers/segments/", segment_views.segments, name="segments"),
    path("customers/segments/new/", segment_views.new_segment, name="new_segment"),
    path("customers/segments/preview/", segment_views.segment_preview, name="segment_preview"),
    path("customers/segments/restore/", segment_views.restore_segment, name="restore_segment"),
    path("customers/segments/<slug:public_id>/", segment_views.segment, name="segment"),
    path("customers/segments/<slug:public_id>/csv/", segment_views.segment_csv, name="segment_csv"),
    path("messages/send/", send_views.send, name="send"),
    path("messages/send/<slug:public_id>/", send_views.sending, name="sending"),
    path("messages/send/<slug:public_id>/stop/", send_views.stop_sending, name="stop_sending"),
]
_pages = [
    ("s/<str:token>/thanks", public_views.thanks, "thanks"),
    ("s/<str:token>/shared", public_views.shared_from_answer, "shared_from_answer"),
    ("me/<str:token>", public_views.share, "share"),
    ("me/<str:token>/shared", public_views.shared, "shared"),
    ("r/<str:code>", public_views.landing, "landing"),
    ("r/<str:code>/taken/<str:claim>", public_views.gift, "gift"),
]
# People type these by hand: a slash at the end is no mistake.
public = [
    path("s/<str:token>/thanks", public_views.thanks, name="thanks"),
    path("s/<str:token>/thanks/", public_views.thanks),
    path("s/<str:token>/shared", public_views.shared_from_answer, name="shared_from_answer"),
    path("me/<str:token>", public_views.share, name="share"),
    path("me/<str:token>/", public_views.share),
    path("me/<str:token>/shared", public_views.shared, name="shared"),
    path("r/<str:code>/taken/<str:claim>", public_views.gift, name="gift"),
    # A path: whatever else was glued to the code gets the same friendly page.
    path("r/<path:code>", public_views.landing, name="landing"),
]
