"""Writes about more messages than one would like to read: in one statement, without loading them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from outreach.models import Message
from stores.models import Store

# What waits in the queue, and what lies with the staff: an index serves each.
CANCEL = """
    WITH queued AS (
        UPDATE outreach_message SET status = %(skipped)s, reason = %(reason)s
        WHERE store_id = %(store)s AND about = %(about)s AND about <> '' AND status = 'pending'
        RETURNING id
    ), laid_out AS (
        UPDATE outreach_message AS message SET status = %(skipped)s, reason = %(reason)s
        FROM outreach_task AS task
        WHERE task.store_id = %(store)s AND task.status = 'open' AND message.store_id = task.store_id
          AND message.id = task.message_id AND message.about = %(about)s AND message.status = 'task'
        RETURNING message.id
    )
    INSERT INTO outreach_messageevent (store_id, message_id, status, reason, at)
    SELECT %(store)s, id, %(skipped)s, %(reason)s, %(at)s FROM (TABLE queued UNION ALL TABLE laid_out) AS cancelled
"""


def cancel_all(store: Store, about: str, *, reason: str, at: datetime) -> int:
    """Skip everything that waits about this, however much it is; returns how many.

    What is being sent cannot be called back: the claim took it out of `pending`.
    """
    values: dict[str, Any] = {
        "skipped": Message.Status.SKIPPED,
        "reason": reason,
        "store": store.pk,
        "about": about,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(CANCEL, values)
        return int(cursor.rowcount)
