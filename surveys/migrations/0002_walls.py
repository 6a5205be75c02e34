"""Row-level security and links that stay within a store."""

from django.db import migrations

from stores.walls import append_only, wall


class Migration(migrations.Migration):
    dependencies = [("surveys", "0001_initial"), ("outreach", "0002_walls")]

    operations = [
        wall(
            "surveys_invitation",
            order_id="customers_order",
            customer_id="customers_customer",
            message_id="outreach_message",
        ),
        wall("surveys_response", invitation_id="surveys_invitation", customer_id="customers_customer"),
        wall("surveys_responseevent", response_id="surveys_response"),
        append_only("surveys_responseevent"),
        wall("surveys_recoverycase", response_id="surveys_response", customer_id="customers_customer"),
        wall("surveys_caseevent", case_id="surveys_recoverycase"),
        append_only("surveys_caseevent"),
    ]
