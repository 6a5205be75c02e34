"""Walls around the new tables, and links that stay within a store."""

from django.db import migrations

from stores.walls import append_only, link, wall


class Migration(migrations.Migration):
    dependencies = [("rewards", "0005_referrals_and_rewards"), ("customers", "0006_merge_walls")]

    operations = [
        wall("rewards_budget"),
        wall("rewards_commitment", budget_id="rewards_budget"),
        wall(
            "rewards_terms",
            budget_id="rewards_budget",
            friend_offer_id="rewards_offer",
            ladder_id="rewards_ladder",
            friend_ladder_id="rewards_ladder",
            second_offer_id="rewards_offer",
        ),
        wall("rewards_tierchoice", tier_id="rewards_tier", offer_id="rewards_offer"),
        wall("rewards_pool", offer_id="rewards_offer"),
        wall("rewards_fulfilment", reward_id="rewards_reward"),
        wall("rewards_rewardsettings"),
        wall("rewards_payoutaddress", customer_id="customers_customer"),
        wall("rewards_payoutlist"),
        wall("rewards_payout", batch_id="rewards_payoutlist", customer_id="customers_customer"),
        append_only("rewards_terms"),
        append_only("rewards_tierchoice"),
        link("rewards_offer", product_id="customers_product"),
        link("rewards_reward", terms_id="rewards_terms"),
        link("rewards_voucher", pool_id="rewards_pool", location_id="stores_location"),
        link("rewards_account", card_id="rewards_voucher", budget_id="rewards_budget"),
    ]
