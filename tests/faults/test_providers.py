"""Providers that are slow, silent, wrong or odd (RELIABILITY G9, G23, rule 23), each at the other end of a real line.

A letter is accepted at most once; what nobody can know is said to be unknown; what was certainly not taken goes later.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import timedelta

import pytest
from django.utils import timezone

from outreach import aftermath, dispatch, handover
from outreach.channels import sms
from outreach.channels.sms.base import Patience
from outreach.models import Kind, Message
from stores.tenancy import acting_for
from tests.fakes import generic, kavenegar, resend
from tests.fakes.server import Hangup, Reply, Reset, Seen, Silence
from tests.fakes.smtp import FakeSmtp, Gone, Nothing, Said
from tests.outreach.claiming import caller, due, person
from tests.stack import where_it_is_noon

PATIENCE = 1.5  # more than a good answer takes on a busy machine
LATER = Reply(429, b"{}", {"Retry-After": "7200"})
# What they do after they have accepted a message; None: answer well, only slowly.
AFTER_ACCEPTING = {
    "silent": Silence(),
    "reset": Reset(),
    "gone": Hangup(),
    "500": Reply(500, b"Oh no"),
    "malformed": Reply(200, b"<html>{"),
    "slow": None,
}


class Misbehaving:
    """After accepting a message they do what stands first in `after`; one call is one message."""

    def __init__(self) -> None:
        super().__init__()
        self.taken_for: Counter[str] = Counter()  # by what names the message
        self.after: deque = deque()

    def respond(self, seen: Seen):
        answer = super().respond(seen)
        name = self.name_of(seen)
        if name is None:
            return answer
        self.taken_for[name] += 1
        if not self.after:
            return answer
        told = self.after.popleft()
        time.sleep(0 if told else PATIENCE / 3)
        return told or answer


class Resend(Misbehaving, resend.FakeResend):
    """Knows our key."""

    def name_of(self, seen: Seen) -> str:
        return seen.headers["idempotency-key"]

    @property
    def times(self) -> Counter[str]:
        return self.accepted


class Kavenegar(Misbehaving, kavenegar.FakeKavenegar):
    """Knows no key, and can be asked."""

    def name_of(self, seen: Seen) -> str | None:
        return seen.form["receptor"] if seen.path.endswith("send.json") else None

    @property
    def times(self) -> Counter[str]:
        return self.taken_for


class Generic(Misbehaving, generic.FakeGeneric):
    """Knows nothing."""

    def name_of(self, seen: Seen) -> str:
        return seen.json["to"]

    @property
    def times(self) -> Counter[str]:
        return self.taken_for


@pytest.fixture
def by_resend(settings):
    fake = Resend()
    settings.EMAIL_CHANNEL, settings.EMAIL_BACKEND = "email", "anymail.backends.resend.EmailBackend"
    settings.ANYMAIL = {
        "REQUESTS_TIMEOUT": PATIENCE, "RESEND_API_KEY": resend.KEY, "RESEND_API_URL": fake.url,
    }  # fmt: skip
    yield fake
    fake.close()


@pytest.fixture
def texts(settings, monkeypatch):
    """Texts go to this provider, who has little time."""

    def to(slug: str, fake) -> None:
        monkeypatch.setattr(sms.GATEWAYS[slug], "patience", Patience(connect=PATIENCE, whole=PATIENCE))
        settings.SMS_CHANNEL, settings.SMS_PROVIDER, settings.SMS_URL = "http", slug, fake.url

    return to


@pytest.fixture
def by_kavenegar(settings, texts):
    fake = Kavenegar()
    texts("kavenegar", fake)
    settings.SMS_FIELDS, settings.SMS_SENDER = {"api_key": kavenegar.KEY}, kavenegar.LINE
    yield fake
    fake.close()


@pytest.fixture
def by_generic(settings, texts):
    fake = Generic()
    texts("generic", fake)
    settings.SMS_TOKEN = generic.TOKEN
    yield fake
    fake.close()


@pytest.fixture
def by_smtp(settings):
    fake = FakeSmtp()
    settings.EMAIL_CHANNEL, settings.EMAIL_BACKEND = "email", "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", fake.port, PATIENCE
    yield fake
    fake.close()


@pytest.fixture
def fates(committed_store):
    """`fates(texts=False, after=...)`: one message is sent; its status, then, and whether it waits for long."""
    store = committed_store

    def send(*, texts: bool) -> tuple[str, bool]:
        now = timezone.now()
        with acting_for(store):
            phone = f"+98912{Message.objects.for_store(store).count() + 10_000:07}"
            facts = {"phone": phone, "phone_norm": phone, "time_zone": where_it_is_noon()}
            message = due(caller(store, **facts) if texts else person(store), Kind.REWARD, now)
        dispatch.dispatch(seconds=20)
        with acting_for(store):
            message.refresh_from_db()
        return message.status, message.due_at > now + timedelta(hours=1)

    return send


@pytest.fixture
def go_on(committed_store):
    """Later: what waits is due, and who can be asked is asked; how many ended how."""
    waiting = Message.objects.for_store(committed_store).filter(status="pending")

    def until_it_is_over() -> Counter[str]:
        for _ in range(3):
            with acting_for(committed_store):
                waiting.update(due_at=timezone.now())
            dispatch.dispatch(seconds=20)
            aftermath.ask_about_unknown(timezone.now() + timedelta(minutes=11))
        with acting_for(committed_store):
            return Counter(Message.objects.for_store(committed_store).values_list("status", flat=True))

    return until_it_is_over


def play(fake, fates, *, texts: bool) -> dict[str, str]:
    """One message for each way to misbehave; what becomes of it at first."""
    first = {}
    for name, told in AFTER_ACCEPTING.items():
        fake.after.append(told)
        first[name], _ = fates(texts=texts)
    fake.next.append(LATER)
    first["429"], waits_long = fates(texts=texts)
    assert waits_long
    return first


def test_a_provider_that_knows_our_key_is_handed_it_again(by_resend, fates, go_on):
    first = play(by_resend, fates, texts=False)
    assert first == dict.fromkeys([*AFTER_ACCEPTING, "429"], "pending") | {"slow": "sent"}
    assert go_on() == {"sent": len(first)}
    assert sorted(by_resend.times.values()) == [1] * len(first)
    assert max(by_resend.taken_for.values()) > 1  # came twice, and was known


def test_a_gateway_that_can_be_asked_is_asked(by_kavenegar, fates, go_on):
    first = play(by_kavenegar, fates, texts=True)
    assert first == dict.fromkeys(AFTER_ACCEPTING, "sent") | {"429": "pending"}
    assert go_on() == {"sent": len(first)}
    assert sorted(by_kavenegar.times.values()) == [1] * len(first)


def test_what_nobody_can_know_waits_for_a_person(by_generic, fates, go_on):
    first = play(by_generic, fates, texts=True)
    # It need not name an id, so that any success will do.
    well = {"slow": "sent", "malformed": "sent", "429": "pending"}
    assert first == dict.fromkeys(AFTER_ACCEPTING, "unknown") | well
    assert go_on() == {"sent": 3, "unknown": len(first) - 3}
    assert sorted(by_generic.times.values()) == [1] * len(first)


SMTP = {
    "slow": (Said("250 taken", after=PATIENCE / 3), "sent"),
    "silent": (Nothing(), "unknown"),
    "gone": (Gone(), "unknown"),
    "malformed": (Said("<html>"), "unknown"),
    "odd": (Said("200 whatever"), "unknown"),
    "later": (Said("451 busy"), "pending"),
    "closing": (Said("421 closing"), "pending"),
    "no": (Said("554 no"), "failed"),
}


def test_mail_servers(by_smtp, fates, go_on):
    first = {}
    for name, (told, _) in SMTP.items():
        by_smtp.after.append(told)
        first[name], _ = fates(texts=False)
    by_smtp.greetings.append(Said("421 too busy"))
    first["greeting"], _ = fates(texts=False)
    assert first == {name: fate for name, (_, fate) in SMTP.items()} | {"greeting": "pending"}
    assert go_on() == {"sent": 4, "unknown": 4, "failed": 1}
    assert sorted(by_smtp.accepted.values()) == [1] * 8


@pytest.mark.parametrize("way", ["by_smtp", "by_kavenegar", "by_generic"])
def test_control_who_takes_no_answer_for_no_doubles(request, monkeypatch, way, fates, go_on):
    fake, texts = request.getfixturevalue(way), way != "by_smtp"
    again = {"reason": "try_again", "started_at": None}
    monkeypatch.setattr(
        handover, "_broken_off", lambda *_: (Message.Status.PENDING, {**again, "due_at": timezone.now()})
    )
    fake.after.append(Silence() if texts else Nothing())
    fates(texts=texts)
    go_on()
    assert max((fake.times if texts else fake.accepted).values()) == 2
