"""500 messages, four workers, a kill -9 every second, a provider that takes a letter and then says nothing.

The provider knows our key, so what broke off is handed over again: each message is accepted once, and nobody has to
look after any. What holds without keys is in test_worker_killed.py and test_killed_while_texting.py.
"""

from __future__ import annotations

import pytest

from tests.fakes.resend import KEY, FakeResend
from tests.faults.crew import SHORT, Killer, report
from tests.stack import Stack, missing, repeated

MESSAGES = 500
SILENT_EACH = 20


@pytest.fixture
def resend(request):
    fake = FakeResend(silent_each=SILENT_EACH, knows_keys=getattr(request, "param", True))
    yield fake
    fake.close()


@pytest.fixture
def stack(resend, settings, django_db_blocker):
    settings.EMAIL_CHANNEL, settings.EMAIL_BACKEND = "email", "anymail.backends.resend.EmailBackend"
    environment = {
        "EMAIL_BACKEND": "anymail.backends.resend.EmailBackend",
        "ANYMAIL_SETTINGS": "RESEND_API_KEY,RESEND_API_URL",
        "ANYMAIL_RESEND_API_KEY": KEY,
        "ANYMAIL_RESEND_API_URL": resend.url,
    }
    with django_db_blocker.unblock(), Stack(**SHORT, **environment) as stack:
        yield stack
        print(stack.log())


def test_a_provider_that_knows_our_key_gets_each_message_once(stack, store, due, statuses, resend):
    references = due(MESSAGES)
    killer = Killer(stack, store)
    fates = killer.run(statuses, {"sent"})
    report("key", killer, resend.accepted, resend.silences, fates)
    assert missing(resend.accepted, references) == set()
    assert repeated(resend.accepted) == {}
    assert killer.kills >= 5
    assert resend.silences == MESSAGES // SILENT_EACH
    assert len(resend.seen) > MESSAGES  # some came twice, and were known


@pytest.mark.parametrize("resend", [False], indirect=True)
def test_control_a_provider_that_does_not_know_it_doubles(stack, store, due, statuses, resend):
    references = due(MESSAGES // 4)
    killer = Killer(stack, store)
    fates = killer.run(statuses, {"sent"}, kills=5)
    report("control", killer, resend.accepted, resend.silences, fates)
    assert missing(resend.accepted, references) == set()
    assert len(repeated(resend.accepted)) >= resend.silences
