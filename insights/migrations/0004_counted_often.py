"""Every tenant table is counted often enough for a new shop to be in its statistics."""

from django.db import migrations

from stores.walls import counted_often


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0003_one_index_of_the_store"),
        ("customers", "0013_one_index_of_the_store"),
        ("insights", "0003_one_index_of_the_store"),
        ("outreach", "0008_one_index_of_the_store"),
        ("referrals", "0019_one_index_of_the_store"),
        ("rewards", "0013_one_index_of_the_store"),
        ("stores", "0014_one_index_of_the_store"),
        ("surveys", "0007_one_index_of_the_store"),
    ]

    operations = [counted_often()]
