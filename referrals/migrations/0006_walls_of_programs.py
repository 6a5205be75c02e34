"""Walls around the new tables, and links that stay within a store."""

from django.db import migrations

from stores.walls import append_only, link, wall


class Migration(migrations.Migration):
    dependencies = [("referrals", "0005_terms_of_old_programs")]

    operations = [
        wall("referrals_boost", program_id="referrals_program"),
        wall("referrals_signal", referral_id="referrals_referral"),
        wall("referrals_checksettings"),
        wall("referrals_block"),
        wall("referrals_appeal", customer_id="customers_customer", referral_id="referrals_referral"),
        wall("referrals_contest", consolation_id="rewards_offer"),
        wall("referrals_prize", contest_id="referrals_contest", offer_id="rewards_offer"),
        wall(
            "referrals_standing",
            contest_id="referrals_contest",
            customer_id="customers_customer",
            reward_id="rewards_reward",
        ),
        wall("referrals_partnership", customer_id="customers_customer"),
        wall("referrals_partnerstatement", partnership_id="referrals_partnership"),
        append_only("referrals_standing"),
        append_only("referrals_partnerstatement"),
        append_only("referrals_signal"),
        link("referrals_program", terms_id="rewards_terms", budget_id="rewards_budget"),
        link("referrals_sharelink", order_id="customers_order"),
        link(
            "referrals_claim",
            program_id="referrals_program",
            terms_id="rewards_terms",
            promise_id="rewards_commitment",
        ),
        link("referrals_referral", terms_id="rewards_terms", promise_id="rewards_commitment"),
    ]
