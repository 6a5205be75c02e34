"""Ten thousand messages wait, and people ask for silence: from that moment nothing of theirs is taken."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

from django.db import connection
from django.test import Client

from customers.models import Customer
from outreach import handover, judging
from outreach.channels.sms.words import is_stop
from outreach.models import Kind, Message
from outreach.services import unsubscribe
from stores import tokens
from stores.tenancy import acting_for
from tests.outreach.claiming import claim, due, person

PEOPLE, EACH = 1000, 10
WORDS = ["STOP", "stop please", "UNSUBSCRIBE", "لغو", "11", "Itigil na po"]


def queue(store, now, people: int, each: int) -> list[Customer]:
    """So many messages for each of these people, half of them texts, all due in the last hour; no cap to speak of."""
    store.weekly_cap = 32_000
    store.save(update_fields=["weekly_cap"])
    consents = {"email_consent": True, "sms_consent": True}
    everybody = Customer.objects.bulk_create(
        Customer(store=store, name="Sara", phone_norm=f"+639{number:09}", **consents)
        if number % 2
        else Customer(store=store, name="Sara", email_norm=f"sara{number}@example.com", **consents)
        for number in range(people)
    )
    Message.objects.bulk_create(
        Message(
            store=store,
            customer=one,
            kind=(Kind.ASK, Kind.REWARD, Kind.SURVEY)[number % 3],
            key=f"{one.pk}:{number}",
            due_at=now - timedelta(seconds=place * 7 % 3600),
            created_at=now,
            context={"links": {}},
        )
        for place, (one, number) in enumerate((one, number) for number in range(each) for one in everybody)
    )
    return everybody


def claim_all(store, now) -> set[int]:
    """Claim until nothing is left to claim; whose messages went."""
    whose = set()
    while Message.objects.for_store(store).filter(status="pending").exists():
        whose.update(message.customer_id for message in claim(store, now))
    return whose


def fall_silent(store, people, now) -> set[int]:
    """The first by one click in the mail, the others by a word sent back; who did."""
    by_mail, by_text = people[0], people[1:]
    token = tokens.make(tokens.Purpose.UNSUBSCRIBE, store.pk, by_mail)
    assert Client().post(f"/u/{token}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    for number, one in enumerate(by_text):
        assert is_stop(WORDS[number % len(WORDS)])
        unsubscribe(store, one, source="text message", at=now)
    return {one.pk for one in people}


def test_ten_thousand_wait_and_half_of_the_people_ask_for_silence(store, now):
    people = queue(store, now, PEOPLE, EACH)
    before = set()
    while len(before) < 2000:
        before.update(message.pk for message in claim(store, now))
    silent = fall_silent(store, people[: PEOPLE // 2], now)
    after = claim_all(store, now)
    print(f"{len(before)} taken before, {len(after & silent)} people bothered after of {len(silent)}")
    assert after & silent == set()
    assert after == {one.pk for one in people} - silent
    rest = Message.objects.for_store(store).filter(customer__in=silent).exclude(pk__in=before)
    assert set(rest.values_list("status", "reason")) <= {("skipped", "suppressed"), ("skipped", "no_consent")}


def test_control_who_asks_when_it_was_planned_bothers_them(store, now, monkeypatch):
    """The same, but what is known of people is what was known before."""
    people = queue(store, now, 100, 10)
    real = judging.gather
    monkeypatch.setattr(judging, "gather", lambda store, due, at: replace(real(store, due, at), closed={}))
    silent = fall_silent(store, people[:50], now)
    Customer.objects.filter(pk__in=silent).update(email_consent=True, sms_consent=True)
    assert claim_all(store, now) & silent == silent


def test_while_workers_claim(committed_store, now):
    """Two workers take messages while people fall silent one after the other, without any of them waiting."""
    store = committed_store
    with acting_for(store):
        people = queue(store, now, 400, 10)
    silent_at, late, taken, done = {}, [], [], Event()

    def work() -> None:
        while not done.is_set():
            started = time.monotonic()
            taken.extend((started, message.customer_id) for message in claim(store, now, limit=5))
        connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for one in people[:200]:
        with acting_for(store):
            unsubscribe(store, one, source="test", at=now)
        silent_at[one.pk] = time.monotonic()  # committed
        with acting_for(store):
            late += Message.objects.filter(customer=one, status="pending")[:1]
    done.set()
    for worker in workers:
        worker.join()
    bothered = [who for started, who in taken if started > silent_at.get(who, started)]
    print(f"{len(taken)} taken, {len(late)} people fell silent with something waiting, {len(bothered)} bothered")
    assert taken
    assert late
    assert bothered == []


def test_silence_between_the_claim_and_the_hand_over_is_in_time(store, now, monkeypatch):
    """A batch is handed over one by one; the last may have to wait for a minute."""
    sara, bea = person(store), person(store)
    first, second = due(sara, Kind.REWARD, now - timedelta(hours=1)), due(bea, Kind.REWARD, now)
    turn, sent = handover.Turn(store), []
    turn.transports = {"email": lambda letter: sent.append(letter.to) or "id"}
    for message in claim(store, now, token=turn.token):
        if message == second:
            unsubscribe(store, bea, source="test", at=now)
        handover.send(turn, message, now)
    assert sent == [sara.email_norm]
    second.refresh_from_db()
    assert (second.status, second.started_at, second.attempts) == ("pending", None, 0)
    assert claim(store, now) == []
    second.refresh_from_db(), first.refresh_from_db()
    assert (first.status, second.status, second.reason) == ("sent", "skipped", "suppressed")
