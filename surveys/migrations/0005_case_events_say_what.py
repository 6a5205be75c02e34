"""A case's events say what they are; a theme says how far it has been compared with the answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0004_message_walls"),
    ]

    operations = [
        migrations.AddField(
            model_name="caseevent",
            name="about",
            field=models.CharField(blank=True, default="", max_length=120),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="what",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Step"),
                    ("note", "Note"),
                    ("assigned", "Assigned"),
                    ("wrote", "Wrote"),
                    ("unwrote", "Unwrote"),
                    ("gave", "Gave"),
                    ("took_back", "Took Back"),
                ],
                default="",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="theme",
            name="matched_to",
            field=models.BigIntegerField(default=0, null=True),
        ),
        migrations.AlterField(
            model_name="testimonial",
            name="permission",
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
