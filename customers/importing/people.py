"""From rows of a file to customers, one a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from customers.importing.cells import BadRow, Cells, person_of, said_yes
from customers.importing.tables import Row, Table
from customers.models import Channel
from customers.services import Person
from customers.tagging import BadTag, folded_tag
from stores.models import Store


@dataclass(frozen=True)
class ReadPerson:
    """A customer of the file with the row they came from, or what is wrong with it."""

    rows: list[Row]
    person: Person | None
    tags: tuple[str, ...] = ()
    problem: str = ""
    accepts_marketing: bool | None = None  # the file's own word, where it has one


def read_people(store: Store, table: Table, mapping: dict[str, str]) -> Iterator[ReadPerson]:
    """The customers of the table, in its order; each with who they are or with its problem."""
    for row in table.rows:
        try:
            yield _read(store, row, mapping)
        except BadRow as error:
            yield ReadPerson([row], None, problem=str(error))


def _read(store: Store, row: Row, mapping: dict[str, str]) -> ReadPerson:
    if row.problem:
        raise BadRow(_("line %(number)s: %(problem)s") % {"number": row.line, "problem": row.problem})
    cells = Cells(row, mapping)
    person = person_of(store, cells)
    if person is None:
        raise BadRow(_("neither e-mail, phone nor your number: nobody could be found again by this row"))
    name = person.name or f"{cells.text('first_name')} {cells.text('last_name')}".strip()
    accepts = said_yes(cells.text("accepts_marketing"))
    return ReadPerson([row], replace(person, name=name), _tags(cells), accepts_marketing=accepts)


def _tags(cells: Cells) -> tuple[str, ...]:
    """The words of the cell, parted by commas."""
    words = [word for word in cells.text("tags").replace("،", ",").replace(";", ",").split(",") if word.strip()]
    try:
        return tuple(dict.fromkeys(folded_tag(word) for word in words))
    except BadTag as error:
        raise BadRow(f"{cells.column('tags')}: {error}") from error


def with_consent(read: ReadPerson, consent: set[Channel]) -> Person:
    """Who they are, agreeing on the channels the owner names (and the row allows)."""
    assert read.person is not None
    if read.accepts_marketing is False or not consent:
        return read.person
    return replace(read.person, consent={str(channel): True for channel in consent})
