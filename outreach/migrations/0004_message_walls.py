"""Journeys, tasks and providers' reports stay within their store; look-ups for reports that name no store."""

from django.db import migrations

from stores.walls import append_only, directory_function, link, wall


class Migration(migrations.Migration):
    dependencies = [("outreach", "0003_messages_and_surveys"), ("customers", "0004_message_walls")]

    operations = [
        wall("outreach_journey", segment_id="customers_segment"),
        wall("outreach_template", journey_id="outreach_journey"),
        wall("outreach_task", message_id="outreach_message", customer_id="customers_customer"),
        wall("outreach_taskevent", task_id="outreach_task"),
        append_only("outreach_taskevent"),
        wall("outreach_channelaccount"),
        wall("outreach_providerevent", message_id="outreach_message"),
        append_only("outreach_providerevent"),
        wall("outreach_stop"),
        link("outreach_message", journey_id="outreach_journey"),
        directory_function(
            "goodword_store_by_channel_token(text)",
            "bigint",
            "SELECT store_id FROM outreach_channelaccount WHERE token = $1",
        ),
        directory_function(
            "goodword_stores_by_provider_message(text)",
            "SETOF bigint",
            "SELECT DISTINCT store_id FROM outreach_message WHERE provider_id = $1 AND provider_id <> ''",
        ),
        directory_function(
            "goodword_stores_that_texted(text)",
            "SETOF bigint",
            "SELECT DISTINCT store_id FROM outreach_message WHERE \"to\" = $1 AND channel = 'sms'",
        ),
    ]
