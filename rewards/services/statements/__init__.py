"""What the books say: how a budget stands, what is owed, months, one person's account; at any date."""

from rewards.services.statements.exporting import BOOKKEEPING, bookkeeping, units
from rewards.services.statements.months import Month, Sums, liabilities, month_of
from rewards.services.statements.people import Line, lines_of
from rewards.services.statements.standing import BudgetStanding, budget_standing, budget_standings

__all__ = [
    "BOOKKEEPING",
    "BudgetStanding",
    "Line",
    "Month",
    "Sums",
    "bookkeeping",
    "budget_standing",
    "budget_standings",
    "liabilities",
    "lines_of",
    "month_of",
    "units",
]
