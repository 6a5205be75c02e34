"""Addresses of approvals, the program, opening a store; and of the share and landing pages."""

from __future__ import annotations

from django.urls import path

from referrals import (
    appeal_views,
    check_views,
    credit_views,
    erasing_views,
    me_views,
    merge_views,
    naming_views,
    program_views,
    public_views,
    segment_views,
    send_views,
    views,
)

site = [
    path("stores/new/", program_views.new_store, name="new_store"),
]
dashboard = [
    path("approvals/", views.approvals, name="approvals"),
    # Before approvals/<id>/<decision>/, which would take them.
    path("approvals/appeals/", appeal_views.appeals, name="appeals"),
    path("approvals/appeals/<slug:public_id>/", appeal_views.appeal, name="appeal"),
    path("approvals/credit/", credit_views.credit, name="credit"),
    path("approvals/checks/", check_views.checks, name="checks"),
    path("approvals/counter/", check_views.at_the_counter, name="counter_checks"),
    path("approvals/blocks/", check_views.block_list, name="blocks"),
    path("approvals/blocks/<slug:public_id>/<slug:action>/", check_views.change_block, name="change_block"),
    path("approvals/<slug:public_id>/block/", check_views.block, name="block"),
    path("approvals/<str:public_id>/<str:decision>/", views.decide, name="decide"),
    path("program/", program_views.program_list, name="programs"),
    path("program/new/", program_views.new_program, name="new_program"),
    path("program/new/preview/", program_views.preview_new, name="preview_new"),
    path("program/boosts/<slug:public_id>/", program_views.boost_change, name="boost_change"),
    path("program/<slug:public_id>/", program_views.program, name="program"),
    path("program/<slug:public_id>/preview/", program_views.preview, name="preview"),
    path("program/<slug:public_id>/status/", program_views.program_status, name="program_status"),
    path("program/<slug:public_id>/back/", program_views.program_back, name="program_back"),
    path("program/<slug:public_id>/boost/", program_views.new_boost, name="new_boost"),
    path("settings/currency/", program_views.currency, name="currency"),
    path("customers/doubles/", merge_views.suggestions, name="doubles"),
    path("customers/merges/<slug:public_id>/split/", merge_views.split, name="split"),
    path("customers/<slug:public_id>/erase/", erasing_views.erase, name="erase"),
    path("customers/<slug:public_id>/same/", merge_views.same, name="same"),
    path("customers/<slug:public_id>/same/<slug:other>/", merge_views.compare, name="compare"),
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
# People type these by hand: a slash at the end is no mistake.
public = [
    path("s/<str:token>/thanks", public_views.thanks, name="thanks"),
    path("s/<str:token>/thanks/", public_views.thanks),
    path("s/<str:token>/shared", public_views.shared_from_answer, name="shared_from_answer"),
    path("me/<str:token>", me_views.share, name="share"),
    path("me/<str:token>/", me_views.share),
    path("me/<str:token>/shared", me_views.shared, name="shared"),
    path("me/<str:token>/rewards/<slug:reward>/choose", me_views.choose, name="choose"),
    path("me/<str:token>/payout", me_views.payout, name="payout_address"),
    path("me/<str:token>/missing", me_views.missing, name="missing"),
    path("me/<str:token>/friends/<slug:referral>/appeal", me_views.appeal, name="appeal"),
    path("me/<str:token>/preferences", me_views.preferences, name="preferences"),
    path("terms/<str:token>", public_views.terms, name="terms"),
    path("terms/<str:token>/", public_views.terms),
    path("n/<slug:slug>", naming_views.who_sent_you, name="who_sent_you"),
    path("n/<slug:slug>/", naming_views.who_sent_you),
    path("r/<str:code>/taken/<str:claim>", public_views.gift, name="gift"),
    # A path: whatever else was glued to the code gets the same friendly page.
    path("r/<path:code>", public_views.landing, name="landing"),
]
