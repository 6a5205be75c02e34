"""The pages where an owner gives the store an account of its own."""

import pytest
from django.core import mail as outgoing
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import Channel
from customers.services import record_consent
from outreach import accounts, complaints, domains
from outreach.account_forms import AccountForm, offered
from outreach.alignment import Alignment, Finding, Level, Record, remember
from outreach.channels import NotNow, Refused, Uncertain
from outreach.models import ChannelAccount, Kind, Message, Stop
from stores.models import AuditEvent, Membership, Role, User
from stores.tenancy import acting_for
from tests.conftest import NOW

MAILJET = {"api_key": "public-part", "secret_key": "hush-hush", "sender": "Hi@Shop.example", "dkim_selector": ""}
SMTP = {
    "host": "smtp.shop.example",
    "port": "۵۸۷",
    "security": "starttls",
    "username": "hi",
    "password": "hush-hush",
    "sender": "hi@shop.example",
}


def url(name, store, *args):
    return reverse(f"outreach:{name}", args=[store.slug, *args])


def page(client, store):
    return client.get(url("channels", store)).content.decode()


def save(client, store, provider, values, channel="email"):
    return client.post(f"{url('channel', store, channel)}?provider={provider}", values)


@pytest.fixture(autouse=True)
def _no_dns(monkeypatch):
    monkeypatch.setattr("outreach.domains.check_store", lambda *_args: None)


def test_a_store_without_anything(owner, store):
    text = page(owner, store)
    assert "Nothing leaves yet" in text
    assert "Use an account of your own" in text


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_every_provider_has_a_form(channel, owner, store):
    for slug, name in offered(channel):
        answer = owner.get(f"{url('channel', store, channel)}?provider={slug}")
        assert answer.status_code == 200
        assert name.split(" (")[0] in answer.content.decode()
    assert owner.get(f"{url('channel', store, channel)}?provider=nobody").status_code == 200


def test_amazon_is_offered_where_its_package_is():
    from importlib.util import find_spec

    assert ("amazon_ses" in dict(offered("email"))) == (find_spec("boto3") is not None)


def test_it_saves_and_never_shows_the_secret_again(owner, store):
    assert save(owner, store, "mailjet", MAILJET).url == url("channels", store)
    account = ChannelAccount.objects.for_store(store).get()
    assert (account.provider, account.sender) == ("mailjet", "hi@shop.example")
    assert accounts.open_account(account).values["secret_key"] == "hush-hush"
    for text in (page(owner, store), owner.get(url("channel", store, "email")).content.decode()):
        assert "hush-hush" not in text
        assert "public-part" not in text  # a key is a key, whatever its provider calls it
    assert account.token in page(owner, store)
    event = AuditEvent.objects.for_store(store).get(action="account.saved")
    assert event.user == owner.user
    assert "hush" not in str(event.after)


def test_an_empty_secret_keeps_the_one_on_record(owner, store):
    save(owner, store, "mailjet", MAILJET)
    save(owner, store, "mailjet", {**MAILJET, "api_key": "", "secret_key": "", "sender": "new@shop.example"})
    account = ChannelAccount.objects.for_store(store).get()
    assert account.sender == "new@shop.example"
    assert accounts.open_account(account).values["secret_key"] == "hush-hush"


def test_a_kept_secret_is_not_sent_to_another_host(owner, store):
    assert save(owner, store, "smtp", SMTP).status_code == 302
    moved = {**SMTP, "host": "smtp.evil.example", "password": ""}
    answer = save(owner, store, "smtp", moved)
    assert answer.status_code == 422
    assert "Type this again" in answer.content.decode()
    account = ChannelAccount.objects.for_store(store).get()
    assert accounts.open_account(account).values["host"] == "smtp.shop.example"
    assert save(owner, store, "smtp", {**moved, "password": "mine"}).status_code == 302


def test_a_refusal_keeps_what_was_typed_but_no_secret(owner, store):
    answer = save(owner, store, "smtp", {**SMTP, "port": "abc", "username": "typed-by-me"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "typed-by-me" in text
    assert "hush-hush" not in text
    assert not ChannelAccount.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("provider", "change"),
    [
        ("smtp", {"host": "127.0.0.1"}),
        ("smtp", {"host": "localhost"}),
        ("smtp", {"host": "10.1.2.3"}),
        ("smtp", {"host": "mail"}),
        ("smtp", {"host": "a b.example"}),
        ("smtp", {"host": ""}),
        ("smtp", {"port": "0"}),
        ("smtp", {"port": "70000"}),
        ("smtp", {"security": "maybe"}),
        ("smtp", {"sender": "nobody"}),
        ("smtp", {"sender": "a@b.example\r\nBcc: c@d.example"}),
        ("mailjet", {"secret_key": ""}),
        ("mailgun", {"api_key": "k", "api_url": "https://evil.example/"}),
        ("postal", {"api_key": "k", "api_url": "http://postal.example.net"}),
        ("postal", {"api_key": "k", "api_url": "https://127.0.0.1/"}),
        ("postal", {"api_key": "k", "api_url": "https://u:p@postal.example.net"}),
        ("postal", {"api_key": "k", "api_url": "https://[::1"}),
        ("unisender_go", {"api_key": "k", "api_url": "https://go3.unisender.ru/"}),
    ],
)
def test_what_cannot_be_is_refused(provider, change, owner, store):
    values = {**(SMTP if provider == "smtp" else MAILJET), **change}
    assert save(owner, store, provider, values).status_code == 422
    assert not ChannelAccount.objects.for_store(store).exists()
    assert not AuditEvent.objects.for_store(store).filter(action="account.saved").exists()


def test_a_key_copied_with_its_frame_is_kept_without(store):
    key = "-----BEGIN PUBLIC KEY-----\nMIGf\nMA0G\n-----END PUBLIC KEY-----\n"
    typed = {"api_key": " k ", "api_url": "https://postal.example.net", "webhook_key": key, "sender": "a@b.example"}
    form = AccountForm("email", "postal", typed)
    assert form.is_valid(), form.errors
    assert form.values["webhook_key"] == "MIGfMA0G"
    assert form.values["api_key"] == "k"


def test_texts_have_their_own(owner, store):
    values = {"account_sid": "AC1", "auth_token": "hush-hush", "whatsapp": "on", "sender": "+15550009999"}
    assert save(owner, store, "twilio", values, "sms").status_code == 302
    account = ChannelAccount.objects.for_store(store).get(channel="sms")
    assert accounts.text_account(account).is_on("whatsapp")
    assert "/in/sms/twilio/" in page(owner, store)


def test_removing_asks_first_and_names_it(owner, store):
    save(owner, store, "mailjet", MAILJET)
    text = owner.get(url("remove_channel", store, "email")).content.decode()
    assert "Mailjet" in text
    assert "hi@shop.example" in text
    assert ChannelAccount.objects.for_store(store).exists()
    assert owner.post(url("remove_channel", store, "email")).status_code == 302
    assert not ChannelAccount.objects.for_store(store).exists()
    assert owner.get(url("remove_channel", store, "email")).status_code == 404


def test_a_test_goes_to_the_owner_alone(owner, store, settings, django_capture_on_commit_callbacks):
    settings.EMAIL_CHANNEL = "email"
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.post(url("test_channel", store, "email"), {"to": "somebody@else.example"})
    assert answer.status_code == 302
    (sent,) = outgoing.outbox
    assert sent.to == [owner.user.email]
    assert store.name in sent.subject


def test_a_test_says_what_was_wrong(committed_store, monkeypatch):
    """Committed for real: the provider is asked after the transaction, and its answer stands on the next page."""
    with acting_for(committed_store):
        user = User.objects.create_user(f"{committed_store.slug}@example.com", "x" * 12)
        Membership.objects.create(store=committed_store, user=user, role=Role.OWNER)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    inside = []
    for error, words in ((Refused("550"), "refused"), (NotNow("x"), "handed over"), (Uncertain("x"), "did not answer")):

        def fail(_letter, error=error):
            inside.append(connection.in_atomic_block)
            raise error

        monkeypatch.setattr(accounts, "transport_for", lambda *_args, fail=fail: fail)
        client.post(url("test_channel", committed_store, "email"))
        assert words in page(client, committed_store)
    assert inside == [False] * 3


def test_a_test_text_wants_a_number(owner, store):
    answer = owner.post(url("test_channel", store, "sms"), {"number": "abc"})
    assert answer.status_code == 422
    for _ in range(11):
        owner.post(url("test_channel", store, "email"))
    assert "many tests" in page(owner, store)


def test_resuming_wants_a_reader(owner, store, make_customer, now):
    sara = make_customer()
    record_consent(sara, Channel.EMAIL, granted=True, source="api", at=NOW)
    Message.objects.bulk_create(
        Message(
            store=store,
            customer=sara,
            kind=Kind.ASK,
            key=str(place),
            channel="email",
            status="sent",
            due_at=timezone.now(),
            sent_at=timezone.now(),
            complained_at=timezone.now() if place < 3 else None,
        )
        for place in range(10)
    )
    assert "we look again" in page(owner, store).lower()
    complaints.watch(store, timezone.now())
    assert "Advertising by mail is stopped" in page(owner, store)
    owner.post(url("resume_mail", store))
    assert Stop.objects.for_store(store).exists()
    owner.post(url("resume_mail", store), {"read": "yes"})
    assert not Stop.objects.for_store(store).exists()
    assert AuditEvent.objects.for_store(store).get(action="mail.resumed").user == owner.user
    assert "Advertising by mail is stopped" not in page(owner, store)


def test_nobody_but_the_owner(manager, staff, stranger, store, owner):
    save(owner, store, "mailjet", MAILJET)
    for client, status in ((manager, 403), (staff, 403), (stranger, 404)):
        for name, args in (
            ("channels", ()),
            ("channel", ("email",)),
            ("test_channel", ("email",)),
            ("remove_channel", ("email",)),
            ("check_records", ()),
            ("resume_mail", ()),
        ):
            for method in (client.get, client.post):
                assert method(url(name, store, *args)).status_code in (status, 405)
    assert ChannelAccount.objects.for_store(store).count() == 1


def test_a_server_that_lets_no_store_have_its_own(owner, store, settings):
    settings.OWN_ACCOUNTS = False
    assert owner.get(url("channel", store, "email")).status_code == 404
    assert "account of your own" not in page(owner, store)
    assert owner.get(url("channel", store, "pigeon")).status_code == 404


def test_the_records_of_the_domain_are_shown_with_what_to_add(owner, store):
    save(owner, store, "mailjet", MAILJET)
    assert "Not checked yet" in page(owner, store)
    sending = domains.of(accounts.own(store, Channel.EMAIL))
    missing = Finding(Level.MISSING, "no_dmarc", advice=Record("_dmarc.shop.example", "TXT", "v=DMARC1; p=none"))
    found = Alignment(
        "shop.example", Finding(Level.WEAK, "many_spf"), Finding(Level.GOOD, found="k"), missing, timezone.now()
    )
    remember(found, spf=sending.spf, selectors=sending.selectors)
    text = page(owner, store)
    assert [text.count(f">{word}<") for word in ("found", "needs a change", "missing", "not known")] == [1, 1, 1, 0]
    assert 'value="v=DMARC1; p=none"' in text
    assert "Not yet" in text


def test_keys_nobody_can_open_are_said_to_be_so(owner, store, settings):
    save(owner, store, "mailjet", MAILJET)
    ChannelAccount.objects.for_store(store).update(secrets="gAAAAAB")
    assert "can no longer be read" in page(owner, store)
    assert save(owner, store, "mailjet", {**MAILJET, "secret_key": ""}).status_code == 422
    assert save(owner, store, "mailjet", MAILJET).status_code == 302


def test_the_page_costs_few_queries(owner, store, django_assert_max_num_queries):
    save(owner, store, "mailjet", MAILJET)
    with django_assert_max_num_queries(18):
        page(owner, store)
