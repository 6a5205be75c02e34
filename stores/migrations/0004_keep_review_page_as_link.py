"""The one public review page of a store becomes the first of its review links."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stores", "0003_messages_and_surveys")]

    operations = [
        # The owner's role sees stores like everybody else, through the wall: it is taken down for this one
        # statement, in this one transaction. The page is named by its host.
        migrations.RunSQL(
            r"""
            ALTER TABLE stores_store NO FORCE ROW LEVEL SECURITY;
            UPDATE stores_store SET review_links = jsonb_build_array(jsonb_build_object(
                'name', left(regexp_replace(review_url, '^[a-z]+://(www\.)?([^/:?#]+).*$', '\2'), 40),
                'url', review_url
            )) WHERE review_url <> '' AND review_links = '[]'::jsonb;
            ALTER TABLE stores_store FORCE ROW LEVEL SECURITY;
            """,
            migrations.RunSQL.noop,
        )
    ]
