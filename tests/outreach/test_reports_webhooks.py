"""Every provider's documented reports: they take effect once, whoever forges them gets nothing."""

import logging
import time
from urllib.parse import urlsplit

import pytest
from django.test import Client

from customers.models import Channel, Customer
from outreach import accounts, mail_providers, mail_reports
from outreach.channels.sms import GATEWAYS
from outreach.models import ChannelAccount, Kind, Message, MessageEvent, ProviderEvent, Suppression
from outreach.services import hash_address
from stores.tenancy import act_for, acting_for
from tests.outreach import calls

CASES = [(one, name) for one in calls.MAIL for name in calls.fixture("mail", one)["events"]]
SMS_CASES = [(one, name) for one in calls.SMS for name in calls.fixture("sms", one)["events"]]
COLUMN = {
    "delivered": "delivered_at",
    "opened": "opened_at",
    "clicked": "clicked_at",
    "bounced": "bounced_at",
    "failed": "bounced_at",
    "complained": "complained_at",
}
SUPPRESSES = {"bounced": "bounced", "complained": "complained", "unsubscribed": "unsubscribed"}
# The provider's own list of closed addresses is what refused it.
LISTED = {("brevo", "failed"), ("mailjet", "failed")}


@pytest.fixture
def sara(make_customer, store) -> Customer:
    sara = make_customer("Sara Ahmadi", "sara@example.com", phone="+639171234567")
    Customer.objects.filter(pk=sara.pk).update(email_consent=True, sms_consent=True)
    sara.refresh_from_db()
    return sara


def account_of(store, channel, provider, values) -> ChannelAccount:
    sender = "shop@example.net" if channel == Channel.EMAIL else "+15550009999"
    with acting_for(store):
        return accounts.save(store, channel, provider=provider, values=values, sender=sender, by=None, at=now())


def now():
    from django.utils import timezone

    return timezone.now()


def message_to(sara, channel, provider_id="", status=Message.Status.SENT, **more) -> Message:
    to = sara.email_norm if channel == Channel.EMAIL else sara.phone_norm
    sent = now() if status == Message.Status.SENT else None
    return Message.objects.create(
        store_id=sara.store_id,
        customer=sara,
        kind=Kind.ASK,
        key=f"m{Message.objects.count()}",
        channel=channel,
        to=to,
        status=status,
        provider_id=provider_id,
        due_at=now(),
        started_at=now(),
        sent_at=sent,
        **more,
    )


def state(store) -> list:
    """All that a report may change."""
    columns = ["status", "reason", "delivered_at", "opened_at", "clicked_at", "bounced_at", "complained_at"]
    with acting_for(store):
        return [
            list(Message.objects.for_store(store).order_by("pk").values_list("pk", *columns)),
            list(Suppression.objects.for_store(store).order_by("pk").values_list("channel", "address_hash", "reason")),
            list(ProviderEvent.objects.for_store(store).order_by("pk").values_list("source", "event_id", "what")),
            MessageEvent.objects.for_store(store).count(),
            list(Customer.objects.for_store(store).values_list("email_consent", "sms_consent")),
        ]


def mail(provider, name, account, *, secret="right", reference="none", at=None) -> dict:
    payload = calls.fixture("mail", provider, reference)["events"][name]
    return calls.mail_call(provider, payload, accounts.webhook_url(account), at or time.time(), secret)


# -- Mail --


def test_there_are_fixtures_for_every_provider_that_reports():
    assert set(calls.MAIL) == set(mail_reports.VIEWS)
    reporting = {slug for slug, row in mail_providers.MAIL_PROVIDERS.items() if row.reports_back}
    assert reporting == set(mail_reports.VIEWS)
    assert {row.slug for row in mail_providers.MAIL_PROVIDERS.values() if row.proof} == calls.SIGNED
    assert set(calls.SMS) == {slug for slug, gateway in GATEWAYS.items() if gateway.reports_back}
    import anymail.urls

    known = {pattern.name.removesuffix("_tracking_webhook") for pattern in anymail.urls.urlpatterns if pattern.name}
    tracked = {name for name in known if not name.endswith("_inbound_webhook")} - {"mandrill_webhook", "sendinblue"}
    assert tracked | {"mandrill"} == set(mail_reports.VIEWS)


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_told_three_times_it_changes_state_once(provider, name, store, sara):
    found = calls.fixture("mail", provider)
    account = account_of(store, Channel.EMAIL, provider, calls.mail_values(provider))
    message = message_to(sara, Channel.EMAIL, found["message_id"])
    before = state(store)
    answers = [calls.post(mail(provider, name, account)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    after = state(store)
    if name == "ignored":
        assert after == before
        return
    events = ProviderEvent.objects.for_store(store)
    assert [(one.what, one.message_id) for one in events] == [(name, message.pk)]
    message.refresh_from_db()
    for column in set(COLUMN.values()):
        assert (getattr(message, column) is not None) == (column == COLUMN.get(name)), column
    closed = Suppression.objects.for_store(store).filter(channel=Channel.EMAIL)
    reason = "bounced" if (provider, name) in LISTED else SUPPRESSES.get(name)
    assert [one.reason for one in closed] == ([reason] if reason else [])
    if reason:
        assert closed.get().address_hash == hash_address(store, Channel.EMAIL, "sara@example.com")
    sara.refresh_from_db()
    assert sara.email_consent == (name != "unsubscribed")


@pytest.mark.parametrize(("provider", "name"), [case for case in CASES if case[0] in calls.SIGNED])
def test_a_wrong_key_and_a_changed_byte_are_refused(provider, name, store, sara):
    account = account_of(store, Channel.EMAIL, provider, calls.mail_values(provider))
    message_to(sara, Channel.EMAIL, calls.fixture("mail", provider)["message_id"])
    before = state(store)
    assert calls.post(mail(provider, name, account, secret="wrong")).status_code == 401
    call = mail(provider, name, account)
    if provider == "mailgun":  # signs its token and time, which is why the token is the id that counts once
        changed = call["data"].replace(b'"token-', b'"tokem-')
    else:
        changed = call["data"].replace(b"example.com", b"example.org").replace(b"0", b"1", 1)
    assert changed != call["data"]
    assert calls.post({**call, "data": changed}).status_code == 401
    if provider != "unisender_go":  # signs inside the body
        assert (
            calls.post({**call, "headers": {}, "data": call["data"].replace(b'"signature"', b'"s"')}).status_code == 401
        )
    assert state(store) == before


@pytest.mark.parametrize("provider", sorted(calls.SIGNED - {"unisender_go"}))
def test_without_a_key_nothing_is_believed_and_the_servers_own_is_not_taken(provider, store, sara, settings):
    proof = mail_providers.MAIL_PROVIDERS[provider].proof
    right = calls.mail_values(provider)
    settings.ANYMAIL = {f"{provider}_{proof}".upper(): right[proof], "WEBHOOK_SECRET": "a:b"}
    account = account_of(store, Channel.EMAIL, provider, {**right, proof: ""})
    message_to(sara, Channel.EMAIL, calls.fixture("mail", provider)["message_id"])
    before = state(store)
    assert calls.post(mail(provider, "clicked", account)).status_code == 401
    assert state(store) == before


@pytest.mark.parametrize("provider", calls.MAIL)
def test_another_stores_address_changes_nothing_here(provider, store, other_store, sara):
    """Their account is real, the message it names is ours: their call reaches their own rows only."""
    theirs = account_of(other_store, Channel.EMAIL, provider, calls.mail_values(provider))
    act_for(store)
    message = message_to(sara, Channel.EMAIL, calls.fixture("mail", provider)["message_id"])
    reference = f"{store.pk}.{message.public_id}"
    before = state(store)
    for name in calls.fixture("mail", provider)["events"]:
        assert calls.post(mail(provider, name, theirs, reference=reference)).status_code == 200
        act_for(store)
    assert state(store) == before


@pytest.mark.parametrize("provider", sorted(calls.SIGNED))
def test_both_keys_are_good_while_one_takes_the_others_place(provider, store, sara, settings):
    old = calls.mail_values(provider)
    account = account_of(store, Channel.EMAIL, provider, old)
    proof = mail_providers.MAIL_PROVIDERS[provider].proof
    fresh = {"postal": calls.public("rsa", "wrong"), "sendgrid": calls.public("ec", "wrong")}.get(provider, "wrong")
    if provider == "resend":
        fresh = "whsec_d3Jvbmc="
    account = account_of(store, Channel.EMAIL, provider, {**old, proof: fresh})
    assert calls.post(mail(provider, "clicked", account)).status_code == 200
    act_for(store)
    assert calls.post(mail(provider, "clicked", account, secret="wrong")).status_code == 200
    act_for(store)
    # The account was changed again, and the oldest key is not among the two.
    account = account_of(store, Channel.EMAIL, provider, {**old, proof: fresh})
    assert calls.post(mail(provider, "clicked", account)).status_code == 401


@pytest.mark.parametrize("provider", [one for one in calls.MAIL if one not in ("mailjet", "sparkpost", "sendgrid")])
def test_a_message_is_found_by_our_own_mark_when_its_id_was_never_learnt(provider, store, sara):
    account = account_of(store, Channel.EMAIL, provider, calls.mail_values(provider))
    message = message_to(sara, Channel.EMAIL, "", Message.Status.UNKNOWN)
    call = mail(
        provider,
        "opened" if provider == "mandrill" else "delivered",
        account,
        reference=f"{store.pk}.{message.public_id}",
    )
    assert calls.post(call).status_code == 200
    act_for(store)
    message.refresh_from_db()
    assert message.status == Message.Status.SENT
    assert message.provider_id == calls.fixture("mail", provider)["message_id"]


def test_nobody_learns_which_addresses_exist(store, sara, settings):
    account = account_of(store, Channel.EMAIL, "brevo", {"api_key": "k"})
    good = accounts.webhook_url(account)
    texts = account_of(store, Channel.SMS, "twilio", calls.SMS_VALUES["twilio"])
    wrong = [
        good.replace(account.token, account.token[:-1] + ("A" if account.token[-1] != "A" else "B")),
        good.replace(account.token, "x"),
        good.replace("brevo", "mailjet"),
        good.replace("brevo", "nobody"),
        good.replace("/mail/brevo/", "/sms/twilio/"),
        accounts.webhook_url(texts).replace("/sms/twilio/", "/mail/brevo/"),
    ]
    bodies = set()
    for url in wrong:
        answer = Client().post(url.removeprefix(settings.SITE_URL), b"{}", content_type="application/json")
        assert answer.status_code == 404
        bodies.add(answer.content)
    assert bodies == {b""}


def test_a_call_that_is_too_long_or_not_there_is_refused_unread(store, sara):
    account = account_of(store, Channel.EMAIL, "brevo", {"api_key": "k"})
    call = mail("brevo", "bounced", account)
    before = state(store)
    assert calls.post({**call, "data": b" " * (4 * 1024 * 1024 + 1)}).status_code == 413
    assert state(store) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b'{"event": 5}',
        b"\xff\xfe",
        b"[" * 5000,
        b'{"event": "delivered", "message-id": "\\u0000"}',
    ],
)
@pytest.mark.parametrize("provider", ["brevo", "mailjet", "postmark", "sparkpost", "amazon_ses"])
def test_what_cannot_be_read_is_taken_and_means_nothing(provider, body, store, sara):
    account = account_of(store, Channel.EMAIL, provider, {"api_key": "k"})
    before = state(store)
    call = mail(provider, "delivered", account)
    answer = calls.post({**call, "data": body})
    assert answer.status_code == (401 if provider == "amazon_ses" else 200)  # SNS says in its headers what it sends
    assert state(store) == before


def test_an_account_is_asked_whether_it_is_there(store):
    account = account_of(store, Channel.EMAIL, "mandrill", calls.mail_values("mandrill"))
    for method in ("head", "get"):
        assert getattr(Client(), method)(urlsplit(accounts.webhook_url(account)).path).status_code == 200


def test_a_captured_pair_of_mailguns_does_not_live_for_ever(store, sara):
    account = account_of(store, Channel.EMAIL, "mailgun", calls.mail_values("mailgun"))
    before = state(store)
    old = mail("mailgun", "complained", account, at=time.time() - 3 * 86400)
    assert calls.post(old).status_code == 401
    assert state(store) == before


@pytest.mark.parametrize("seconds", [-301, 400])  # 100 more: a busy machine takes its time
def test_resends_call_must_be_fresh(seconds, store, sara):
    account = account_of(store, Channel.EMAIL, "resend", calls.mail_values("resend"))
    before = state(store)
    assert calls.post(mail("resend", "bounced", account, at=time.time() + seconds)).status_code == 401
    assert state(store) == before


def test_the_log_shows_neither_address_nor_body(store, sara, caplog):
    account = account_of(store, Channel.EMAIL, "mailgun", calls.mail_values("mailgun"))
    with caplog.at_level(logging.DEBUG):
        calls.post(mail("mailgun", "bounced", account, secret="wrong"))
        calls.post({**mail("mailgun", "bounced", account), "path": urlsplit(accounts.webhook_url(account)).path + "x"})
    assert account.token not in caplog.text
    assert "sara@example.com" not in caplog.text
    assert "refused" in caplog.text


def test_an_error_of_ours_rolls_back_and_asks_to_be_called_again(store, sara, monkeypatch, caplog):
    account = account_of(store, Channel.EMAIL, "brevo", {"api_key": "k"})
    message_to(sara, Channel.EMAIL, calls.fixture("mail", "brevo")["message_id"])
    monkeypatch.setattr("outreach.services.suppress", lambda *_a, **_k: 1 / 0)
    assert calls.post(mail("brevo", "bounced", account)).status_code == 500
    assert account.token not in caplog.text


def test_amazon_is_told_that_its_reports_are_wanted(store, monkeypatch, django_capture_on_commit_callbacks):
    account = account_of(store, Channel.EMAIL, "amazon_ses", {"access_key_id": "a"})
    called = []
    monkeypatch.setattr("outreach.tasks.confirm_reports.delay", called.append)
    good = (
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:t&Token=2336"
    )
    for url in (
        good,
        "https://evil.example/?x",
        "http://169.254.169.254/?a",
        "https://sns.eu-west-1.amazonaws.com.evil.example/?a",
    ):
        payload = {
            "Type": "SubscriptionConfirmation",
            "MessageId": "m1",
            "TopicArn": "t",
            "Token": "2336",
            "SubscribeURL": url,
        }
        call = calls.mail_call("amazon_ses", payload, accounts.webhook_url(account), time.time())
        with django_capture_on_commit_callbacks(execute=True):
            assert calls.post(call).status_code == 200
        act_for(store)
    assert called == [good]


# -- The server's own account --


def test_on_the_servers_account_the_message_says_whose_it_is(store, other_store, sara, settings):
    settings.MAIL_WEBHOOK_TOKEN = "s" * 40
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "right"}
    message = message_to(sara, Channel.EMAIL, calls.fixture("mail", "mailgun")["message_id"])
    url = f"{settings.SITE_URL}/in/mail/mailgun/{'s' * 40}"
    elsewhere = state(other_store)
    for name in ("delivered", "bounced", "ignored"):
        payload = calls.fixture("mail", "mailgun")["events"][name]
        for _ in range(3):
            assert calls.post(calls.mail_call("mailgun", payload, url, time.time())).status_code == 200
    assert calls.post(calls.mail_call("mailgun", payload, url, time.time(), "wrong")).status_code == 401
    act_for(store)
    message.refresh_from_db()
    assert message.delivered_at
    assert message.bounced_at
    assert Suppression.objects.for_store(store).count() == 1
    assert set(ProviderEvent.objects.for_store(store).values_list("source", flat=True)) == {"mailgun:server"}
    assert state(other_store) == elsewhere


def test_news_of_a_stranger_on_the_servers_account_closes_nothing(store, sara, settings):
    settings.MAIL_WEBHOOK_TOKEN = "s" * 40
    before = state(store)
    payload = calls.fixture("mail", "brevo")["events"]["bounced"]
    call = calls.mail_call("brevo", payload, f"{settings.SITE_URL}/in/mail/brevo/{'s' * 40}", time.time())
    assert calls.post(call).status_code == 200
    assert state(store) == before


def test_on_a_stores_own_account_a_dead_address_is_closed_though_the_letter_was_not_ours(store, sara):
    account = account_of(store, Channel.EMAIL, "brevo", {"api_key": "k"})
    calls.post(mail("brevo", "bounced", account))
    act_for(store)
    assert Suppression.objects.for_store(store).get().reason == "bounced"


# -- Texts --


def text(provider, name, account, *, wrong=False, reference="none") -> dict:
    fields = calls.fixture("sms", provider, reference)["events"][name]
    return calls.sms_call(provider, fields, accounts.webhook_url(account), wrong=wrong)


@pytest.mark.parametrize(("provider", "name"), SMS_CASES)
def test_a_text_report_told_three_times_changes_state_once(provider, name, store, sara, monkeypatch):
    monkeypatch.setattr("outreach.tasks.confirm_stop.delay", lambda *_ids: None)
    account = account_of(store, Channel.SMS, provider, calls.SMS_VALUES[provider])
    message = message_to(sara, Channel.SMS, calls.fixture("sms", provider)["message_id"])
    before, states = state(store), []
    for _ in range(3):
        answer = calls.post(text(provider, name, account))
        assert answer.status_code == 200
        assert answer.content == b"<Response/>"
        act_for(store)
        states.append(state(store))
    assert states[0] == states[1] == states[2]
    message.refresh_from_db(), sara.refresh_from_db()
    assert (states[0] == before) == (name == "ignored")
    assert (message.delivered_at is not None) == (name == "delivered")
    assert (message.bounced_at is not None) == (name in ("failed", "blocked"))
    closed = Suppression.objects.for_store(store).filter(channel=Channel.SMS).exists()
    assert closed == (name in ("blocked", "stop", "words"))
    assert sara.sms_consent == (name not in ("stop", "words"))


@pytest.mark.parametrize(("provider", "name"), SMS_CASES)
def test_a_forged_text_report_does_nothing(provider, name, store, sara):
    account = account_of(store, Channel.SMS, provider, calls.SMS_VALUES[provider])
    message_to(sara, Channel.SMS, calls.fixture("sms", provider)["message_id"])
    before = state(store)
    assert calls.post(text(provider, name, account, wrong=True)).status_code == 401
    if provider != "kavenegar":  # signs nothing: the key in its address is all that proves it
        call = text(provider, name, account)
        assert calls.post({**call, "data": call["data"].replace(b"63917", b"63918")}).status_code == 401
    assert state(store) == before


@pytest.mark.parametrize("provider", ["semaphore", "generic"])
def test_gateways_that_never_call_are_never_believed(provider, store):
    values = {"api_key": "k"} if provider == "semaphore" else {"url": "https://sms.example.com", "token": "t"}
    account = account_of(store, Channel.SMS, provider, values)
    call = {"path": urlsplit(accounts.webhook_url(account)).path, "data": b"{}", "content_type": "application/json"}
    assert calls.post(call).status_code == 401
