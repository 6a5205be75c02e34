"""Files as they come from shops: read, or refused with a sentence; one bad row loses no other."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.models import Channel, Consent, Customer, Order
from customers.services import Person, record_order
from outreach.models import Suppression
from outreach.services import is_suppressed, unsubscribe
from surveys.models import Invitation
from surveys.services import inviting
from tests.conftest import NOW

HEADER = "external_id,placed_at,delivered_at,total,email,phone,name,sku,item,quantity,price"
ROW = "{id},2026-11-01 10:00:00 +0800,2026-11-03 10:00:00 +0800,1550.00,{email},{phone},{name},MUG-1,Mug,1,1550.00"


def row(number: int, email: str = "", phone: str = "", name: str = "Bea Cruz") -> str:
    return ROW.format(id=f"#{number}", email=email or f"p{number}@example.com", phone=phone, name=name)


@pytest.fixture
def load(store, tmp_path, settings):
    settings.DATA_DIR = tmp_path

    def run(content: str | bytes, *options: str) -> str:
        path = tmp_path / "orders.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        out = StringIO()
        call_command("import_orders", store.slug, str(path), *options, stdout=out, stderr=StringIO())
        return out.getvalue()

    return run


def lines(*rows: str, end: str = "\n", header: str = HEADER) -> str:
    return end.join([header, *rows]) + end


def errors(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / "imports" / "orders.errors.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_orders_come_in(load, store):
    assert "created: 2, updated: 0, unchanged: 0, bad: 0" in load(lines(row(1), row(2)))
    order = Order.objects.for_store(store).get(external_id="#1")
    assert (order.total_minor, order.currency, order.lines.get().product.name) == (155_000, "PHP", "Mug")
    assert order.placed_at == datetime(2026, 11, 1, 2, tzinfo=UTC)


def test_the_same_file_twice_changes_nothing(load, store):
    load(lines(row(1), row(2)))
    before = list(Order.objects.for_store(store).order_by("pk").values())
    assert "created: 0, updated: 0, unchanged: 2, bad: 0" in load(lines(row(1), row(2)))
    assert list(Order.objects.for_store(store).order_by("pk").values()) == before


@pytest.mark.parametrize(
    "content",
    [
        ("\ufeff" + lines(row(1))).encode(),
        lines(row(1)).encode("utf-16"),
        lines(row(1), end="\r\n").encode(),
        lines(row(1), end="\r").encode(),
        lines(row(1)).replace(",", ";").encode(),
        lines(row(1)).replace(",", "\t").encode(),
    ],
    ids=["BOM", "UTF-16", "CRLF", "old Mac", "semicolons", "tabs"],
)
def test_files_of_other_programs_are_read(load, store, content):
    assert "created: 1" in load(content)
    assert Customer.objects.for_store(store).get().email_norm == "p1@example.com"


def test_line_ends_in_quotes_belong_to_the_cell(load, store):
    assert "created: 1" in load(lines(row(1, name='"Bea\r\nCruz"'), end="\r\n"))
    assert Customer.objects.for_store(store).get().name == "Bea Cruz"


def test_another_encoding_must_be_named(load, store):
    content = lines(row(1, name="علي")).encode("windows-1256")
    with pytest.raises(CommandError, match="--encoding"):
        load(content)
    assert not Order.objects.for_store(store).exists()
    assert "created: 1" in load(content, "--encoding", "windows-1256")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"a,b\x00c\n1,2\n", "NUL"),
        (b"a,b,c\n1,2,3\n", "mapping"),
        (b"external_id,placed_at,total,total\n1,2,3,4\n", "twice"),
        ((",".join(f"c{n}" for n in range(501)) + "\n").encode(), "columns"),
    ],
)
def test_a_file_that_is_none_is_refused(load, store, content, says):
    with pytest.raises(CommandError, match=says):
        load(content)
    assert not Order.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row(9, phone="9.63E+11"), "phone"),
        (row(9, email="not-an-address"), "e-mail"),
        (row(9).replace("1550.00,p9", "1e309,p9"), "amount"),
        (row(9).replace("1550.00,p9", "-5,p9"), "amount"),
        (row(9).replace("2026-11-01 10:00:00 +0800", "03/04/2026"), "date"),
        (row(9).replace("2026-11-01 10:00:00 +0800", ""), "empty"),
        (row(9).replace(",1,1550.00", ",five,1550.00"), "quantity"),
        (row(9) + ",extra", "cells"),
        (row(9).replace("Bea Cruz", "x" * 100_001), "cannot be read"),
    ],
)
def test_one_bad_row_loses_no_other(load, store, tmp_path, bad, says):
    told = load(lines(row(1), bad, row(2)))
    assert "created: 2, updated: 0, unchanged: 0, bad: 1" in told
    assert "orders.errors.csv" in told
    assert set(Order.objects.for_store(store).values_list("external_id", flat=True)) == {"#1", "#2"}
    assert says in errors(tmp_path)[0]["problem"]


def test_a_torn_end_loses_only_its_order(load, store, tmp_path):
    whole = lines(row(1), row(2))
    told = load(whole[: whole.index("#2") + 30])
    assert "created: 1" in told
    assert "bad: 1" in told
    assert "cells" in errors(tmp_path)[0]["problem"]
    told = load(lines(row(1), row(3)) + '#4,2026-11-01,,10,"p4@exam')
    assert "created: 1, updated: 0, unchanged: 1, bad: 1" in told


def test_the_error_file_can_be_mended_and_imported(load, store, tmp_path):
    load(lines(row(1), row(2, phone="9.63E+11")))
    mended = (tmp_path / "imports" / "orders.errors.csv").read_text(encoding="utf-8-sig").replace("9.63E+11", "")
    assert "created: 1" in load(mended, "--mapping", str(_mapping(tmp_path)))


def _mapping(folder: Path) -> Path:
    path = folder / "mapping.json"
    path.write_text(json.dumps({name: name for name in HEADER.split(",")}))
    return path


def test_formulas_are_kept_on_import_and_defused_on_the_way_out(load, store, tmp_path):
    load(lines(row(1, phone="+639170000001", name="=SUM(A1)"), row(2, email="bad", phone="+639170000002", name="=1+1")))
    assert Customer.objects.for_store(store).get().name == "=SUM(A1)"
    bad = errors(tmp_path)[0]
    assert (bad["name"], bad["phone"]) == ("'=1+1", "'+639170000002")
    again = lines(",".join(bad[name] for name in HEADER.split(",")).replace("bad", "p2@example.com"))
    assert "created: 1" in load(again)
    assert Customer.objects.for_store(store).filter(phone_norm="+639170000002", name="=1+1").exists()


def test_persian_digits_and_jalali_days(load, store):
    text = lines("#1,۱۴۰۵/۰۸/۲۹ ۱۰:۰۰,,۱٬۵۵۰,p@example.com,۰۹۱۷۰۰۰۰۰۰۱,علي كريمي,MUG-1,Mug,۲,۷۷۵")
    assert "created: 1" in load(text)
    order = Order.objects.for_store(store).get()
    assert order.placed_at == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert (order.total_minor, order.lines.get().quantity) == (155_000, 2)
    assert order.customer.phone_norm == "+639170000001"
    assert order.customer.name_norm == "علی کریمی"
    assert order.customer.name == "علي كريمي"


def test_nobody_agrees_unless_the_owner_says_so(load, store):
    load(lines(row(1)))
    assert not Customer.objects.for_store(store).get().email_consent
    load(lines(row(2)), "--consent", "email,sms")
    agreed = Customer.objects.for_store(store).get(email_norm="p2@example.com")
    assert agreed.email_consent
    assert agreed.sms_consent
    assert set(Consent.objects.for_store(store).values_list("channel", "source")) == {
        (Channel.EMAIL, "import orders.csv"), (Channel.SMS, "import orders.csv"),
    }  # fmt: skip
    with pytest.raises(CommandError, match="--consent"):
        load(lines(row(3)), "--consent", "pigeon")


def test_a_suppressed_address_stays_so(load, store):
    load(lines(row(1)))
    person = Customer.objects.for_store(store).get()
    unsubscribe(store, person, source="link", at=NOW)
    load(lines(row(1), row(5, email="p1@example.com")), "--consent", "email")
    person.refresh_from_db()
    assert is_suppressed(store, person)
    assert Suppression.objects.for_store(store).count() == 1


def test_old_orders_bring_no_messages(load, store):
    load(lines(row(1)))
    order = Order.objects.for_store(store).get()
    inviting.plan_invitations(store, order.recorded_at)
    assert inviting.invite_due(store, order.recorded_at) == 0
    assert Invitation.objects.for_store(store).get().reason == "too_old"


def test_lines_of_one_order_make_one_order(load, store):
    second = "#1,,,,,,,PAN-2,Pan,2,500.00"
    assert "created: 1" in load(lines(row(1), second))
    assert Order.objects.for_store(store).get().lines.count() == 2


def test_an_order_of_a_known_person_by_phone_is_theirs(load, store):
    load(lines(row(1, email="a@example.com", phone="09170000001")))
    load(lines("#2,2026-11-02,,10,,+63 917 000 0001,,,,,"))
    assert Customer.objects.for_store(store).count() == 1
    assert Order.objects.for_store(store).filter(customer__email_norm="a@example.com").count() == 2


def test_an_unknown_store_is_named(db, tmp_path):
    with pytest.raises(CommandError, match="no store 'nowhere'"):
        call_command("import_orders", "nowhere", str(tmp_path / "x.csv"))


def test_two_people_keep_their_own_numbers(store, make_order):
    """An order with one person's e-mail and another's phone belongs to the e-mail; the phone stays where it was."""
    from customers.services import OrderData

    def order(number: str, **person) -> Order:
        data = OrderData("api", number, "PHP", 1, NOW, person=Person(**person))
        return record_order(store, data, at=NOW)[0]

    first, second = order("1", email="a@example.com"), order("2", phone="+639170000009")
    third = order("3", email="a@example.com", phone="+639170000009")
    assert third.customer == first.customer != second.customer
    third.customer.refresh_from_db()
    assert third.customer.phone_norm == ""
