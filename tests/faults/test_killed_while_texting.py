"""Texts through a gateway that knows no key but can be asked: none lost, none doubled, none left to a person.

Four workers, five kills -9, one a second, and a gateway that takes a text and hangs up without an answer.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from customers.models import Customer
from tests.fakes import kavenegar
from tests.fakes.kavenegar import FakeKavenegar
from tests.fakes.server import Hangup
from tests.faults.crew import SHORT, Killer, report
from tests.stack import Stack, missing, repeated, where_it_is_noon

MESSAGES = 120
KILLS = 5
SILENT_EACH = 15
# A gateway that has not got a text after ten minutes never will; the test asks with a clock that is ahead.
AHEAD = timedelta(minutes=11)


class Gateway(FakeKavenegar):
    """Counts what it makes a text of, and a second is a second; hangs up on each so many after taking it."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: Counter[str] = Counter()
        self.silences = 0
        self.remembers = True

    def respond(self, seen):
        if seen.path.endswith("statuslocalmessageid.json") and not self.remembers:
            return self.answer(200, [{"messageid": 0, "status": 100}])
        return super().respond(seen)

    def send(self, form):
        answer = super().send(form)
        number = form["receptor"]
        self.accepted[number] += 1
        if self.accepted[number] == 1 and len(self.accepted) % SILENT_EACH == 0:
            self.silences += 1
            return Hangup()
        return answer


@pytest.fixture
def gateway():
    fake = Gateway()
    yield fake
    fake.close()


@pytest.fixture
def stack(gateway, settings, django_db_blocker):
    settings.SMS_CHANNEL, settings.SMS_PROVIDER, settings.SMS_URL = "http", "kavenegar", gateway.url
    settings.SMS_FIELDS, settings.SMS_SENDER = {"api_key": kavenegar.KEY}, kavenegar.LINE
    environment = {
        "SMS_PROVIDER": "kavenegar",
        "SMS_URL": gateway.url,
        "SMS_SETTINGS": "API_KEY",
        "SMS_API_KEY": kavenegar.KEY,
        "SMS_SENDER": kavenegar.LINE,
    }
    with django_db_blocker.unblock(), Stack(**SHORT, **environment) as stack:
        yield stack
        print(stack.log())


@pytest.fixture
def numbers(stack, store, due):
    """Messages for people with a phone and no mail, who live where it is noon now; their numbers as dialled at home."""

    def turn_to_texts() -> set[str]:
        zone = where_it_is_noon()
        people = list(Customer.objects.for_store(store).order_by("pk"))
        for place, person in enumerate(people):
            # The first thousands have a meaning for the fake.
            person.phone_norm = f"+98912{10_000 + place:07}"
            person.email_norm, person.time_zone = "", zone
        Customer.objects.bulk_update(people, ["phone_norm", "email_norm", "time_zone"])
        return {f"0{person.phone_norm[3:]}" for person in people}

    due(MESSAGES)
    return stack.inside(store, turn_to_texts)


def test_a_gateway_that_can_be_asked_gets_each_text_once(stack, store, numbers, statuses, gateway):
    killer = Killer(stack, store)
    fates = killer.run(statuses, {"sent"}, kills=KILLS, ahead=AHEAD)
    report("look-up", killer, gateway.accepted, gateway.silences, fates)
    assert missing(gateway.accepted, numbers) == set()
    assert repeated(gateway.accepted) == {}
    assert gateway.silences == MESSAGES // SILENT_EACH


def test_control_who_sends_again_what_was_taken_doubles(stack, store, numbers, statuses, gateway):
    """As without asking: the gateway says of everything that it never got it."""
    gateway.remembers = False
    killer = Killer(stack, store)
    fates = killer.run(statuses, {"sent"}, kills=KILLS, ahead=AHEAD)
    report("control", killer, gateway.accepted, gateway.silences, fates)
    assert missing(gateway.accepted, numbers) == set()
    assert len(repeated(gateway.accepted)) >= gateway.silences
