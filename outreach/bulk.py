"""Writes about more messages than one would like to read: in one statement, without loading them."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from outreach.models import Message
from stores.models import Store

CANCEL = """
    WITH cancelled AS (
        UPDATE outreach_message SET status = %s, reason = %s
        WHERE store_id = %s AND about = %s AND about <> '' AND status = 'pending'
        RETURNING id
    )
    INSERT INTO outreach_messageevent (store_id, message_id, status, reason, at)
    SELECT %s, id, %s, %s, %s FROM cancelled
"""


def cancel_all(store: Store, about: str, *, reason: str, at: datetime) -> int:
    """Skip everything that waits about this, however much it is; returns how many.

    What is being sent cannot be called back: the claim took it out of `pending`.
    """
    skipped = Message.Status.SKIPPED
    with connection.cursor() as cursor:
        cursor.execute(CANCEL, [skipped, reason, store.pk, about, store.pk, skipped, reason, at])
        return int(cursor.rowcount)
