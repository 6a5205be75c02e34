"""A sample: played by the engine, silent, apart; removed with every row of it, and with no row of anything else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.urls import reverse
from django.utils import timezone

from customers.models import Channel, Customer, Order
from customers.services import Person
from insights.sample import making, past
from insights.setup import steps
from outreach import accounts
from referrals.models import Referral, Visit
from referrals.services import partners
from referrals.services.links import share_link_of
from rewards.models import Entry, Reward
from rewards.services import ledger
from stores import directory
from stores.models import AuditEvent, Job, Membership, Role, Store, User
from stores.tenancy import acting_for
from surveys.models import Response
from tests.conftest import NOW, make_order_of
from tests.referrals.partner_world import DEAL

TABLES = """
    SELECT c.table_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND c.column_name = 'store_id' AND t.table_type = 'BASE TABLE' ORDER BY 1
"""
HISTORY = "stores_auditevent"
Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(store_id: int) -> Rows:
    """Every row of a store in every table that the database knows, and its own."""
    with acting_for(store_id), connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        assert len(tables) > 60
        found = {}
        for table, column in [*((table, "store_id") for table in tables), ("stores_store", "id")]:
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} t WHERE {column} = %s ORDER BY t::text", [store_id])
            found[table] = cursor.fetchall()
    return found


def without_history(rows: Rows) -> Rows:
    return {table: found for table, found in rows.items() if table != HISTORY}


@pytest.fixture
def somebody(committed) -> User:
    return User.objects.create_user(f"{timezone.now().timestamp()}@example.com", name="Leila Santos")


@pytest.fixture
def real(committed_store, somebody) -> Store:
    """A real store with an owner, a customer, an order, a link and money in its books."""
    with acting_for(committed_store):
        Membership.objects.create(store=committed_store, user=somebody, role=Role.OWNER)
        customer = make_order_of(committed_store, Person("Sara Ahmadi", "sara@example.com"), at=NOW).customer
        share_link_of(customer, at=NOW)
        ledger.post(
            committed_store,
            key="first",
            kind="grant",
            amounts={
                ledger.account(committed_store, "credit", "PHP", customer): 500,
                ledger.account(committed_store, "cost", "PHP"): -500,
            },
            at=NOW,
        )
    return committed_store


@pytest.fixture
def sample(real, somebody) -> Store:
    """The store's sample, still empty."""
    with acting_for(real):
        return making.begin(real, by=somebody, at=timezone.now())


def test_it_is_played_and_removed_and_the_real_store_never_knew(real, somebody):
    before, stores_before = rows_of(real.pk), directory.all_store_ids()
    with acting_for(real):
        sample = making.begin(real, by=somebody, at=timezone.now())

    assert making.continue_all(timezone.now()) == 1

    job = making.job_of(sample)
    assert (job.state, job.done, job.failed) == (Job.State.DONE, past.DAYS, 0)
    with acting_for(sample):
        people, orders = Customer.objects.for_store(sample), Order.objects.for_store(sample)
        assert past.PEOPLE / 2 < people.filter(orders__source="shop").distinct().count() <= past.PEOPLE
        assert orders.count() > 60
        assert Response.objects.for_store(sample).count() > 10
        assert Visit.objects.for_store(sample).count() > 5
        assert Referral.objects.for_store(sample).filter(status=Referral.Status.APPROVED).exists()
        assert Reward.objects.for_store(sample).filter(status=Reward.Status.GRANTED).exists()
        assert Entry.objects.for_store(sample).exists()
        assert ledger.total(sample) == 0
    assert without_history(rows_of(real.pk)) == without_history(before)

    began = time.monotonic()
    assert making.remove(sample, by=somebody, at=timezone.now()) == real
    print(f"removed in {time.monotonic() - began:.2f} s")
    assert {label: len(found) for label, found in rows_of(sample.pk).items() if found} == {}
    assert directory.all_store_ids() == stores_before
    assert directory.store_id_by_slug(sample.slug) is None
    after = rows_of(real.pk)
    assert without_history(after) == without_history(before)
    assert all(event in after[HISTORY] for event in before[HISTORY])
    with acting_for(real):
        added = AuditEvent.objects.for_store(real).order_by("-pk")[:2]
        assert [event.action for event in added] == ["sample.removed", "sample.made"]
    assert len(after[HISTORY]) == len(before[HISTORY]) + 2


def test_nobody_sees_it_half_made_but_how_far_it_is(sample, monkeypatch):
    """What goes on by itself every few seconds would take a day of the past for today."""
    seen: list[tuple[int, int]] = []
    middle, usual = timezone.now() - timedelta(days=past.DAYS // 2), making._counter

    def look() -> None:
        job = making.job_of(sample)
        assert job is not None
        with acting_for(sample):
            seen.append((Order.objects.for_store(sample).count(), making.days_done(job)))
        connections.close_all()

    def counter(job: Job) -> Callable[[datetime], None]:
        passed = usual(job)

        def passed_and_seen(day: datetime) -> None:
            passed(day)
            if not seen and day > middle:
                thread = threading.Thread(target=look)
                thread.start()
                thread.join()

        return passed_and_seen

    monkeypatch.setattr(making, "_counter", counter)
    monkeypatch.setattr(past, "PEOPLE", 8)
    monkeypatch.setattr(past, "ORDERS_A_DAY", 0.3)
    making.continue_all(timezone.now())
    ((orders, days),) = seen
    assert orders == 0
    assert past.DAYS / 4 < days < past.DAYS
    with acting_for(sample):
        assert Order.objects.for_store(sample).exists()


# -- Only a sample can be removed --


def test_a_real_store_is_not_removed(real):
    before = rows_of(real.pk)
    with acting_for(real), connection.cursor() as cursor:
        cursor.execute("SELECT goodword_remove_sample()")
        assert cursor.fetchone() == (0,)
    assert rows_of(real.pk) == before


def test_a_real_store_never_becomes_a_sample(real, sample):
    for store, other in ((real, sample), (sample, None)):
        with pytest.raises(DatabaseError, match="born as a sample"), acting_for(store):
            Store.objects.filter(pk=store.pk).update(sample_of=other)


def test_a_real_store_is_not_deleted_by_hand(real):
    with pytest.raises(DatabaseError, match="only a sample"), acting_for(real), connection.cursor() as cursor:
        cursor.execute("DELETE FROM stores_store WHERE id = %s", [real.pk])


def test_not_even_the_tables_owner_takes_a_line_out_of_real_books(real):
    with transaction.atomic("owner"), connections["owner"].cursor() as owner:
        owner.execute("SELECT set_config('app.store', %s, true)", [str(real.pk)])
        owner.execute("SELECT set_config('app.removing_sample', 'on', true)")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic("owner"):
            owner.execute("DELETE FROM rewards_entry")
        transaction.set_rollback(True, "owner")


def test_a_samples_books_are_append_only_until_it_goes(sample):
    with pytest.raises(DatabaseError, match="permission denied"), acting_for(sample), connection.cursor() as cursor:
        cursor.execute("DELETE FROM rewards_terms")


def test_while_it_is_made_it_stays(real, sample, somebody):
    ready, go = threading.Event(), threading.Event()

    def make() -> None:
        with acting_for(sample):
            list(Job.objects.for_store(sample).select_for_update())
            ready.set()
            go.wait(60)
        connections.close_all()

    thread = threading.Thread(target=make)
    thread.start()
    ready.wait(60)
    try:
        with pytest.raises(making.AtWork):
            making.remove(sample, by=somebody, at=timezone.now())
    finally:
        go.set()
        thread.join()
    assert directory.sample_of(real) == sample.pk
    making.remove(sample, by=somebody, at=timezone.now())  # the control: nobody works at it
    assert directory.sample_of(real) is None


@pytest.mark.parametrize(("is_removed", "outcome"), [(True, "refused"), (False, "kept")])
def test_what_is_written_meanwhile_does_not_stay_behind(sample, somebody, is_removed, outcome):
    written, go, came = threading.Event(), threading.Event(), []

    def write() -> None:
        try:
            with acting_for(sample):
                Customer.objects.create(store=sample, name="Late")
                written.set()
                go.wait(60)
        except IntegrityError:
            came.append("refused")
        else:
            came.append("kept")
        connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    written.wait(60)
    if is_removed:
        making.remove(sample, by=somebody, at=timezone.now())
    go.set()
    thread.join()
    assert came == [outcome]
    assert any(rows_of(sample.pk).values()) != is_removed


def test_a_store_has_one_sample(real, sample, somebody):
    with acting_for(real):
        assert making.begin(real, by=somebody, at=timezone.now()) == sample
    with acting_for(sample):
        assert Job.objects.for_store(sample).count() == 1


def test_two_presses_at_once_make_one(real, somebody):
    made: list[int] = []
    barrier = threading.Barrier(2)

    def press() -> None:
        barrier.wait(60)
        with acting_for(real):
            made.append(making.begin(real, by=somebody, at=timezone.now()).pk)
        connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert set(made) == {directory.sample_of(real)}


# -- It keeps to itself --


@pytest.mark.parametrize("channel", Channel.values)
def test_its_letters_stay_whatever_is_set(real, sample, settings, monkeypatch, channel):
    settings.EMAIL_CHANNEL, settings.SMS_CHANNEL = "email", "http"
    assert accounts.transport_for(real, channel) is not None
    assert accounts.transport_for(sample, channel) is None
    monkeypatch.setattr(accounts, "own", lambda store, channel: pytest.fail("a sample's own account was looked for"))
    assert accounts.transport_for(sample, channel) is None


def test_nobody_is_added_to_it_or_gets_mail_from_it(real, sample, somebody, client):
    client.force_login(somebody, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(reverse("stores:people", args=[sample.slug]), {"email": "ana@example.com", "role": "staff"})
    assert answer.status_code == 422
    assert "sample data" in answer.content.decode()
    with acting_for(sample):
        membership = Membership.objects.for_store(sample).get(user=somebody)
    client.post(reverse("stores:person", args=[sample.slug, membership.pk]), {"action": "mail"})
    assert mail.outbox == []
    assert not User.objects.filter(email="ana@example.com").exists()


def test_it_is_no_partner(real, sample):
    for store, slug in ((real, sample.slug), (sample, real.slug)):
        with acting_for(store), pytest.raises(partners.NoSuchStore):
            partners.offer(store, slug, DEAL, by=None, at=timezone.now())


def test_the_real_store_opens_at_once_all_the_same(real, sample, somebody, client):
    client.force_login(somebody, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/stores/").url == f"/d/{real.slug}/"


def test_what_it_sells_costs_what_the_owner_said(real):
    goods = past.priced(past.FERNHILL.items, 90_000)
    usual = past.AN_ORDER * sum(item.price_minor for item in goods) / len(goods)
    assert 0.95 < usual / 90_000 < 1.05
    assert past.typical(real) == 900_00
    real.setup = {"average_minor": 12_345}
    assert past.typical(real) == 12_345


def test_a_program_with_goods_of_its_own_is_played_with_the_usual_gifts(real, sample):
    with acting_for(sample):
        assert past.terms_for(sample).friend.percent == 10


# -- The pages --


@pytest.fixture
def client_of(real, somebody, client):
    client.force_login(somebody, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_the_owner_makes_it_looks_and_removes_it(real, client_of):
    page, made = (
        reverse("insights:setup_step", args=[real.slug, "orders"]),
        reverse("insights:sample", args=[real.slug]),
    )
    assert "Make the sample" in client_of.get(page).content.decode()
    assert client_of.post(made).url == page
    sample = making.sample_of(real)
    assert sample.name == "Sample of Committed"
    assert f"Day 0 of {past.DAYS} passes" in client_of.get(page).content.decode()
    assert f"Day 0 of {past.DAYS}" in client_of.get(made, headers={"HX-Request": "true"}).content.decode()
    home = reverse("insights:home", args=[sample.slug])
    assert "everybody here is made up" in client_of.get(home).content.decode()
    assert client_of.get(reverse("insights:setup", args=[sample.slug])).status_code == 404
    answer = client_of.post(reverse("insights:remove_sample", args=[sample.slug]))
    assert answer.url == reverse("insights:home", args=[real.slug])
    assert "all of it" in client_of.get(answer.url).content.decode()
    assert client_of.get(home).status_code == 404
    assert client_of.post(reverse("insights:remove_sample", args=[real.slug])).status_code == 302


def test_making_it_is_a_step_done(real, sample):
    with acting_for(real):
        assert steps.board(real).places[-1].state == steps.State.DONE


def test_managers_see_it_but_do_not_remove_it(real, somebody, client):
    manager = User.objects.create_user(f"m{timezone.now().timestamp()}@example.com")
    with acting_for(real):
        Membership.objects.create(store=real, user=manager, role=Role.MANAGER)
        sample = making.begin(real, by=somebody, at=timezone.now())
    client.force_login(manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("insights:home", args=[sample.slug]))
    assert page.status_code == 200
    assert "Remove the sample data" not in page.content.decode()
    assert client.post(reverse("insights:remove_sample", args=[sample.slug])).status_code == 403
    assert client.post(reverse("insights:sample", args=[real.slug])).status_code == 403
    assert directory.sample_of(real) == sample.pk
