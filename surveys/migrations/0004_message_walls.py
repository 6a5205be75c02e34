"""Surveys of other occasions, themes and testimonials stay within their store."""

from django.db import migrations

from stores.walls import append_only, link, wall


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0003_messages_and_surveys"),
        ("outreach", "0004_message_walls"),
        ("stores", "0002_walls"),
    ]

    operations = [
        wall(
            "surveys_survey",
            product_id="customers_product",
            category_id="customers_category",
            location_id="stores_location",
            segment_id="customers_segment",
        ),
        wall("surveys_replytemplate"),
        wall("surveys_theme"),
        wall("surveys_thememention", theme_id="surveys_theme", response_id="surveys_response"),
        wall("surveys_testimonial", response_id="surveys_response", customer_id="customers_customer"),
        wall("surveys_testimonialevent", testimonial_id="surveys_testimonial"),
        append_only("surveys_testimonialevent"),
        link("surveys_invitation", survey_id="surveys_survey"),
        link("surveys_response", survey_id="surveys_survey", location_id="stores_location"),
    ]
