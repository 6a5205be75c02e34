"""History may be blanked where a person is erased, and only there.

Append-only tables still take no UPDATE from anybody: the application has no privilege for it. A function of
their owner that says so (`app.erasing`) may, to take a person's words out of the rows; never in the books.
"""

from django.db import migrations

REFUSE = """
    RAISE EXCEPTION '% is append-only: correct it by a new row', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0006_jobs")]

    operations = [
        migrations.RunSQL(
            f"""
            CREATE OR REPLACE FUNCTION goodword_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND current_setting('app.erasing', true) = 'on'
                    AND TG_TABLE_NAME NOT IN ('rewards_entry', 'rewards_ledgertransaction')
                    AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
                THEN
                    RETURN NEW;
                END IF;
                {REFUSE}
            END $$;
            """,
            f"""
            CREATE OR REPLACE FUNCTION goodword_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {REFUSE}
            END $$;
            """,
        ),
    ]
