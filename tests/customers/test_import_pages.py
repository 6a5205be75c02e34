"""Bringing a file: looked at first, taken in by a job, what was refused as a file, and all of it undone."""

import csv
import io
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook

from customers import tagging
from customers.importing import columns, spreadsheets, working
from customers.models import Channel, Consent, Customer, CustomerTag, Import, ImportRow, Order, OrderLine
from customers.services import Person, record_consent
from outreach.services import is_suppressed, unsubscribe
from referrals.services import unimporting
from referrals.services.links import share_link_of
from stores import jobs
from stores.models import AuditEvent, Job, User
from stores.tenancy import acting_for
from surveys.models import Invitation
from tests.conftest import NOW, make_order_of

PEOPLE = """Full name,E-mail,Mobile,Groups
Sara Ahmadi,sara@example.com,0917 123 4567,"vip, first"
Bea Cruz,bea@example.com,,
Nobody,,,
Bad Phone,p@example.com,9.63E+11,
Sara Again,sara@example.com,,
"""
ORDERS = """Order number,Order date,Amount,Email,Product,Qty
#1,2026-11-01 10:00,1550.00,sara@example.com,Mug,1
#1,2026-11-01 10:00,,,Plate,2
#2,03/04/2026,10,bea@example.com,Mug,1
#3,2026-11-02,20.00,bea@example.com,Mug,1
"""


@pytest.fixture
def bring(manager, store):
    """A function that brings a file; returns it as it is then."""

    def run(content: str | bytes = PEOPLE, kind: str = "customers", name: str = "people.csv") -> Import:
        raw = content if isinstance(content, bytes) else content.encode()
        url = reverse("customers:imports", args=[store.slug])
        answer = manager.post(url, {"kind": kind, "file": SimpleUploadedFile(name, raw)})
        assert answer.status_code == 302, answer.content.decode()
        return Import.objects.for_store(store).order_by("-pk")[0]

    return run


@pytest.fixture
def make_committed_user(committed) -> User:
    return User.objects.create_user(f"{secrets.token_hex(4)}@example.com", "x", name="Leila Santos")


def page(run: Import, name: str = "import") -> str:
    return reverse(f"customers:{name}", args=[run.store.slug, run.public_id])


def chosen(run: Import, **more) -> dict[str, str]:
    return {f"in_{name}": title for name, title in run.mapping.items()} | {"encoding": run.encoding, **more}


def take_in(client, run: Import, **more) -> Job:
    assert client.post(page(run), chosen(run, step="begin", **more)).status_code == 302
    run.refresh_from_db()
    job = working.work(run.store, working.job_of(run).pk)
    assert job.state == Job.State.DONE, job.note
    return job


def undo(client, run: Import) -> Job:
    assert client.post(reverse("referrals:undo_import", args=[run.store.slug, run.public_id])).status_code == 302
    job = unimporting.work(run.store, working.undo_job_of(run).pk)
    assert job.state == Job.State.DONE, job.note
    return job


# -- Looking --


def test_columns_are_guessed_and_nothing_is_taken_in(manager, bring, store):
    run = bring()
    assert run.mapping == {"name": "Full name", "email": "E-mail", "phone": "Mobile", "tags": "Groups"}
    content = manager.get(page(run)).content.decode()
    for words in ("+639171234567", "vip, first", "nobody could be found again", "9.63E+11", "Bea Cruz"):
        assert words in content
    assert not Customer.objects.for_store(store).exists()
    assert not Job.objects.for_store(store).exists()


def test_what_was_chosen_is_kept_and_remembered_for_the_next_file(manager, bring, store):
    run = bring(PEOPLE.replace("Full name", "Wer").replace("Mobile", "Ruf"))
    assert "name" not in run.mapping
    manager.post(page(run), chosen(run, in_name="Wer", in_phone="Ruf", step="look"))
    run.refresh_from_db()
    assert (run.mapping["name"], run.begun_at) == ("Wer", None)
    assert "Sara Ahmadi" in manager.get(page(run)).content.decode()
    take_in(manager, run)
    again = bring(PEOPLE.replace("Full name", "wer").replace("Mobile", "RUF"))
    assert (again.mapping["name"], again.mapping["phone"]) == ("wer", "RUF")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"in_email": "", "in_phone": ""}, "nobody can be found again by a name"),
        ({"in_phone": "E-mail"}, "chosen twice"),
        ({"in_email": "no such column"}, "valid choice"),
        ({"encoding": "rot13"}, "valid choice"),
    ],
)
def test_a_wrong_choice_is_said_and_kept(manager, bring, store, change, says):
    run = bring()
    answer = manager.post(page(run), chosen(run, step="begin") | change)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Job.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("raw", "country", "encoding"),
    [
        (PEOPLE.encode("utf-16"), "PH", "utf-16"),
        (("\ufeff" + PEOPLE.replace(",", ";")).encode(), "PH", "utf-8-sig"),
        (PEOPLE.replace("Bea Cruz", "علي كريمي").encode("windows-1256"), "IR", "windows-1256"),
        (PEOPLE.replace("Bea Cruz", "Béa Çruz").encode("windows-1252"), "PH", "windows-1252"),
    ],
)
def test_letters_and_delimiter_are_found_out(manager, bring, store, raw, country, encoding):
    store.country = country
    store.save()
    run = bring(raw)
    assert run.encoding == encoding
    content = manager.get(page(run)).content.decode()
    assert any(name in content for name in ("Bea Cruz", "علي كريمي", "Béa Çruz"))
    assert ("this is our guess" in content) == encoding.startswith("windows")


def test_letters_that_do_not_fit_are_refused_and_other_titles_are_looked_at_first(manager, bring, store):
    store.country = "IR"
    store.save()
    run = bring(PEOPLE.replace("Full name", "نام").replace("Bea Cruz", "علي").encode("windows-1256"))
    answer = manager.post(page(run), chosen(run, step="begin") | {"encoding": "utf-8-sig"})
    assert "not written in these letters" in answer.content.decode()
    run.refresh_from_db()
    answer = manager.post(page(run), chosen(run, step="begin") | {"encoding": "latin-1"})
    assert answer.status_code == 302
    run.refresh_from_db()
    assert run.begun_at is None
    assert "name" not in run.mapping
    assert not Job.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("raw", "says"),
    [(b"", "empty"), (b"PK\x03\x04", "spreadsheet"), (b"a,a\n1,2", "twice"), (b"a,b\n\x00,1", "NUL")],
)
def test_what_cannot_be_read_is_refused(manager, store, raw, says):
    file = SimpleUploadedFile("x.csv", raw)
    answer = manager.post(reverse("customers:imports", args=[store.slug]), {"kind": "customers", "file": file})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Import.objects.for_store(store).exists()


def test_too_large_a_file_is_refused(manager, store, monkeypatch):
    monkeypatch.setattr(working, "MOST_BYTES", 10)
    file = SimpleUploadedFile("x.csv", PEOPLE.encode())
    answer = manager.post(reverse("customers:imports", args=[store.slug]), {"kind": "customers", "file": file})
    assert "larger than 20 MB" in answer.content.decode()


def spreadsheet(*rows, before: int = 0) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for _ in range(before):
        book.create_sheet()
    sheet = book.worksheets[before]
    for row in rows:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_is_read_as_it_would_be_typed(manager, bring, store):
    day, moment = datetime(2026, 11, 20), datetime(2026, 11, 20, 9, 30)
    raw = spreadsheet(
        ["Order number", "Date", "Total", "Email", "Phone", None],
        [1001, day, 1550.5, "sara@example.com", 639171234567, "beside"],
        [],
        ["#2", moment, 20, "علي@example.com", "=1+1"],
        ["#3", moment, 20.0, "bea@example.com", "0917 123 4568"],
        before=1,
    )
    run = bring(raw, "orders", "orders.xlsx")
    assert run.columns == ["Order number", "Date", "Total", "Email", "Phone"]
    take_in(manager, run)
    first = Order.objects.for_store(store).get(external_id="1001")
    assert (first.total_minor, first.placed_at) == (155_050, datetime(2026, 11, 19, 16, tzinfo=UTC))
    assert first.customer.phone_norm == "+639171234567"
    assert Order.objects.for_store(store).get(external_id="#3").placed_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (spreadsheet(["a"] * 501), "too large"),
        (spreadsheet(), "empty"),
        (spreadsheet(["a", "b"])[:-200], "spreadsheet"),
    ],
    ids=["too wide", "empty", "torn"],
)
def test_an_odd_spreadsheet_is_refused_in_words(manager, store, raw, says):
    file = SimpleUploadedFile("x.xlsx", raw)
    answer = manager.post(reverse("customers:imports", args=[store.slug]), {"kind": "customers", "file": file})
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_small_archive_with_a_large_sheet_is_not_unpacked(manager, store, monkeypatch):
    monkeypatch.setattr(spreadsheets, "MOST_UNPACKED", 1000)
    file = SimpleUploadedFile("x.xlsx", spreadsheet(["a", "b"]))
    answer = manager.post(reverse("customers:imports", args=[store.slug]), {"kind": "customers", "file": file})
    assert "too large" in answer.content.decode()


# -- Taking in --


def test_customers_come_in(manager, bring, store):
    run = bring()
    job = take_in(manager, run)
    assert (job.total, job.done, job.failed) == (5, 3, 2)
    assert working.counts(run) == {"created": 2, "updated": 0, "unchanged": 1, "refused": 2}
    sara = Customer.objects.for_store(store).get(email_norm="sara@example.com")
    assert (sara.name, sara.phone_norm) == ("Sara Ahmadi", "+639171234567")
    assert tagging.tags_of(sara) == ["first", "vip"]
    assert not sara.email_consent  # nobody said so
    content = manager.get(page(run)).content.decode()
    assert "Undo all of it" in content
    assert "hx-get" not in content
    assert not Import.objects.get(pk=run.pk).content


def test_refused_rows_come_back_with_the_reason_ready_to_mend(manager, bring, store):
    run = bring()
    take_in(manager, run)
    answer = manager.get(page(run, "import_errors"))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Full name"] for row in rows] == ["Nobody", "Bad Phone"]
    assert "is not a phone number" in rows[1]["Problem"]
    mended = answer.content.decode("utf-8-sig").replace("9.63E+11", "")
    second = bring(mended)
    take_in(manager, second)
    assert Customer.objects.for_store(store).filter(email_norm="p@example.com").exists()


def test_reasons_are_told_in_the_owners_language(manager, bring, store):
    manager.cookies["django_language"] = "fa"
    manager.cookies["goodword_language"] = "fa"
    run = bring()
    assert run.language in ("fa", "en")
    Import.objects.filter(pk=run.pk).update(language="fa")
    run.refresh_from_db()
    take_in(manager, run)
    problem = ImportRow.objects.for_store(store).filter(outcome="refused").order_by("number")[0].problem
    assert problem


def test_consent_is_the_owners_word_with_file_and_suppression_stays(manager, bring, store):
    bea = make_order_of(store, Person("Bea Cruz", "bea@example.com"), at=NOW).customer
    unsubscribe(store, bea, source="unsubscribe link", at=NOW)
    run = bring()
    take_in(manager, run, agreed_email="on")
    consent = Consent.objects.for_store(store).get(customer__email_norm="sara@example.com")
    assert (consent.channel, consent.granted, consent.source) == ("email", True, "import people.csv")
    assert is_suppressed(store, Customer.objects.get(pk=bea.pk))


def test_orders_come_in_by_the_code_of_the_command(manager, bring, store):
    run = bring(ORDERS, "orders", "orders.csv")
    assert "day/month alone is ambiguous" in manager.get(page(run)).content.decode()
    job = take_in(manager, run)
    assert (job.done, job.failed) == (2, 1)
    order = Order.objects.for_store(store).get(external_id="#1")
    assert (order.total_minor, order.lines.count()) == (155_000, 2)


def test_the_same_file_again_changes_nothing(manager, bring, store):
    take_in(manager, bring())
    before = list(Customer.objects.for_store(store).order_by("pk").values())
    second = bring()
    take_in(manager, second)
    assert working.counts(second)["unchanged"] == 3
    assert list(Customer.objects.for_store(store).order_by("pk").values()) == before


def test_a_worker_killed_between_pieces_leaves_nothing_twice(manager, bring, store, monkeypatch):
    monkeypatch.setattr(working, "PIECE", 2)
    run = bring()
    manager.post(page(run), chosen(run, step="begin"))
    job = working.job_of(run)
    working.work(store, job.pk, seconds=-1)  # one piece, and the worker is gone
    assert ImportRow.objects.for_store(store).count() == 2
    Job.objects.filter(pk=job.pk).update(touched_at=NOW)
    working.work(store, job.pk)
    assert [row.number for row in ImportRow.objects.for_store(store).order_by("number")] == [1, 2, 3, 4, 5]
    assert working.counts(run) == {"created": 2, "updated": 0, "unchanged": 1, "refused": 2}


def test_a_piece_that_fails_leaves_no_half(committed_store, make_committed_user, monkeypatch):
    store = committed_store
    with acting_for(store):
        run = working.bring(store, "customers", "x.csv", PEOPLE.encode(), by=make_committed_user, at=NOW)
        job = working.begin(run, by=make_committed_user, at=NOW)

    def broken(rows):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(working, "insert_rows", broken)
        working.work(store, job.pk)
    with acting_for(store):
        assert not Customer.objects.for_store(store).exists()
    working.work(store, job.pk)
    with acting_for(store):
        assert Customer.objects.for_store(store).count() == ImportRow.objects.for_store(store).count() - 3 == 2
        assert working.counts(run) == {"created": 2, "updated": 0, "unchanged": 1, "refused": 2}


def test_the_press_of_two_is_one_job(manager, bring, store):
    run = bring()
    manager.post(page(run), chosen(run, step="begin"))
    manager.post(page(run), chosen(run, step="begin"))
    assert Job.objects.for_store(store).count() == 1
    assert AuditEvent.objects.for_store(store).filter(action="import.begun").count() == 1


def test_its_page_says_how_far_it_is(manager, bring, store, monkeypatch):
    monkeypatch.setattr(working, "PIECE", 2)
    run = bring()
    manager.post(page(run), chosen(run, step="begin"))
    working.work(store, working.job_of(run).pk, seconds=-1)
    content = manager.get(page(run), headers={"hx-request": "true"}).content.decode()
    assert "2 of 5 (40%)" in content
    assert "left" in content
    assert "every 2s" in content
    assert "<html" not in content
    manager.post(page(run, "stop_import"))
    assert working.job_of(run).state == Job.State.STOPPED
    assert "Stopped" in manager.get(page(run)).content.decode()


def test_progress_says_how_long_it_takes(manager, bring):
    run = bring()
    manager.post(page(run), chosen(run, step="begin"))
    job = working.job_of(run)
    job.done, job.total = 20, 100
    told = jobs.progress(job, job.started_at + timedelta(seconds=30))
    assert (told.percent, told.seconds_left) == (20, 120)
    job.done = 0
    assert jobs.progress(job, job.started_at).seconds_left is None


# -- Undoing --


def test_all_of_it_can_be_undone(manager, bring, store):
    known = make_order_of(store, Person("", "bea@example.com"), at=NOW).customer
    before = list(Customer.objects.for_store(store).order_by("pk").values())
    run = bring()
    take_in(manager, run)
    assert Customer.objects.get(pk=known.pk).name == "Bea Cruz"
    job = undo(manager, run)
    assert (job.done, job.failed) == (2, 0)
    assert list(Customer.objects.for_store(store).order_by("pk").values()) == before
    assert not CustomerTag.objects.for_store(store).exists()
    assert "Undone" in manager.get(page(run)).content.decode()
    third = bring()
    take_in(manager, third)  # and it can be brought again
    assert working.counts(third)["created"] == 1


@pytest.mark.parametrize("what", ["order", "link", "tag", "consent"])
def test_who_has_lived_since_stays_and_the_page_says_why(manager, bring, store, what):
    run = bring()
    take_in(manager, run)
    sara = Customer.objects.for_store(store).get(email_norm="sara@example.com")
    if what == "order":
        make_order_of(store, Person("Sara", "sara@example.com"), at=NOW)
    elif what == "link":
        share_link_of(sara, at=NOW)
    elif what == "tag":
        tagging.tag(store, [sara.pk], "loyal")
    else:
        record_consent(sara, Channel.EMAIL, granted=True, source="api", at=NOW)
    job = undo(manager, run)
    assert (job.done, job.failed) == (1, 1)
    assert [one.pk for one in Customer.objects.for_store(store)] == [sara.pk]
    assert "Stays:" in manager.get(page(run)).content.decode()


def test_who_agreed_by_the_file_leaves_a_row_without_a_name(manager, bring, store):
    run = bring()
    take_in(manager, run, agreed_email="on")
    undo(manager, run)
    rows = Customer.objects.for_store(store)
    assert [(one.name, one.email, one.email_consent, bool(one.erased_at)) for one in rows] == [
        ("", "", False, True)
    ] * 2


def test_what_was_filled_in_and_then_changed_stays(manager, bring, store):
    bea = make_order_of(store, Person("", "bea@example.com"), at=NOW).customer
    run = bring()
    take_in(manager, run)
    Customer.objects.filter(pk=bea.pk).update(name="Beatriz", name_norm="beatriz")
    undo(manager, run)
    assert Customer.objects.get(pk=bea.pk).name == "Beatriz"


def test_orders_are_taken_back_with_their_buyers(manager, bring, store):
    make_order_of(store, Person("Sara", "sara@example.com"), at=NOW, external_id="#0")
    run = bring(ORDERS, "orders", "orders.csv")
    take_in(manager, run)
    order = Order.objects.for_store(store).get(external_id="#3")
    Invitation.objects.create(store=store, order=order, customer=order.customer, due_at=NOW)
    job = undo(manager, run)
    assert (job.done, job.failed) == (2, 0)
    assert list(Order.objects.for_store(store).values_list("external_id", flat=True)) == ["#0"]
    assert OrderLine.objects.for_store(store).count() == 1
    assert [one.name for one in Customer.objects.for_store(store)] == ["Sara"]


def test_an_order_whose_buyer_was_asked_stays(manager, bring, store):
    run = bring(ORDERS, "orders", "orders.csv")
    take_in(manager, run)
    order = Order.objects.for_store(store).get(external_id="#3")
    Invitation.objects.create(store=store, order=order, customer=order.customer, due_at=NOW, status="invited")
    job = undo(manager, run)
    assert (job.done, job.failed) == (1, 1)
    assert list(Order.objects.for_store(store).values_list("external_id", flat=True)) == ["#3"]
    assert "Stays: was asked" in manager.get(page(run)).content.decode()


def test_it_is_not_undone_while_it_is_taken_in(manager, bring, store):
    run = bring()
    manager.post(page(run), chosen(run, step="begin"))
    manager.post(reverse("referrals:undo_import", args=[store.slug, run.public_id]))
    assert working.undo_job_of(run) is None


def test_undoing_costs_the_same_for_many(manager, bring, store, django_assert_max_num_queries):
    for count in (3, 30):
        run = bring("email\n" + "".join(f"{count}-{n}@example.com\n" for n in range(count)))
        take_in(manager, run)
        manager.post(reverse("referrals:undo_import", args=[store.slug, run.public_id]))
        with django_assert_max_num_queries(75):
            unimporting.work(store, working.undo_job_of(run).pk)


def test_taking_in_costs_the_same_for_many(manager, bring, store, django_assert_max_num_queries):
    for count in (3, 30):
        run = bring("email,tags\n" + "".join(f"{count}-{n}@example.com,vip\n" for n in range(count)))
        manager.post(page(run), chosen(run, step="begin"))
        with django_assert_max_num_queries(22):
            working.work(store, working.job_of(run).pk)


def test_words_of_refused_rows_are_forgotten_after_a_month(manager, bring, store):
    run = bring()
    take_in(manager, run)
    rows = ImportRow.objects.for_store(store).filter(outcome="refused")
    assert working.forget_old(store, timezone.now() + timedelta(days=29)) == 0
    assert working.forget_old(store, timezone.now() + timedelta(days=31)) == 2
    assert {(one.problem, len(one.cells)) for one in rows} == {("", 0)}
    assert working.counts(run)["refused"] == 2


def test_what_was_only_looked_at_is_forgotten(manager, bring, store):
    run = bring()
    assert working.forget_old(store, timezone.now()) == 0
    assert working.forget_old(store, timezone.now() + working.DRAFT_KEPT) == 1
    assert manager.get(page(run)).status_code == 302


# -- Who may --


def test_it_is_hidden_from_strangers_and_refused_to_staff(manager, stranger, staff, bring, store):
    run = bring()
    for name in ("import", "import_errors", "stop_import"):
        method = "post" if name == "stop_import" else "get"
        assert getattr(stranger, method)(page(run, name)).status_code == 404
        assert getattr(staff, method)(page(run, name)).status_code == 403
    url = reverse("referrals:undo_import", args=[store.slug, run.public_id])
    assert (stranger.post(url).status_code, staff.post(url).status_code) == (404, 403)


def test_another_stores_file_is_not_found(login, other_store, bring):
    run = bring()
    theirs = login("owner", of=other_store)
    assert theirs.get(reverse("customers:import", args=[other_store.slug, run.public_id])).status_code == 404


# -- Guessing --


def test_shopifys_columns_are_known():
    titles = ["Name", "Email", "Financial Status", "Currency", "Created at", "Total", "Billing Name", "Lineitem name"]
    found = columns.guess("orders", titles)
    assert (found["external_id"], found["name"], found["placed_at"]) == ("Name", "Billing Name", "Created at")


def test_a_name_is_no_order_number_elsewhere():
    found = columns.guess("orders", ["Name", "Order no", "Date", "Total"])
    assert (found["external_id"], found["name"]) == ("Order no", "Name")


def test_persian_titles_are_known():
    found = columns.guess("customers", ["نام", "موبايل", "ایمیل"])
    assert found == {"name": "نام", "phone": "موبايل", "email": "ایمیل"}
