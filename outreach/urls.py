"""Addresses of the outbox, and of the page without login that stops messages."""

from django.urls import path

from outreach import account_views, in_views, journey_views, public_views, task_views, views

app_name = "outreach"

dashboard = [
    path("outbox/", views.outbox, name="outbox"),
    path("outbox/<slug:public_id>/", views.letter, name="letter"),
    path("outbox/<slug:public_id>/html/", views.letter_html, name="letter_html"),
    path("messages/<slug:public_id>/settle/", views.settle, name="settle"),
    path("messages/journeys/", journey_views.journeys, name="journeys"),
    path("messages/journeys/new/", journey_views.new_journey, name="new_journey"),
    path("messages/journeys/removed/<int:event>/", journey_views.journey_restore, name="journey_restore"),
    path("messages/journeys/<slug:slug>/", journey_views.journey, name="journey"),
    path("messages/journeys/<slug:slug>/preview/", journey_views.journey_preview, name="journey_preview"),
    path("messages/journeys/<slug:slug>/test/", journey_views.journey_test, name="journey_test"),
    path("messages/journeys/<slug:slug>/switch/", journey_views.journey_switch, name="journey_switch"),
    path("messages/journeys/<slug:slug>/back/", journey_views.journey_back, name="journey_back"),
    path("messages/journeys/<slug:slug>/remove/", journey_views.journey_remove, name="journey_remove"),
    path("tasks/", task_views.tasks, name="tasks"),
    path("tasks/notes/", task_views.notes, name="notes"),
    path("tasks/<slug:public_id>/end/", task_views.end_task, name="end_task"),
    path("tasks/<slug:public_id>/reopen/", task_views.reopen_task, name="reopen_task"),
]

dashboard += [
    path("settings/channels/", account_views.channels, name="channels"),
    path("settings/channels/email/records/", account_views.records, name="check_records"),
    path("settings/channels/email/resume/", account_views.resume, name="resume_mail"),
    path("settings/channels/<slug:channel>/", account_views.channel, name="channel"),
    path("settings/channels/<slug:channel>/test/", account_views.test_send, name="test_channel"),
    path("settings/channels/<slug:channel>/remove/", account_views.remove, name="remove_channel"),
]

# Where providers report; the last part of the address is a secret.
incoming = [
    path("mail/<slug:provider>/<slug:token>", in_views.mail, name="mail"),
    path("sms/<slug:provider>/<slug:token>", in_views.texts, name="texts"),
]

public = [
    path("u/<str:token>", public_views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/", public_views.unsubscribe),
]
