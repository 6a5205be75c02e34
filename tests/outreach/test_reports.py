"""What follows from news: settled messages, closed addresses, stops by text, the complaint guard's alarm."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from customers.models import Channel, Consent
from customers.services import record_consent
from outreach import replies, reports, services, tasks
from outreach.channels.sms import Said
from outreach.models import Kind, Message, MessageEvent, ProviderEvent, Suppression
from outreach.reports import News, What
from stores.tenancy import acting_for
from tests.conftest import NOW

Reason = Suppression.Reason
SOURCE = "brevo:abc"


@pytest.fixture
def sara(make_customer):
    sara = make_customer("Sara Ahmadi", "sara@example.com", phone="+639171234567")
    for channel in Channel:
        record_consent(sara, channel, granted=True, source="api", at=NOW)
    return sara


@pytest.fixture
def make_message(sara):
    """A function that writes a mail to Sara as it stands after its hand-over."""

    def make(status=Message.Status.SENT, channel=Channel.EMAIL, *, sent_at=NOW, kind=Kind.ASK, **more) -> Message:
        place = Message.objects.count()
        facts = {"provider_id": f"id-{place}", "started_at": sent_at, "created_at": NOW - timedelta(days=40), **more}
        return Message.objects.create(
            store_id=sara.store_id,
            customer=sara,
            kind=kind,
            key=f"m{place}",
            channel=channel,
            to=sara.email_norm if channel == Channel.EMAIL else sara.phone_norm,
            status=status,
            due_at=sent_at,
            sent_at=sent_at if status == Message.Status.SENT else None,
            **facts,
        )

    return make


def tell(store, message, what, *, event_id="", at=NOW, **more) -> int:
    one = News(event_id or f"{what}:{message.pk}:{at}", what, provider_id=message.provider_id, **more)
    return reports.apply(store, Channel(message.channel), SOURCE, [one], at)


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (What.DELIVERED, "sent"),
        (What.OPENED, "sent"),
        (What.CLICKED, "sent"),
        (What.BOUNCED, "sent"),
        (What.COMPLAINED, "sent"),
        (What.OTHER, "sent"),
        (What.FAILED, "failed"),
    ],
)
def test_a_report_settles_what_nobody_knew(what, status, store, make_message):
    message = make_message(Message.Status.UNKNOWN)
    assert tell(store, message, what) == 1
    message.refresh_from_db()
    assert message.status == status
    assert list(MessageEvent.objects.filter(message=message).values_list("status", flat=True)) == [status]
    assert tell(store, message, what) == 0


def test_that_the_provider_has_it_leaves_no_row_where_it_settles_nothing(store, make_message):
    assert tell(store, make_message(), What.OTHER) == 0
    assert not ProviderEvent.objects.exists()


def test_what_waits_to_be_sent_again_and_has_arrived_is_not_sent_again(store, make_message):
    message = make_message(Message.Status.UNKNOWN, attempts=1)
    services.settle_unknown(message, was_sent=False, at=NOW)
    tell(store, message, What.DELIVERED)
    message.refresh_from_db()
    assert (message.status, message.sent_at) == (Message.Status.SENT, NOW)


def test_what_waits_for_its_first_try_is_left_alone(store, make_message):
    message = make_message(Message.Status.PENDING, started_at=None)
    tell(store, message, What.DELIVERED)
    message.refresh_from_db()
    assert message.status == Message.Status.PENDING


def test_a_report_during_the_hand_over_settles_it_afterwards(store, make_message):
    message = make_message(Message.Status.SENDING)
    tell(store, message, What.DELIVERED)
    assert reports.settle_reported(store, NOW) == 0
    Message.objects.filter(pk=message.pk).update(status=Message.Status.UNKNOWN)
    assert reports.settle_reported(store, NOW) == 1
    message.refresh_from_db()
    assert message.status == Message.Status.SENT


def test_the_first_opening_stands_and_a_wrong_clock_is_not_believed(store, make_message):
    message = make_message()
    early, late = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    batch = [
        News("1", What.OPENED, at=late, provider_id=message.provider_id),
        News("2", What.OPENED, at=early, provider_id=message.provider_id),
        News("3", What.CLICKED, at=NOW + timedelta(days=9), provider_id=message.provider_id),
    ]
    assert reports.apply(store, Channel.EMAIL, SOURCE, batch, NOW) == 3
    message.refresh_from_db()
    assert (message.opened_at, message.clicked_at) == (early, NOW)
    tell(store, message, What.OPENED, event_id="4", at=NOW + timedelta(hours=1))
    message.refresh_from_db()
    assert message.opened_at == early


def test_a_batch_costs_as_many_statements_as_one(store, make_message, django_assert_max_num_queries):
    messages = [make_message() for _ in range(30)]
    batch = [News(f"d{one.pk}", What.DELIVERED, provider_id=one.provider_id) for one in messages]
    batch += [News(f"o{one.pk}", What.OPENED, provider_id=one.provider_id) for one in messages]
    with django_assert_max_num_queries(8):
        assert reports.apply(store, Channel.EMAIL, SOURCE, batch, NOW) == 60


def test_three_messages_turned_down_close_the_address_not_three_reports_of_one(store, make_message):
    first = make_message()
    for day in range(3):
        tell(store, first, What.SOFT_BOUNCED, at=NOW + timedelta(days=day))
    assert not Suppression.objects.exists()
    tell(store, make_message(), What.SOFT_BOUNCED, at=NOW + timedelta(days=4))
    assert not Suppression.objects.exists()
    tell(store, make_message(), What.SOFT_BOUNCED, at=NOW + timedelta(days=5))
    assert Suppression.objects.get().reason == Reason.BOUNCED


def test_soft_bounces_far_apart_close_nothing(store, make_message):
    for days in (0, 20, 40, 60):
        tell(store, make_message(), What.SOFT_BOUNCED, at=NOW + timedelta(days=days))
    assert not Suppression.objects.exists()


def test_a_complaint_hardens_a_stop_that_could_be_taken_back(store, sara, make_message):
    services.unsubscribe(store, sara, source="unsubscribe link", at=NOW)
    tell(store, make_message(), What.COMPLAINED)
    mail = Suppression.objects.get(channel=Channel.EMAIL)
    assert mail.reason == Reason.COMPLAINED
    services.resubscribe(store, sara, source="unsubscribe link", at=NOW)
    assert Suppression.objects.get() == mail


def test_an_unsubscription_at_the_provider_stops_every_channel_a_dead_address_only_itself(store, sara, make_message):
    tell(store, make_message(), What.BOUNCED)
    assert set(Suppression.objects.values_list("channel", "reason")) == {("email", "bounced")}
    tell(store, make_message(), What.UNSUBSCRIBED)
    sara.refresh_from_db()
    assert (sara.email_consent, sara.sms_consent) == (False, False)
    assert Suppression.objects.get(channel=Channel.SMS).reason == Reason.UNSUBSCRIBED


def test_a_closed_address_is_refused_at_the_next_claim(store, sara, make_message):
    from uuid import uuid4

    from outreach import dispatch

    tell(store, make_message(), What.BOUNCED)
    waiting = make_message(Message.Status.PENDING, started_at=None, provider_id="")
    Message.objects.filter(pk=waiting.pk).update(channel="", to="")
    services.suppress(store, Channel.SMS, sara.phone_norm, reason=Reason.BOUNCED, source="test", at=NOW)
    later = NOW + timedelta(hours=1)
    assert dispatch.claim(store, later, token=uuid4(), lease_until=later + timedelta(minutes=1)) == []
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == (Message.Status.SKIPPED, "suppressed")


def test_two_stores_may_hear_of_the_same_event(store, other_store, make_message):
    message = make_message()
    assert tell(store, message, What.DELIVERED, event_id="same") == 1
    with acting_for(other_store):
        assert tell(other_store, message, What.COMPLAINED, event_id="same", address="sara@example.com") == 1
        assert not ProviderEvent.objects.get().message_id
    assert ProviderEvent.objects.get().message == message


def test_odd_ids_are_kept(store, make_message):
    message = make_message()
    for event_id in ("x" * 500, "ش" * 200):
        assert tell(store, message, What.CLICKED, event_id=event_id) == 1
        assert tell(store, message, What.CLICKED, event_id=event_id) == 0


# -- Texts that people send back --


def text(store, words, *, number="+639171234567", event_id="", said=Said.NOTHING, at=NOW) -> int:
    one = News(event_id or words, What.INBOUND, address=number, text=words, said=said)
    return reports.apply(store, Channel.SMS, "vonage:abc", [one], at)


@pytest.fixture
def confirmed(monkeypatch):
    """Whose stop was confirmed."""
    ids = []
    monkeypatch.setattr(tasks.confirm_stop, "delay", lambda *one: ids.append(one))
    return ids


@pytest.mark.parametrize("words", ["STOP", "لغو۱۱", "please stop texting me", "huwag na po kayo mag text"])
def test_stop_stops_everything_and_is_confirmed_once(words, store, sara, confirmed, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for place in range(3):
            text(store, words, event_id=f"{words}{place}")
            text(store, words, event_id=f"{words}{place}")
    sara.refresh_from_db()
    assert (sara.email_consent, sara.sms_consent) == (False, False)
    assert set(Suppression.objects.values_list("channel", "reason")) == {
        ("sms", "unsubscribed"),
        ("email", "unsubscribed"),
    }
    assert confirmed == [(store.pk, sara.pk)]
    assert ProviderEvent.objects.filter(what=What.INBOUND).count() == 3


def test_a_gateway_that_answers_itself_is_not_answered_twice(
    store, sara, confirmed, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        text(store, "STOP", said=Said.STOP)
    assert confirmed == []
    assert Suppression.objects.filter(channel=Channel.SMS).exists()


def test_a_number_nobody_knows_is_closed_too(store, confirmed, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        text(store, "STOP", number="+639990000000")
    kept = Suppression.objects.get()
    assert kept.address_hash == services.hash_address(store, Channel.SMS, "+639990000000")
    assert confirmed == []


@pytest.mark.parametrize("words", ["Thank you!", "I can't stop telling my friends", "12 mugs please", "ok"])
def test_chat_is_no_stop(words, store, sara):
    text(store, words)
    sara.refresh_from_db()
    assert sara.sms_consent
    assert not Suppression.objects.exists()
    assert "text" not in {field.name for field in ProviderEvent._meta.fields}  # what people write is not kept


def test_start_takes_back_what_stop_did(store, sara):
    text(store, "STOP")
    text(store, "START")
    sara.refresh_from_db()
    assert (sara.email_consent, sara.sms_consent) == (True, True)
    assert not Suppression.objects.exists()
    last = Consent.objects.filter(customer=sara, channel=Channel.SMS).order_by("-pk").first()
    assert (last.granted, last.source) == (True, replies.SOURCE)


def test_start_is_no_new_yes_and_opens_no_other_stop(store, sara, make_message):
    record_consent(sara, Channel.SMS, granted=False, source="api", at=NOW)
    services.unsubscribe(store, sara, source="unsubscribe link", at=NOW)
    tell(store, make_message(channel=Channel.SMS), What.FAILED, closes=Reason.UNSUBSCRIBED)
    text(store, "START")
    sara.refresh_from_db()
    assert (sara.email_consent, sara.sms_consent) == (False, False)
    assert set(Suppression.objects.values_list("channel", flat=True)) == {"email"}


def test_start_does_not_bring_a_dead_number_back(store, sara):
    services.suppress(store, Channel.SMS, sara.phone_norm, reason=Reason.BOUNCED, source="x", at=NOW)
    text(store, "START")
    assert Suppression.objects.get().reason == Reason.BOUNCED


def test_the_confirmation_leaves_although_the_number_is_closed(store, sara, monkeypatch):
    sent = []
    monkeypatch.setattr(replies, "transport_for", lambda _store, _channel: sent.append)
    text(store, "STOP")
    sara.locale = "en"
    sara.save(update_fields=["locale"])
    assert replies.confirm(store.pk, sara.pk)
    assert sent[0].to == "+639171234567"
    assert "START" in sent[0].text
    assert store.name in sent[0].text


def test_a_stop_to_the_servers_number_stops_every_store_that_texted_it(
    store, other_store, sara, make_message, settings, confirmed
):
    from tests.fakes import twilio
    from tests.outreach import calls

    settings.SMS_PROVIDER, settings.SMS_WEBHOOK_TOKEN = "twilio", "t" * 40
    settings.SMS_FIELDS = calls.SMS_VALUES["twilio"]
    make_message(channel=Channel.SMS)
    url = f"{settings.SITE_URL}/in/sms/twilio/{'t' * 40}"
    call = calls.sms_call("twilio", twilio.inbound("SM9", "+639171234567", "STOP"), url)
    for _ in range(3):
        assert calls.post(call).status_code == 200
    assert (
        calls.post(calls.sms_call("twilio", twilio.inbound("SM8", "+63", "STOP"), url, wrong=True)).status_code == 401
    )
    with acting_for(store):
        assert Suppression.objects.filter(channel=Channel.SMS).count() == 1
        assert ProviderEvent.objects.get().source == "twilio:server"
    with acting_for(other_store):  # it never texted this number
        assert not Suppression.objects.exists()
        assert not ProviderEvent.objects.exists()


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.permutations([What.DELIVERED, What.OPENED, What.CLICKED, What.BOUNCED, What.COMPLAINED, What.UNSUBSCRIBED]))
def test_the_order_of_arrival_does_not_matter(store, sara, make_message, order):
    message = make_message()
    for _ in range(2):
        for what in order:
            tell(store, message, what)
    message.refresh_from_db()
    assert None not in (message.delivered_at, message.opened_at, message.bounced_at, message.complained_at)
    closed = Suppression.objects.filter(channel=Channel.EMAIL)
    assert closed.count() == 1
    assert closed.get().reason in (Reason.BOUNCED, Reason.COMPLAINED)
    Suppression.objects.all().delete()
