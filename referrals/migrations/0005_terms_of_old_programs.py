"""What a program promised becomes a version of its terms; then the old columns go."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy


class Migration(migrations.Migration):
    dependencies = [("referrals", "0004_programs_and_checks")]

    operations = [
        migrations.RunSQL(
            """
            -- The owner's role sees rows like everybody else, through the wall: it is taken down for this.
            ALTER TABLE referrals_program NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_referral NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_claim NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_visit NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE rewards_budget NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE rewards_terms NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE stores_store NO FORCE ROW LEVEL SECURITY;

            INSERT INTO rewards_budget (store_id, currency, committed_minor, places_taken)
                SELECT program.store_id, store.currency, 0, 0
                FROM referrals_program program JOIN stores_store store ON store.id = program.store_id;
            UPDATE referrals_program program SET budget_id = budget.id
                FROM rewards_budget budget WHERE budget.store_id = program.store_id;

            -- Each pair of gifts that a referral or the program speaks of is a version of its own.
            INSERT INTO rewards_terms (
                store_id, budget_id, number, friend_offer_id, ladder_id, hold_days, claim_days, visit_days, refund,
                touch, is_sticky, evidence, period_days, minimum_order_minor, new_only, one_a_household,
                only_products, not_products, typical_minor, made_at
            )
                SELECT known.store_id, program.budget_id,
                    row_number() OVER (PARTITION BY known.store_id ORDER BY known.ladder_id, known.friend_offer_id),
                    known.friend_offer_id, known.ladder_id, program.hold_days, program.claim_days, 30, 'proportion',
                    'last', true, '[]'::jsonb, 30, 0, true, false, '[]'::jsonb, '[]'::jsonb, 0, program.created_at
                FROM (
                    SELECT store_id, friend_offer_id, ladder_id FROM referrals_program
                    UNION SELECT store_id, friend_offer_id, ladder_id FROM referrals_referral
                ) known
                JOIN referrals_program program ON program.store_id = known.store_id;
            UPDATE referrals_program program SET terms_id = terms.id FROM rewards_terms terms
                WHERE terms.store_id = program.store_id AND terms.ladder_id = program.ladder_id
                AND terms.friend_offer_id = program.friend_offer_id;
            UPDATE referrals_referral referral SET terms_id = terms.id FROM rewards_terms terms
                WHERE terms.store_id = referral.store_id AND terms.ladder_id = referral.ladder_id
                AND terms.friend_offer_id = referral.friend_offer_id;
            UPDATE referrals_claim claim SET program_id = program.id, terms_id = program.terms_id
                FROM referrals_program program WHERE program.store_id = claim.store_id;
            UPDATE referrals_visit SET token = substr(md5(id::text || random()::text), 1, 20);

            ALTER TABLE stores_store FORCE ROW LEVEL SECURITY;
            ALTER TABLE rewards_terms FORCE ROW LEVEL SECURITY;
            ALTER TABLE rewards_budget FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_visit FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_claim FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_referral FORCE ROW LEVEL SECURITY;
            ALTER TABLE referrals_program FORCE ROW LEVEL SECURITY;
            SET CONSTRAINTS ALL IMMEDIATE;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="claim",
            name="program",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="referrals.program",
            ),
        ),
        migrations.AlterField(
            model_name="claim",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rewards.terms"
            ),
        ),
        migrations.AlterField(
            model_name="program",
            name="budget",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="program",
                to="rewards.budget",
            ),
        ),
        migrations.AlterField(
            model_name="program",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="programs",
                to="rewards.terms",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="referrals",
                to="rewards.terms",
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.UniqueConstraint(fields=("store", "token"), name="visit_token"),
        ),
        migrations.RemoveField(
            model_name="program",
            name="claim_days",
        ),
        migrations.RemoveField(
            model_name="program",
            name="friend_offer",
        ),
        migrations.RemoveField(
            model_name="program",
            name="hold_days",
        ),
        migrations.RemoveField(
            model_name="program",
            name="ladder",
        ),
        migrations.RemoveField(
            model_name="program",
            name="version",
        ),
        migrations.RemoveField(
            model_name="referral",
            name="friend_offer",
        ),
        migrations.RemoveField(
            model_name="referral",
            name="ladder",
        ),
        migrations.RemoveField(
            model_name="sharelink",
            name="program",
        ),
    ]
