"""Row-level security, links that stay within a store, and the way from a code to its store."""

from django.db import migrations

from stores.walls import append_only, directory_function, wall


class Migration(migrations.Migration):
    dependencies = [("referrals", "0001_initial"), ("rewards", "0002_walls"), ("surveys", "0002_walls")]

    operations = [
        wall("referrals_program", friend_offer_id="rewards_offer", ladder_id="rewards_ladder"),
        wall("referrals_sharelink", program_id="referrals_program", customer_id="customers_customer"),
        wall("referrals_visit", link_id="referrals_sharelink"),
        wall(
            "referrals_claim",
            link_id="referrals_sharelink",
            friend_id="customers_customer",
            voucher_id="rewards_voucher",
        ),
        wall(
            "referrals_referral",
            program_id="referrals_program",
            advocate_id="customers_customer",
            friend_id="customers_customer",
            order_id="customers_order",
            link_id="referrals_sharelink",
            friend_offer_id="rewards_offer",
            ladder_id="rewards_ladder",
        ),
        wall("referrals_referralevent", referral_id="referrals_referral"),
        append_only("referrals_referralevent"),
        directory_function(
            "goodword_store_by_share_code(text)",
            "bigint",
            "SELECT store_id FROM referrals_sharelink WHERE code_norm = $1",
        ),
    ]
