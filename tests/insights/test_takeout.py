"""Data that leaves: of one customer as a zip, of the store as a job; nobody else's in it, and gone after a week."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from customers import tagging
from customers.models import Customer
from customers.services import Person
from insights.takeout import making
from insights.takeout.sheets import SHEETS
from referrals.services import erasing
from stores.models import AuditEvent, Job, JobFile
from tests.conftest import NOW, make_order_of


def opened(content: bytes) -> dict[str, list[dict[str, str]]]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    names = [name for name in archive.namelist() if name.endswith(".csv")]
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
        for name in names
    }


def body(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.fixture
def url(store):
    return lambda name, *args: reverse(f"insights:{name}", args=[store.slug, *args])


def gathered(owner, store, url) -> Job:
    assert owner.post(url("takeouts")).status_code == 302
    job = Job.objects.for_store(store).filter(kind=making.KIND).order_by("-pk")[0]
    return making.work(store, job.pk)


# -- One customer --


def test_one_customers_data_is_whole_and_nobody_elses(manager, store, url, played):
    answer = manager.get(url("customer_data", played.public_id))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    found = opened(answer.content)
    friend = played.referrals_made.get().friend
    assert [row["email"] for row in found["customers"]] == [played.email]
    for name in ("orders", "order_lines", "messages", "questions", "answers", "consents", "share_links", "referrals"):
        assert found[name], name
    text = answer.content.decode("latin-1") + json.dumps(found)
    assert friend.name not in text
    assert friend.email not in text
    assert found["referrals"][0]["friend_id"] == friend.public_id
    told = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("data.json"))
    assert told["customers"][0]["email"] == played.email
    assert {name: len(rows) for name, rows in told.items()} == {name: len(rows) for name, rows in found.items()}
    assert AuditEvent.objects.for_store(store).get(action="customer.exported").user == manager.user


def test_formulas_are_defused(manager, store, url, make_customer):
    one = make_customer("=SUM(A1)")
    found = opened(manager.get(url("customer_data", one.public_id)).content)
    assert found["customers"][0]["name"] == "'=SUM(A1)"


def test_it_takes_as_many_queries_for_many_rows(store, manager, make_customer, django_assert_num_queries):
    one = make_customer("Sara", "sara@example.com")
    for _ in range(2):
        with django_assert_num_queries(len(SHEETS) + 1):
            making.of_customer(store, one, by=manager.user, at=NOW)
        for _ in range(5):
            make_order_of(store, Person("Sara", "sara@example.com"), at=NOW)


# Tables that point to customers and are in no sheet, and why.
LEFT_OUT = {
    "searchterm": "derived",
    "customermerge": "the row it leads to says so",
    "segmentmember": "derived",
    "hold": "its case says so",
    "task": "notes for the staff; the message says what became of it",
    "device": "traces of browsers",
    "account": "sums of the books",
    "payout": "holds where cash was sent, sealed",
    "payoutaddress": "sealed",
    "appeal": "names other people",
    "partnership": "stands for a store",
    "standing": "a place in a contest",
}


def test_every_table_about_customers_is_in_it_or_left_out_for_a_reason():
    pointing = {
        model._meta.model_name
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Customer
    }
    given = {sheet.model._meta.model_name for sheet in SHEETS}
    assert pointing - given == set(LEFT_OUT)


# -- The store --


def test_the_whole_store_comes_as_a_zip(owner, store, url, played, other_store):
    job = gathered(owner, store, url)
    assert (job.state, job.done) == (Job.State.DONE, job.total)
    assert "Ready" in owner.get(url("takeout", job.public_id)).content.decode()
    found = opened(body(owner.get(url("takeout_file", job.public_id))))
    assert set(found) == {sheet.name for sheet in SHEETS}
    assert len(found["customers"]) == Customer.objects.for_store(store).count()
    assert sum(map(len, found.values())) == job.done
    assert AuditEvent.objects.for_store(store).filter(action="store.exported").count() == 1


def test_it_is_made_in_pieces_that_fit_together(owner, store, url, make_customer, monkeypatch):
    monkeypatch.setattr(making, "PIECE", 3)
    for number in range(7):
        tagging.tag(store, [make_customer(f"P{number}").pk], "vip")
    owner.post(url("takeouts"))
    job = Job.objects.for_store(store).get(kind=making.KIND)
    making.work(store, job.pk, seconds=-1)  # one piece, and the worker is gone
    assert "every 2s" in owner.get(url("takeout", job.public_id), headers={"hx-request": "true"}).content.decode()
    assert owner.get(url("takeout_file", job.public_id)).status_code == 404
    making.work(store, job.pk)
    found = opened(body(owner.get(url("takeout_file", job.public_id))))
    assert [row["name"] for row in found["customers"]] == [f"P{number}" for number in range(7)]
    assert len(found["tags"]) == 7


def test_two_presses_are_one_job(owner, store, url):
    owner.post(url("takeouts"))
    owner.post(url("takeouts"))
    assert Job.objects.for_store(store).count() == 1


def test_it_is_forgotten_after_a_week_and_when_somebody_is(owner, store, url, make_customer):
    one = make_customer()
    job = gathered(owner, store, url)
    assert making.forget_old(store, timezone.now() + timedelta(days=6)) == 0
    assert making.forget_old(store, timezone.now() + timedelta(days=8)) > 0
    assert "not kept any more" in owner.get(url("takeout", job.public_id)).content.decode()
    gathered(owner, store, url)
    erasing.erase(Customer.objects.select_related("store").get(pk=one.pk), by=None, at=NOW)
    assert not JobFile.objects.for_store(store).exists()


# -- Who may --


def test_all_data_are_the_owners_one_customers_the_managers(manager, staff, stranger, owner, store, url, make_customer):
    one = make_customer()
    job = gathered(owner, store, url)
    for address in (url("takeouts"), url("takeout", job.public_id), url("takeout_file", job.public_id)):
        assert manager.get(address).status_code == staff.get(address).status_code == 403
        assert stranger.get(address).status_code == 404
    assert manager.post(url("takeouts")).status_code == 403
    mine = url("customer_data", one.public_id)
    assert (staff.get(mine).status_code, stranger.get(mine).status_code, manager.post(mine).status_code) == (
        403,
        404,
        405,
    )
    assert "customers/data/" not in manager.get(reverse("customers:list", args=[store.slug])).content.decode()
