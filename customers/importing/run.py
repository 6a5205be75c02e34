"""Record the orders of a file; what is bad goes to an error file, and nothing else is lost."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from customers.importing.orders import ReadOrder
from customers.importing.tables import Table, safe_cell
from customers.models import Channel
from customers.services import OrderData, Outcome, record_orders
from stores.models import Store
from stores.tenancy import acting_for

BATCH = 500


@dataclass
class Report:
    """What an import did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: list[ReadOrder] = field(default_factory=list)


def import_orders(
    store: Store,
    orders: Iterable[ReadOrder],
    *,
    consent: set[Channel],
    source: str,
    at: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Record orders in batches; the same file again changes nothing.

    `consent`: channels on which the owner states that these people agreed to marketing; a row that
    says otherwise keeps its own word. `source` names the statement in the consent records.
    """
    report, done, batch = Report(), 0, list[ReadOrder]()
    for order in orders:
        batch.append(order)
        if len(batch) >= BATCH:
            _record(store, batch, report, consent, source, at)
            done += len(batch)
            progress(done)
            batch = []
    _record(store, batch, report, consent, source, at)
    return report


def _record(
    store: Store, batch: list[ReadOrder], report: Report, consent: set[Channel], source: str, at: datetime
) -> None:
    report.bad += [order for order in batch if order.data is None]
    good = [order for order in batch if order.data]
    with acting_for(store):
        recorded = record_orders(store, [with_consent(one, consent) for one in good], at=at, consent_source=source)
    for order, one in zip(good, recorded, strict=True):
        report.created += one.outcome == Outcome.CREATED
        report.updated += one.outcome == Outcome.UPDATED
        report.unchanged += one.outcome == Outcome.UNCHANGED
        if one.outcome == Outcome.REFUSED:
            report.bad.append(replace(order, data=None, problem=str(one.problem)))


def with_consent(order: ReadOrder, consent: set[Channel]) -> OrderData:
    """The order's data, its person agreeing on the channels the owner names (and the row allows)."""
    assert order.data is not None
    if order.data.person is None or order.accepts_marketing is False or not consent:
        return order.data
    agreed = {str(channel): True for channel in consent}
    return replace(order.data, person=replace(order.data.person, consent=agreed))


def write_error_file(path: Path, table: Table, bad: list[ReadOrder]) -> None:
    """The bad rows as they came, with what is wrong in a last column, ready to mend and import again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([*table.columns, "problem"])
        for order in bad:
            for row in order.rows:
                cells = (row.raw + [""] * len(table.columns))[: len(table.columns)]
                writer.writerow([*map(safe_cell, cells), order.problem])
