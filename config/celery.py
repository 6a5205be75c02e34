"""Celery carries nudges; what is due stands in Postgres (docs/architecture.md)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goodword")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Run two beats on purpose: each tick is a row, and the second one finds it taken (stores.ticks).
# Seconds between the ticks of each job.
TICKS = {
    "outreach.tasks.send_due": 5,
    "outreach.tasks.settle_expired_leases": 15,
    "outreach.tasks.ask_about_unknown": 30,
    "outreach.tasks.settle_reported": 60,
    "outreach.tasks.watch_complaints": 3600,
    "outreach.tasks.renew_secrets": 86400,
    "surveys.tasks.plan_invitations": 30,
    "surveys.tasks.invite_due": 30,
    "surveys.tasks.plan_missed": 86400,
    "surveys.tasks.ask_after_solved": 60,
    "surveys.tasks.ask_periodically": 3600,
    "surveys.tasks.remind_silent": 300,
    "surveys.tasks.match_themes": 60,
    "surveys.tasks.rematch_themes": 15,
    "surveys.tasks.repair_themes": 86400,
    "surveys.tasks.ask_for_testimonials": 300,
    "surveys.tasks.ask_for_missed_testimonials": 86400,
    "referrals.tasks.ask_silent": 60,
    "referrals.tasks.attribute_orders": 30,
    "referrals.tasks.attribute_missed": 86400,
    "referrals.tasks.examine_waiting": 60,
    "referrals.tasks.follow_decisions": 86400,
    "referrals.tasks.fill_what_checks_compare": 86400,
    "referrals.tasks.approve_due": 30,
    "referrals.tasks.answer_refunds": 30,
    "referrals.tasks.answer_missed_refunds": 86400,
    "referrals.tasks.reward_later": 300,
    "referrals.tasks.reward_missed": 86400,
    "referrals.tasks.end_waiting": 3600,
    "referrals.tasks.stop_pointless": 30,
    "referrals.tasks.tell_steps": 30,
    "referrals.tasks.answer_purchases": 60,
    "referrals.tasks.keep_days": 300,
    "referrals.tasks.repair_journeys": 86400,
    "referrals.tasks.refresh_segments": 600,
    "referrals.tasks.send_by_hand": 5,
    "rewards.tasks.expire_due": 3600,
    "rewards.tasks.tell_of_rewards": 60,
    "rewards.tasks.recount": 86400,
    "stores.tasks.forget_old_rows": 86400,
}
# A tick that has waited longer than until the next one is dropped: the next does its work.
app.conf.beat_schedule = {
    task: {"task": task, "schedule": float(seconds), "options": {"expires": min(seconds, 600)}}
    for task, seconds in TICKS.items()
}
app.conf.beat_scheduler = "config.beat.SelfReliant"
