"""What waits and what is in doubt in each store, as times and numbers, for the operator of the server."""

from django.db import migrations

from stores.walls import directory_function


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("stores", "0012_job_runs_and_restores"),
        ("outreach", "0006_report_walls"),
        ("rewards", "0008_recount"),
    ]

    operations = [
        directory_function(
            "goodword_figures(timestamptz)",
            "TABLE (store_id bigint, slug text, due bigint, oldest_due timestamptz, unknown bigint, sent bigint, "
            "failed bigint, jobs bigint, oldest_job timestamptz, counted_at timestamptz, problems jsonb)",
            """
            SELECT store.id, store.slug, waiting.due, waiting.oldest_due, doubtful.unknown, hour.sent, hour.failed,
                   work.jobs, work.oldest_job, recount.at, recount.problems
              FROM stores_store AS store
             CROSS JOIN LATERAL (
                    SELECT count(*) AS due, min(due_at) AS oldest_due FROM outreach_message
                     WHERE store_id = store.id AND status = 'pending' AND due_at <= $1) AS waiting
             CROSS JOIN LATERAL (
                    SELECT count(*) AS unknown FROM outreach_message
                     WHERE store_id = store.id AND status = 'unknown') AS doubtful
             CROSS JOIN LATERAL (
                    SELECT count(*) FILTER (WHERE status = 'sent') AS sent,
                           count(*) FILTER (WHERE status = 'failed') AS failed
                      FROM outreach_message
                     WHERE store_id = store.id AND due_at > $1 - interval '1 hour' AND due_at <= $1) AS hour
             CROSS JOIN LATERAL (
                    SELECT count(*) AS jobs, min(coalesce(touched_at, started_at)) AS oldest_job FROM stores_job
                     WHERE store_id = store.id AND state = 'running') AS work
              LEFT JOIN rewards_recount AS recount ON recount.store_id = store.id
             WHERE store.sample_of_id IS NULL
             ORDER BY store.id
            """,
        )
    ]
