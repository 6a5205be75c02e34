"""Addresses of the unhappy customers' pages and of the survey."""

from __future__ import annotations

from django.urls import path

from surveys import (
    case_views,
    editor_views,
    public_views,
    reply_views,
    review_views,
    testimonial_public,
    testimonial_views,
    theme_views,
    views,
    walk_in_views,
)

dashboard = [
    path("unhappy/", case_views.cases, name="cases"),
    path("unhappy/replies/", reply_views.reply_words, name="replies"),
    path("unhappy/replies/cap/", reply_views.apology_cap, name="apology_cap"),
    path("unhappy/themes/", theme_views.overview, name="themes"),
    path("unhappy/themes/new/", theme_views.new_theme, name="new_theme"),
    path("unhappy/themes/try/", theme_views.try_theme, name="try_theme"),
    path("unhappy/themes/restore/", theme_views.restore_theme, name="restore_theme"),
    path("unhappy/themes/<str:public_id>/", theme_views.theme, name="theme"),
    path("unhappy/<str:public_id>/", case_views.case, name="case"),
    path("testimonials/", testimonial_views.words, name="testimonials"),
    path("testimonials/ask/<str:public_id>/", testimonial_views.ask_now, name="ask_testimonial"),
    path("testimonials/<str:public_id>/", testimonial_views.testimonial, name="testimonial"),
    path("settings/reviews/", review_views.reviews, name="reviews"),
    path("settings/timing/", views.timing, name="timing"),
    path("questions/", editor_views.surveys, name="surveys"),
    path("questions/new/", editor_views.new_survey, name="new_survey"),
    path("questions/preview/", editor_views.preview, name="preview_survey"),
    path("questions/<slug:public_id>/", editor_views.survey, name="survey"),
    path("questions/<slug:public_id>/preview/", editor_views.preview, name="preview_of_survey"),
    path("questions/<slug:public_id>/back/", editor_views.survey_back, name="survey_back"),
    path("questions/<slug:public_id>/switch/", editor_views.switch_survey, name="switch_survey"),
    path("questions/<slug:public_id>/delete/", editor_views.delete_survey, name="delete_survey"),
    path("questions/<slug:public_id>/print/", editor_views.print_code, name="print_code"),
]
public = [
    path("t/<str:token>", testimonial_public.permission, name="testimonial"),
    path("t/<str:token>/", testimonial_public.permission),
    path("u/<str:token>/words", testimonial_public.my_words, name="my_words"),
    path("w/<slug:slug>/testimonials.json", testimonial_public.feed, name="testimonials_feed"),
    path("s/<str:token>", public_views.answer, name="answer"),
    path("s/<str:token>/", public_views.answer),
    path("q/<str:token>", walk_in_views.counter, name="counter"),
    path("q/<str:token>/", walk_in_views.counter),
    path("q/<str:token>/<slug:place>", walk_in_views.counter, name="counter_at"),
    path("w/<slug:shop>/survey/", walk_in_views.widget, name="widget"),
]
