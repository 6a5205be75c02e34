"""Audiences: what is known about customers, put together to conditions that all hold.

`buying` and `knowing` have what an audience may ask, `fifths` the scores by recency, frequency and spend,
`members` who belongs to it now, and the services that save, refresh and delete one.
"""

from referrals.audiences import buying, knowing  # noqa: F401  they register their facts, in the order of the form
from referrals.audiences.facts import FACTS, checked, in_words
from referrals.audiences.fifths import scores
from referrals.audiences.members import (
    InUse,
    NameTaken,
    count,
    delete,
    examples,
    people,
    refresh,
    refresh_all,
    restore,
    save,
    uses,
)
from referrals.audiences.values import BadCondition, Names

__all__ = [
    "FACTS",
    "BadCondition",
    "InUse",
    "NameTaken",
    "Names",
    "checked",
    "count",
    "delete",
    "examples",
    "in_words",
    "people",
    "refresh",
    "refresh_all",
    "restore",
    "save",
    "scores",
    "uses",
]
