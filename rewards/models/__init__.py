"""What we give, and the books."""

from rewards.models.books import (
    Account,
    Budget,
    Commitment,
    Entry,
    LedgerTransaction,
    Payout,
    PayoutAddress,
    PayoutList,
    Recount,
    RewardSettings,
)
from rewards.models.offers import Ladder, Offer, Terms, Tier, TierChoice
from rewards.models.vouchers import Fulfilment, Pool, Redemption, Reward, Voucher

__all__ = [
    "Account",
    "Budget",
    "Commitment",
    "Entry",
    "Fulfilment",
    "Ladder",
    "LedgerTransaction",
    "Offer",
    "Payout",
    "PayoutAddress",
    "PayoutList",
    "Pool",
    "Recount",
    "Redemption",
    "Reward",
    "RewardSettings",
    "Terms",
    "Tier",
    "TierChoice",
    "Voucher",
]
