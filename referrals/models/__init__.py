"""Who sent whom."""

from referrals.models.contests import Contest, Prize, Standing
from referrals.models.devices import Device
from referrals.models.links import Claim, ShareLink, Visit
from referrals.models.partners import Partnership, PartnerStatement
from referrals.models.prints import PrintRun, PrintScan, PrintSheets
from referrals.models.programs import Boost, Program
from referrals.models.referrals import Appeal, Block, CheckSettings, Referral, ReferralEvent, Signal
from referrals.models.wallets import WalletKey

__all__ = [
    "Appeal",
    "Block",
    "Boost",
    "CheckSettings",
    "Claim",
    "Contest",
    "Device",
    "PartnerStatement",
    "Partnership",
    "PrintRun",
    "PrintScan",
    "PrintSheets",
    "Prize",
    "Program",
    "Referral",
    "ReferralEvent",
    "ShareLink",
    "Signal",
    "Standing",
    "Visit",
    "WalletKey",
]
