"""Row-level security, links that stay within a store, and the dispatcher's narrow view of what is due."""

from django.db import migrations

from stores.walls import append_only, directory_function, wall


class Migration(migrations.Migration):
    dependencies = [("outreach", "0001_initial"), ("customers", "0002_walls")]

    operations = [
        wall("outreach_message", customer_id="customers_customer"),
        wall("outreach_messageevent", message_id="outreach_message"),
        append_only("outreach_messageevent"),
        wall("outreach_suppression"),
        wall("outreach_hold", customer_id="customers_customer"),
        wall("outreach_outboxitem", message_id="outreach_message"),
        directory_function(
            "goodword_stores_with_due(timestamptz)",
            "SETOF bigint",
            """
            SELECT id FROM stores_store AS store WHERE EXISTS (
                SELECT 1 FROM outreach_message AS message
                WHERE message.store_id = store.id AND message.status = 'pending' AND message.due_at <= $1
            ) ORDER BY id
            """,
        ),
    ]
