"""A file's columns of evidence."""

from customers.importing.orders import choose_mapping, read_orders
from customers.importing.tables import Row, Table

COLUMNS = ["external_id", "placed_at", "total", "email", "visit", "advocate_name", "card_hash", "address"]


def read(store, **cells):
    known = {"external_id": "1", "placed_at": "2026-11-20 10:00", "total": "155", "email": "bea@example.com", **cells}
    table = Table(COLUMNS, [Row(2, known, list(known.values()))])
    return next(read_orders(store, table, choose_mapping(table))).data


def test_they_are_read(store):
    data = read(store, visit="2" * 20, advocate_name="Sara Ahmadi", card_hash="a" * 32, address="Rosal 12")
    assert (data.visit, data.named, data.card_hash) == ("2" * 20, "Sara Ahmadi", "a" * 32)
    assert data.person.address == "Rosal 12"


def test_a_file_without_them_is_fine(store):
    data = read(store)
    assert (data.visit, data.named, data.card_hash, data.person.address) == ("", "", "", "")
