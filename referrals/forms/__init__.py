"""What owners type: a new store, programs with their rewards, boosts, why a referral does not count."""

from referrals.forms.boosts import BoostForm, boost_initial
from referrals.forms.contests import ContestEditor, contest_reshaped, contest_typed, new_contest_typed
from referrals.forms.deciding import ReasonForm
from referrals.forms.editor import Editor, as_typed, reshaped, typed_terms
from referrals.forms.fields import MONEY, NUMERIC, whole
from referrals.forms.offers import OfferForm, offer_of
from referrals.forms.stores import CurrencyForm, NewStoreForm, completed, usual_facts

__all__ = [
    "MONEY",
    "NUMERIC",
    "BoostForm",
    "ContestEditor",
    "CurrencyForm",
    "Editor",
    "NewStoreForm",
    "OfferForm",
    "ReasonForm",
    "as_typed",
    "boost_initial",
    "completed",
    "contest_reshaped",
    "contest_typed",
    "new_contest_typed",
    "offer_of",
    "reshaped",
    "typed_terms",
    "usual_facts",
    "whole",
]
