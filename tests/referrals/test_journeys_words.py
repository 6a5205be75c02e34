"""Every message that starts by itself can be written, in every language and as a text: nothing is left open."""

import pytest
from django.conf import settings

from customers.models import Customer
from outreach import rendering
from outreach.kinds import Action, Kind, Way
from outreach.models import Message
from tests.conftest import NOW
from tests.referrals.journey_world import sweep
from tests.referrals.test_journeys_cost import EACH_SWEEP, OURS, everything_on, live_through

pytestmark = pytest.mark.django_db
__all__ = ["everything_on"]


@pytest.fixture
def planned(everything_on):
    """One message of every kind, and one of the owner's own for every trigger."""
    live_through(everything_on, "Ana")
    sweep(everything_on, NOW, **EACH_SWEEP)
    found = Message.objects.for_store(everything_on).filter(kind__in=[*OURS, Kind.OWN], status=Message.Status.PENDING)
    return list(found.select_related("customer", "journey"))


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("channel", [Way.EMAIL, Way.SMS])
def test_it_reads_whole(store, planned, language, channel):
    assert {message.kind for message in planned} == {str(kind) for kind in [*OURS, Kind.OWN]}
    for message in planned:
        message.customer.locale = language
        message.channel, message.to = channel, "ana@example.com"
        letter = rendering.letter(store, message)
        for text in (letter.subject, letter.text, letter.html):
            assert "None" not in text
            assert "{{" not in text
            assert "{%" not in text
        assert store.name in letter.text or store.name in letter.sender_name
        if channel == Way.EMAIL:
            assert letter.subject
            assert "List-Unsubscribe" in letter.headers
            assert leads_somewhere(message, letter.html), message.kind


def leads_somewhere(message: Message, html: str) -> bool:
    """Whether what the message offers to do is in the letter."""
    action, context = Kind(message.kind).spec.action, message.context
    if action is Action.NONE:
        return True
    if action is Action.CODE:
        return context["code"] in html
    return context["links"]["share"] in html and (action is not Action.SHARE or context["code"] in html)


def test_values_are_in_the_persons_language(everything_on):
    store = everything_on
    Customer.objects.for_store(store).update(locale="fa")
    live_through(store, "Ana")
    Customer.objects.for_store(store).update(locale="fa")
    sweep(store, NOW, **EACH_SWEEP)
    for message in Message.objects.for_store(store).filter(kind__in=OURS, status=Message.Status.PENDING):
        for name in ("you_get", "friend_gets", "gift"):
            if message.context.get(name):
                assert "٪" in message.context[name], (message.kind, name)
