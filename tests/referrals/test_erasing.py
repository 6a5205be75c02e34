"""A person is forgotten (RELIABILITY G20): found in no table, the books as they were, still never written to."""

from __future__ import annotations

import io
import logging
import zipfile
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Sum
from django.urls import reverse

from customers.models import Customer, CustomerTag, Import, Order
from customers.services import Person, record_event
from insights.takeout import making as takeouts
from outreach import services as outreach
from outreach.models import Kind, Message, OutboxItem
from referrals.models import Appeal, ReferralEvent, ShareLink
from referrals.services import erasing, forgetting, merging
from referrals.services.links import landing_url, share_link_of, share_page_url
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Entry, LedgerTransaction, Offer, Payout, PayoutAddress, PayoutList, Reward, Voucher
from rewards.services import granting, ledger
from stores import jobs
from stores.models import AuditEvent, Job
from stores.services import note
from stores.tenancy import act_for
from surveys.models import Response, ResponseEvent, Testimonial
from tests.conftest import NOW, make_order_of
from tests.planned import plan_message
from tests.referrals.journey_world import count, refer

SYLLABLES = ("ba", "du", "ki", "lo", "me", "nu", "pa", "ri", "so", "ta")


def person(number: int) -> Person:
    """Somebody whose every name stands nowhere else."""
    first, last = divmod(number, 10)
    name = f"Zy{SYLLABLES[first]}x{SYLLABLES[last]} Qu{SYLLABLES[last]}v{SYLLABLES[first]}"
    return Person(name, f"zyq.{number}@erase.example", f"+63917555{number:04}", f"shop-no-{number:03}x")


def words(one: Person) -> list[str]:
    return [one.name, *one.name.split(), one.email, one.phone.lstrip("+"), one.external_id]


def found_anywhere(needles: list[str]) -> dict[str, list[str]]:
    """Tables in which a row says one of the words, by Postgres' own catalogue: whole rows, and files as they read."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_remove(array_agg(a.attname::text), NULL) FROM pg_class c LEFT JOIN pg_attribute a"
            " ON a.attrelid = c.oid AND a.atttypid = 'bytea'::regtype AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname"
        )
        for table, files in cursor.fetchall():
            said = " || ".join(["t::text", *(f"encode({file}, 'escape')" for file in files)])
            cursor.execute(
                f'SELECT word FROM unnest(%s) AS word WHERE EXISTS (SELECT FROM "{table}" AS t'
                f" WHERE strpos(lower({said}), lower(word)) > 0)",
                [needles],
            )
            hits = [word for (word,) in cursor.fetchall()]
            if hits:
                found[table] = hits
    return found


def exported(store, user) -> str:
    """Everything that the owner's file with all data says."""
    job = takeouts.work(store, takeouts.begin(store, by=user, at=NOW).pk)
    archive = zipfile.ZipFile(io.BytesIO(takeouts.archive_of(job).read()))
    return "\n".join(archive.read(name).decode("utf-8-sig") for name in archive.namelist()).lower()


def bring_file(store, people: list[Person], user, **facts) -> None:
    """A file of customers that somebody looks at, or that was stopped half way."""
    lines = "\n".join(f"{one.name},{one.email},{one.phone}" for one in people)
    Import.objects.create(
        store=store, kind="customers", name="customers.csv", content=lines.encode(), encoding="utf-8", delimiter=",",
        language="en", by=user, made_at=NOW, **facts,
    )  # fmt: skip


def live_a_life(store, who: Person) -> Customer:
    """Orders, a link, a friend, answers, messages, notes, cash: the name stands in every corner."""
    order = make_order_of(store, who, at=NOW)
    one = order.customer
    facts = {"customer": one, "store": store}
    Customer.objects.filter(pk=one.pk).update(postal_address=f"{who.name}, 1 Street", address_norm=who.name.lower())
    Order.objects.filter(pk=order.pk).update(named=who.name, card_hash="c" * 64)
    CustomerTag.objects.create(tag=who.name[:40].lower(), **facts)
    record_event(
        store,
        external_id=f"event:{one.pk}",
        kind="visit",
        person=who,
        data={"who": who.email},
        happened_at=NOW,
        at=NOW,
    )
    message = plan_message(
        one, Kind.ASK, at=NOW, key=f"ask:{one.pk}", due_at=NOW, to=who.email, context={"name": who.name}
    )
    OutboxItem.objects.create(
        store=store, message=message, channel="email", to=who.email, text=f"Hi {who.name}", at=NOW
    )
    answer = Response.objects.create(score=9, comment=f"I am {who.name}", at=NOW, **facts)
    ResponseEvent.objects.create(store=store, response=answer, score=9, comment=f"call {who.phone}", at=NOW)
    Testimonial.objects.create(
        response=answer,
        text=f"{who.name} says",
        shown_name=who.name,
        language="en",
        asked_at=NOW,
        status="granted",
        is_published=True,
        **facts,
    )
    Appeal.objects.create(
        kind="missing", friend_name=who.name, friend_contact=who.email, words=who.name, at=NOW, **facts
    )
    note(
        store,
        "customer.changed",
        subject=who.email,
        before={"name": who.name},
        after={"phone": who.phone},
        by=None,
        at=NOW,
    )
    PayoutAddress.objects.create(method="bank", sealed=who.name, hint=who.name, changed_at=NOW, **facts)
    granting.grant(
        one,
        make_offer(store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=50_00)),
        side=Reward.Side.CUSTOMER,
        key=f"gift:{one.pk}",
        at=NOW,
    )
    share_link_of(one, at=NOW)
    return one


def books(store) -> tuple[int, str]:
    rows = Entry.objects.for_store(store).order_by("pk").values_list("pk", "transaction", "account", "amount_minor")
    facts = LedgerTransaction.objects.for_store(store).order_by("pk").values_list("pk", "key", "kind")
    return ledger.total(store), sha256(repr([*rows, *facts]).encode()).hexdigest()


def test_a_hundred_people_are_found_nowhere(store, owner, caplog):
    people = [person(number) for number in range(100)]
    caplog.set_level(logging.DEBUG)
    caplog.handler.addFilter(lambda record: record.name != "django.db.backends")  # silent unless DEBUG is set
    customers = [live_a_life(store, one) for one in people]
    bring_file(store, people, owner.user)
    bring_file(store, people, owner.user, begun_at=NOW)
    sums = Order.objects.for_store(store).aggregate(Count("pk"), Sum("total_minor"))
    for one in (0, 1):  # both sides of a referral: each stands in the other's letters
        referral = refer(share_link_of(customers[one], at=NOW), f"Wuxyz{one} Vrrk{one}", at=NOW)
        count(referral, at=NOW)
        friend = Person(referral.friend.name, referral.friend.email)
        people.append(friend)
        customers.append(referral.friend)
    friends = customers[100:]
    needles = [word for one in people for word in words(one) if word]
    found = found_anywhere(needles)
    assert len(found) > 12
    assert "customers_import" in found
    before = books(store)
    for one in customers:
        assert erasing.erase(one, by=None, at=NOW)
    assert found_anywhere(needles) == {}
    assert books(store) == before
    assert ledger.drift(store) == {}
    file, log = exported(store, owner.user), caplog.text.lower()
    assert [word for word in needles if word.lower() in file] == []
    assert [word for word in needles if word.lower() in log] == []
    assert (
        Order.objects.for_store(store).exclude(customer__in=friends).aggregate(Count("pk"), Sum("total_minor")) == sums
    )
    for one, before_that in zip(people[:100], customers, strict=False):
        again = make_order_of(store, replace(one, consent={"email": True, "sms": True}), at=NOW).customer
        assert again.pk != before_that.pk
        assert outreach.is_suppressed(store, again)


def test_it_waits_for_nothing_and_shows_nothing(client, store):
    one = live_a_life(store, person(3))
    page, landing = share_page_url(one), landing_url(share_link_of(one, at=NOW))
    erasing.erase(one, by=None, at=NOW)
    assert not Message.objects.for_store(store).filter(status="pending").exists()
    assert Testimonial.objects.for_store(store).get().is_published is False
    for url in (page, landing, landing_url(ShareLink.objects.for_store(store).get())):
        assert client.get("/" + url.split("/", 3)[3]).status_code == 404
    act_for(store)
    assert not erasing.erase(Customer.objects.get(pk=one.pk), by=None, at=NOW)
    assert AuditEvent.objects.for_store(store).filter(action="customer.erased").count() == 1


def test_codes_that_were_given_out_can_still_be_used(store):
    from referrals.services import redeeming
    from rewards.services.vouchers import Bill

    one = live_a_life(store, person(4))
    code = Voucher.objects.for_store(store).get(kind="credit").code
    erasing.erase(one, by=None, at=NOW)
    assert redeeming.redeem(store, code, Bill(80_00, "PHP"), at=NOW).redemption.discount_minor == 50_00


def test_whoever_was_merged_is_forgotten_with_them(store):
    one, other = live_a_life(store, person(5)), live_a_life(store, person(6))
    merging.merge(one, other, by=None, at=NOW)
    erasing.erase(other, by=None, at=NOW)
    assert found_anywhere([*words(person(5)), *words(person(6))]) == {}
    assert Customer.objects.for_store(store).filter(erased_at=None).count() == 0


def test_a_namesake_keeps_their_name(store, make_customer):
    one, other = make_customer("Sara Ahmadi", "sara@example.com"), make_customer("Sara Ahmadi", "sara.b@example.com")
    Response.objects.create(store=store, customer=other, score=9, comment="Sara Ahmadi, sara.b@example.com", at=NOW)
    erasing.erase(one, by=None, at=NOW)
    other.refresh_from_db()
    assert other.name == "Sara Ahmadi"
    assert Response.objects.for_store(store).get().comment == "Sara Ahmadi, sara.b@example.com"


def test_another_address_that_ends_alike_is_left_alone(store, make_customer):
    one = make_customer("Ana", "ana@example.com")
    other = make_customer("Diana", "diana@example.com")
    erasing.erase(one, by=None, at=NOW)
    note(store, "x", subject="diana@example.com", by=None, at=NOW)
    other.refresh_from_db()
    assert other.email == "diana@example.com"
    assert AuditEvent.objects.for_store(store).filter(subject="diana@example.com").exists()


def test_somebody_to_be_paid_is_not_forgotten(store):
    one = live_a_life(store, person(8))
    batch = PayoutList.objects.create(store=store, currency="PHP", made_at=NOW)
    Payout.objects.create(
        store=store, batch=batch, customer=one, amount_minor=1, currency="PHP", method="bank", sealed="", hint=""
    )
    with pytest.raises(erasing.CannotErase):
        erasing.erase(one, by=None, at=NOW)
    one.refresh_from_db()
    assert one.email


def test_history_is_closed_to_everybody_else(store, share_link):
    """Neither a setting nor a statement of the application's opens it."""
    referral = refer(share_link)
    assert ReferralEvent.objects.filter(referral=referral).exists()
    for table in ("referrals_referralevent", "rewards_entry", "stores_auditevent"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.erasing', 'on', true)")
            cursor.execute(f"UPDATE {table} SET store_id = store_id")


# -- The page --


@pytest.fixture
def url(store):
    return lambda customer: reverse("referrals:erase", args=[store.slug, customer.public_id])


def forgotten(store, at) -> int:
    """What the sweep does, without committing."""
    done = jobs.waiting(store, forgetting.KIND, at)
    for job_id in done:
        jobs.work(store, job_id, forgetting._piece)
    return len(done)


def test_an_owner_forgets_somebody_in_two_taps_and_an_hour(owner, store, make_customer, url):
    one = make_customer("Sara Ahmadi", "sara@example.com")
    assert "Forget this customer" in owner.get(url(one)).content.decode()
    page = owner.post(url(one), follow=True).content.decode()
    assert "They are forgotten at" in page
    act_for(store)
    job = Job.objects.for_store(store).get(kind="erase")
    assert forgotten(store, job.started_at + timedelta(minutes=59)) == 0
    one.refresh_from_db()
    assert one.name
    assert forgotten(store, job.started_at + timedelta(minutes=61)) == 1
    one.refresh_from_db()
    assert (one.name, one.email, bool(one.erased_at)) == ("", "", True)
    assert AuditEvent.objects.for_store(store).get(action="customer.erased").user == owner.user
    assert forgotten(store, job.started_at + timedelta(hours=3)) == 0


def test_within_the_hour_it_can_be_undone(owner, store, make_customer, url):
    one = make_customer("Sara Ahmadi", "sara@example.com")
    owner.post(url(one))
    owner.post(url(one))
    act_for(store)
    assert Job.objects.for_store(store).filter(kind="erase").count() == 1
    page = owner.post(f"{url(one)}undo/", follow=True).content.decode()
    assert "they stay as they are" in page
    assert "They are forgotten at" not in page
    act_for(store)
    assert forgotten(store, NOW + timedelta(days=3650)) == 0
    one.refresh_from_db()
    assert one.name


def test_who_waits_for_cash_is_not_forgotten(owner, store, make_customer, url):
    one = make_customer("Sara Ahmadi", "sara@example.com")
    batch = PayoutList.objects.create(store=store, currency="PHP", made_at=NOW)
    facts = {"amount_minor": 1, "currency": "PHP", "method": "bank", "sealed": "", "hint": ""}
    Payout.objects.create(store=store, batch=batch, customer=one, **facts)
    assert owner.post(url(one)).status_code == 422
    act_for(store)
    assert not Job.objects.for_store(store).exists()


def test_a_manager_may_not(manager, store, make_customer, url):
    one = make_customer("Sara Ahmadi", "sara@example.com")
    assert manager.post(url(one)).status_code == 403
    assert manager.post(f"{url(one)}undo/").status_code == 403
    act_for(store)
    one.refresh_from_db()
    assert one.erased_at is None
