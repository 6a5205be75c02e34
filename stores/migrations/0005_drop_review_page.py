"""Its value stands in `review_links` since 0004."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stores", "0004_keep_review_page_as_link")]

    operations = [migrations.RemoveField(model_name="store", name="review_url")]
