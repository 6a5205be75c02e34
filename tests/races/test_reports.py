"""The same report on many connections at once, and two reports that touch the same messages in another order."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from django.utils import timezone

from customers.models import Channel, Customer
from outreach import accounts, reports
from outreach.models import Kind, Message, MessageEvent, ProviderEvent, Suppression
from outreach.reports import News, What
from stores.tenancy import acting_for
from tests.outreach import calls

AT_ONCE = 8


def messages_of(store, number, **facts) -> list[Message]:
    now = timezone.now()
    with acting_for(store):
        sara = Customer.objects.create(
            store=store, name="Sara", email="sara@example.com", email_norm="sara@example.com"
        )
        return Message.objects.bulk_create(
            Message(
                store=store,
                customer=sara,
                kind=Kind.ASK,
                key=f"race:{place}",
                channel="email",
                to="sara@example.com",
                provider_id=f"race-{store.pk}-{place}",
                due_at=now,
                started_at=now,
                **facts,
            )
            for place in range(number)
        )


def at_once(step, arguments) -> list:
    def one(argument):
        try:
            return step(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, arguments))


def test_one_report_on_many_connections_takes_effect_once(committed_store):
    store = committed_store
    (message,) = messages_of(store, 1, status=Message.Status.UNKNOWN)
    with acting_for(store):
        account = accounts.save(
            store,
            Channel.EMAIL,
            provider="brevo",
            values={"api_key": "k"},
            sender="hi@shop.example",
            by=None,
            at=timezone.now(),
        )
    payload = calls.fixture("mail", "brevo")["events"]["bounced"] | {"message-id": message.provider_id}
    call = calls.mail_call("brevo", payload, accounts.webhook_url(account), 0)
    answers = at_once(lambda _place: calls.post(call).status_code, range(4 * AT_ONCE))
    assert set(answers) == {200}
    with acting_for(store):
        assert ProviderEvent.objects.for_store(store).count() == 1
        assert Suppression.objects.for_store(store).count() == 1
        assert MessageEvent.objects.for_store(store).count() == 1  # unknown became sent, once


def test_batches_in_opposite_order_do_not_wait_for_each_other(committed_store):
    store = committed_store
    messages = messages_of(store, 40, status=Message.Status.SENT)

    def tell(place: int) -> int:
        batch = [News(f"{place}:{one.pk}", What.OPENED, provider_id=one.provider_id) for one in messages]
        with acting_for(store):
            return reports.apply(store, Channel.EMAIL, "brevo:x", batch[:: 1 if place % 2 else -1], timezone.now())

    assert at_once(tell, range(2 * AT_ONCE)) == [len(messages)] * (2 * AT_ONCE)
