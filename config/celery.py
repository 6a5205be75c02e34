"""Celery carries nudges; what is due stands in Postgres (docs/architecture.md)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goodword")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Run two beats on purpose: each tick is a row, and the second one finds it taken (stores.ticks).
app.conf.beat_schedule = {
    "send-due": {"task": "outreach.tasks.send_due", "schedule": 5.0},
    "release-stale": {"task": "outreach.tasks.settle_expired_leases", "schedule": 15.0},
    "plan-invitations": {"task": "surveys.tasks.plan_invitations", "schedule": 30.0},
    "invite-due": {"task": "surveys.tasks.invite_due", "schedule": 30.0},
    "plan-missed": {"task": "surveys.tasks.plan_missed", "schedule": 86400.0},
    "ask-silent": {"task": "referrals.tasks.ask_silent", "schedule": 60.0},
    "attribute-orders": {"task": "referrals.tasks.attribute_orders", "schedule": 30.0},
    "attribute-missed": {"task": "referrals.tasks.attribute_missed", "schedule": 86400.0},
    "approve-due": {"task": "referrals.tasks.approve_due", "schedule": 30.0},
    "void-refunded": {"task": "referrals.tasks.void_refunded", "schedule": 30.0},
    "expire-vouchers": {"task": "rewards.tasks.expire_due", "schedule": 3600.0},
    "recount-ledger": {"task": "rewards.tasks.recount", "schedule": 86400.0},
    "forget-old-ticks": {"task": "stores.tasks.forget_old_rows", "schedule": 86400.0},
}
