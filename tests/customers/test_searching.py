"""Finding a customer by anything: exactly, by the beginning of any word, by the last digits; always by an index."""

import re

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers import queries, searching, tagging
from customers.models import Customer, Order, SearchTerm
from customers.services import Person
from referrals.services import merging
from referrals.services.links import share_link_of
from stores.tenancy import act_for, acting_for
from tests.conftest import NOW, make_order_of


@pytest.fixture
def people(store):
    make_order_of(
        store,
        Person("Sara Ahmadi-Nejad", "sara@example.com", "+639171234567", "c-9"),
        at=NOW,
        external_id="#1001",
    )
    make_order_of(store, Person("Maria dela Cruz", "mdc@example.com", "+639280000111"), at=NOW)
    make_order_of(store, Person("علي كريمي", "ali@example.ir"), at=NOW)
    make_order_of(store, Person("Paolo Reyes", "paolo@example.com"), at=NOW)


def names(store, typed):
    return sorted(one.name for one in queries.find(store, typed, ""))


@pytest.mark.parametrize(
    "typed",
    [
        "sara", "SARA AH", "Ahmadi", "nejad", "ahmadi sara", "nejad sara", "sara@", " Sara@Example.com ",
        "+63 917 123 4567", "0917-123-4567", "0917 123", "۰۹۱۷۱۲۳۴۵۶۷", "۴۵۶۷", "234567", "00639171", "c-9",
        "#1001", "1001", " 1001 ",
    ],
)  # fmt: skip
def test_it_finds_by_anything(store, people, typed):
    assert names(store, typed) == ["Sara Ahmadi-Nejad"]


@pytest.mark.parametrize("typed", ["علی", "علي", "کریمی", "كريمي", "کریمی علی", "كري"])
def test_persian_letters_are_one(store, people, typed):
    assert names(store, typed) == ["علي كريمي"]


@pytest.mark.parametrize("typed", ["maria cruz", "cruz maria", "dela cruz", "cruz ma", "MARIA  CRUZ"])
def test_words_need_not_stand_together(store, people, typed):
    assert names(store, typed) == ["Maria dela Cruz"]


@pytest.mark.parametrize("typed", ["ara", "cruz paolo", "%", "_", "171", "", "'; drop", "<", "+", "\x00"])
def test_what_is_no_beginning_finds_nobody_or_filters_nothing(store, people, typed):
    assert names(store, typed) in ([], names(store, ""))


def test_it_finds_by_ids_and_codes(store, people):
    sara = Customer.objects.for_store(store).get(external_id="c-9")
    code = share_link_of(sara, at=NOW).code
    order = Order.objects.for_store(store).get(external_id="#1001")
    for typed in (sara.public_id, order.public_id, code, code.lower()):
        assert names(store, typed) == ["Sara Ahmadi-Nejad"]


@pytest.mark.parametrize("most", [200, 1], ids=["few match", "very many match"])
@pytest.mark.parametrize("typed", ["cru", "maria dela", "0928 000", "0111", "mdc@", "mdc@example.com", "+63928"])
def test_filters_and_words_go_together(store, people, typed, most, monkeypatch):
    monkeypatch.setattr(searching, "MOST_OF_CHOSEN", most)
    monkeypatch.setattr(searching, "MOST", min(most, 100) - 1)
    maria = Customer.objects.for_store(store).filter(name="Maria dela Cruz")
    tagging.tag(store, maria.values_list("pk", flat=True), "vip")
    assert [one.name for one in queries.find(store, typed, "", tag="vip")] == ["Maria dela Cruz"]
    assert not queries.find(store, "sara", "", tag="vip").exists()
    assert not queries.find(store, "+", "", tag="vip").exists()


def test_terms_follow_every_writer(store, people):
    rows = Customer.objects.for_store(store).filter(name="Paolo Reyes")
    rows.update(name="Paul King", name_norm="paul king", phone="+639990001122", phone_norm="+639990001122")
    assert names(store, "king") == names(store, "1122") == ["Paul King"]
    assert names(store, "reyes") == []
    rows = Customer.objects.for_store(store).filter(name="Paul King")
    rows.update(name="", name_norm="", email="", email_norm="", phone="", phone_norm="")
    assert not SearchTerm.objects.for_store(store).filter(customer__email_norm="", customer__phone_norm="").exists()


def test_a_merged_rows_words_lead_to_the_survivor(store, people):
    sara, maria = (
        Customer.objects.for_store(store).get(email_norm=one) for one in ("sara@example.com", "mdc@example.com")
    )
    merging.merge(sara, maria, by=None, at=NOW)
    assert names(store, "dela cruz") == names(store, "0111") == names(store, "sara")


def test_another_stores_customers_are_never_found(store, other_store, people):
    with acting_for(other_store):
        make_order_of(other_store, Person("Sara Elsewhere", "eve@example.com"), at=NOW, external_id="#7")
    act_for(store)
    assert names(store, "sara") == ["Sara Ahmadi-Nejad"]
    assert names(store, "#7") == []


def test_many_are_cut_and_the_page_says_so(store, people, manager, monkeypatch):
    monkeypatch.setattr(searching, "MOST", 2)
    for number in range(3):
        make_order_of(store, Person(f"Zoe Number{number}"[:200], f"zoe{number}@example.com"), at=NOW)
    found = queries.look(store, "zoe", "")
    assert (found.people.count(), found.is_cut) == (2, True)
    assert not queries.look(store, "paolo", "").is_cut
    url = reverse("customers:list", args=[store.slug])
    assert "Write more of the name" in manager.get(url, {"q": "zoe"}).content.decode()


def test_the_whole_word_comes_before_longer_ones(store, monkeypatch):
    monkeypatch.setattr(searching, "MOST", 1)
    for name in ("Alina Ba", "Ali Ba", "Alia Ba"):
        make_order_of(store, Person(name, f"{name.split()[0]}@example.com"), at=NOW)
    assert names(store, "ali") == ["Ali Ba"]


# -- Plans --


def plans(store, typed: str) -> list[str]:
    """The plans of the statements that look for terms."""
    with CaptureQueriesContext(connection) as queries_run:
        searching.search(store, typed)
    found = []
    with connection.cursor() as cursor:
        for one in [query["sql"] for query in queries_run if "customers_searchterm" in query["sql"]]:
            cursor.execute("EXPLAIN (COSTS OFF) " + one)
            found.append("\n".join(row[0] for row in cursor.fetchall()))
    return found


def fill(store, many: int) -> None:
    rows = [
        Customer(store=store, name=f"N{n % 97} F{n}", name_norm=f"n{n % 97} f{n}", phone_norm=f"+63917{n:07}")
        for n in range(many)
    ]
    Customer.objects.bulk_create(rows)


@pytest.fixture
def crowd(committed_store):
    """A store with 3,000 customers, as the planner knows them after a vacuum."""
    with acting_for(committed_store):
        fill(committed_store, 3000)
    with connections["owner"].cursor() as owner:
        owner.execute("ANALYZE customers_searchterm")
    with acting_for(committed_store):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('enable_seqscan')")
            assert cursor.fetchone() == ("goodword_app", "on")
        yield committed_store


@pytest.mark.parametrize("typed", ["n5", "f17 n5", "0917 000"])
def test_the_range_of_terms_is_read_from_the_index(crowd, typed):
    found = plans(crowd, typed)
    assert found
    for plan in found:
        assert re.search(r"Index (Only )?Scan.* (using|on) searchterm_range", plan), plan
        assert "Seq Scan" not in plan
        assert re.search(r"Index Cond: .*term\)?(::text)? >= '", plan), plan


def test_without_a_leakproof_condition_the_wall_keeps_it_out_of_the_index(crowd):
    """The control: LIKE says the same, and reads every term of the store."""
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (COSTS OFF) SELECT customer_id FROM customers_searchterm WHERE store_id = %s AND term LIKE %s",
            [crowd.pk, "n5%"],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "term" in plan
    assert not re.search(r"Index Cond: .*term\)?(::text)? >= '", plan)


@pytest.mark.parametrize(("typed", "most"), [("sara", 3), ("0917 123 4567", 3), ("sara ahmadi xx yy", 5)])
def test_a_search_is_a_few_statements_however_many_there_are(store, people, typed, most, django_assert_max_num_queries):
    with django_assert_max_num_queries(most):
        searching.search(store, typed)
    fill(store, 200)
    with django_assert_max_num_queries(most):
        searching.search(store, typed)
