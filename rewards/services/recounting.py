"""The nightly recount: do the books say what happened? Each check in one query, whatever there is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db.models import Count, Q, Sum, TextChoices, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from rewards.models import Account, Budget, Commitment, Entry, Recount
from rewards.services import ledger
from stores.models import Store

logger = logging.getLogger(__name__)


class Problem(TextChoices):
    """What a recount may find."""

    TOTAL = "total", _("all entries together do not sum to zero")
    UNBALANCED = "unbalanced", _("a transaction does not sum to zero")
    DRIFT = "drift", _("somebody's balance is not the sum of their entries")
    PROMISED = "promised", _("what is promised in the books is not what is reserved")
    BUDGETS = "budgets", _("a budget's running sum is not what is reserved of it")
    PLACES = "places", _("a budget's places are not those that are taken")


def problems(store: Store) -> list[Problem]:
    """What is wrong with the books as they are now; [] when all is well."""
    return [problem for problem, is_wrong in CHECKS.items() if is_wrong(store)]


def recount(store: Store, at: datetime) -> list[Problem]:
    """Look at everything, keep the result for screens and payouts, and say loudly what is wrong."""
    found = problems(store)
    Recount.objects.update_or_create(store=store, defaults={"at": at, "problems": [str(one.value) for one in found]})
    if found:
        logger.error("the books of store %s are wrong: %s", store.pk, ", ".join(one.value for one in found))
    return found


def last(store: Store) -> Recount | None:
    """What the last recount found; None before the first night."""
    found: Recount | None = Recount.objects.for_store(store).first()
    return found


def _unbalanced(store: Store) -> bool:
    sums = (
        Entry.objects.for_store(store)
        .order_by()
        .values("transaction")
        .annotate(total=Sum("amount_minor"), currencies=Count("currency", distinct=True))
    )
    return sums.filter(~Q(total=0) | Q(currencies__gt=1)).exists()


def _promised(store: Store) -> bool:
    """PROMISED, and CONTINGENT against it, by budget and currency, beside the commitments that are held."""
    by_budget = ("account__budget", "account__currency")
    entries = Entry.objects.for_store(store).order_by()
    booked = {
        kind: dict(_pairs(entries.filter(account__kind=kind).values_list(*by_budget).annotate(Sum("amount_minor"))))
        for kind in (Account.Kind.PROMISED, Account.Kind.CONTINGENT)
    }
    held = Commitment.objects.for_store(store).filter(status=Commitment.Status.HELD).order_by()
    reserved = dict(_pairs(held.values_list("budget", "currency").annotate(Sum("promised_minor"))))
    against = {which: -total for which, total in booked[Account.Kind.CONTINGENT].items()}
    return booked[Account.Kind.PROMISED] != reserved or against != reserved


def _pairs(rows: object) -> list[tuple[tuple[int | None, str], int]]:
    """(budget, currency) -> sum, without zeros."""
    return [((budget, currency), int(total)) for budget, currency, total in rows if total]  # type: ignore[attr-defined]


def _budgets(store: Store) -> bool:
    return _differs(store, "committed_minor", "amount_minor", "leftover_minor")


def _places(store: Store) -> bool:
    return _differs(store, "places_taken", "places")


def _differs(store: Store, running: str, column: str, late: str = "") -> bool:
    """Whether some budget's running number is not the sum over its commitments that stand, and of `late` over all."""
    stand = ~Q(commitments__status=Commitment.Status.RELEASED)
    sums = Budget.objects.for_store(store).annotate(
        total=Coalesce(Sum(f"commitments__{column}", filter=stand), 0),
        late=Coalesce(Sum(f"commitments__{late}"), 0) if late else Value(0),
    )
    return any(getattr(one, running) != one.total + one.late for one in sums)


CHECKS: dict[Problem, Callable[[Store], bool]] = {
    Problem.TOTAL: lambda store: bool(ledger.total(store)),
    Problem.UNBALANCED: _unbalanced,
    Problem.DRIFT: lambda store: bool(ledger.drift(store)),
    Problem.PROMISED: _promised,
    Problem.BUDGETS: _budgets,
    Problem.PLACES: _places,
}
