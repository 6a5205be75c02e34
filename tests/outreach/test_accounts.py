"""A store's own account: how letters leave by it, at every provider, and what its answers mean."""

import json
import socket
from datetime import timedelta
from urllib.parse import unquote_plus

import pytest
from anymail.backends.base import AnymailBaseBackend
from django.core import mail as outgoing
from django.db import connection

from customers.models import Channel
from outreach import accounts
from outreach.channels import Blocked, Letter, NotNow, Refused, Uncertain, email, outside
from outreach.channels.sms import GATEWAYS
from outreach.mail_providers import MAIL_PROVIDERS
from outreach.models import ChannelAccount
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.fakes.server import Drip, FakeServer, Hangup, Reply, Reset, Short, Silence

LATER = NOW + timedelta(hours=1)

HEADERS = {"List-Unsubscribe": "<https://example.net/u/tok>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
LETTER = Letter(
    "abcdefgh23456789abcd", "sara@example.com", "How was it? چطور بود؟", "Hi", "<p>Hi</p>", "گل‌فروشی", HEADERS
)
VALUES = {
    "smtp": {"host": "localhost", "port": "1", "security": "none"},
    "brevo": {"api_key": "the-key"},
    "mailersend": {"api_token": "the-key"},
    "mailgun": {"api_key": "the-key", "sender_domain": "shop.example"},
    "mailjet": {"api_key": "public", "secret_key": "the-key"},
    "mailtrap": {"api_token": "the-key"},
    "mandrill": {"api_key": "the-key"},
    "postal": {"api_key": "the-key"},
    "postmark": {"server_token": "the-key"},
    "resend": {"api_key": "the-key"},
    "scaleway": {"secret_key": "the-key", "project_id": "p1", "region": "fr-par"},
    "sendgrid": {"api_key": "the-key"},
    "sparkpost": {"api_key": "the-key"},
    "unisender_go": {"api_key": "the-key"},
}
YES = {  # a yes as each provider's API says it, and the id it gives
    "brevo": (Reply(201, {"messageId": "<1@relay>"}), "<1@relay>"),
    "mailersend": (Reply(202, b"", {"X-Message-Id": "ms1", "Content-Type": "text/html"}), "ms1"),
    "mailgun": (Reply(200, {"id": "<1@mg>", "message": "Queued. Thank you."}), "<1@mg>"),
    "mailjet": (
        Reply(200, {"Messages": [{"Status": "success", "To": [{"Email": "sara@example.com", "MessageID": 19}]}]}),
        "19",
    ),
    "mailtrap": (Reply(200, {"success": True, "message_ids": ["mt1"]}), "mt1"),
    "mandrill": (Reply(200, [{"email": "sara@example.com", "status": "sent", "_id": "md1"}]), "md1"),
    "postal": (
        Reply(200, {"status": "success", "data": {"message_id": "x", "messages": {"sara@example.com": {"id": 7}}}}),
        "7",
    ),
    "postmark": (Reply(200, {"ErrorCode": 0, "Message": "OK", "To": "sara@example.com", "MessageID": "pm1"}), "pm1"),
    "resend": (Reply(200, {"id": "rs1"}), "rs1"),
    "scaleway": (
        Reply(200, {"emails": [{"id": "sw1", "message_id": "m", "mail_rcpt": "sara@example.com", "status": "new"}]}),
        "sw1",
    ),
    "sendgrid": (Reply(202, b""), None),
    "sparkpost": (
        Reply(200, {"results": {"id": "sp1", "total_accepted_recipients": 1, "total_rejected_recipients": 0}}),
        "sp1",
    ),
    "unisender_go": (Reply(200, {"status": "success", "job_id": "j1", "emails": ["sara@example.com"]}), None),
}
OVER_HTTP = sorted(YES)


class Provider(FakeServer):
    """Any provider: one answer for everything."""

    answer = Reply(500)

    def respond(self, seen):
        return self.answer


@pytest.fixture
def fake():
    one = Provider()
    yield one
    one.close()


def send(fake, provider, **changes) -> str:
    """One letter to the fake, as `transport_for` sends it."""
    row = accounts.mail_connection(provider, VALUES[provider], base_url=f"{fake.url}/")
    row.timeout = changes.pop("timeout", (0.5, 0.5))
    prepare = accounts.marked(provider, f"7.{LETTER.reference}")
    return email.deliver(LETTER, connection=row, sender="hi@shop.example", prepare=prepare)


def test_every_provider_that_anymail_has_can_be_chosen():
    import pkgutil

    import anymail.backends

    ours = {slug for slug, row in MAIL_PROVIDERS.items() if row.backend.startswith("anymail")}
    modules = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}
    assert ours == modules - {"base", "base_requests", "console", "test", "sendinblue"}
    assert set(VALUES) | {"amazon_ses"} == set(MAIL_PROVIDERS)


@pytest.mark.parametrize("provider", OVER_HTTP)
def test_a_letter_reaches_the_provider_with_all_it_carries(provider, fake):
    fake.answer, wanted = YES[provider]
    given = send(fake, provider)
    assert given == wanted if wanted else given
    (seen,) = fake.seen
    raw = seen.body.decode()
    said = unquote_plus(raw) if provider == "mailgun" else json.dumps(json.loads(raw), ensure_ascii=False)
    for part in ("sara@example.com", "hi@shop.example", "u/tok", "List-Unsubscribe-Post"):
        assert part in said, part
    if MAIL_PROVIDERS[provider].keeps:
        assert f"7.{LETTER.reference}" in said
    assert "the-key" in repr(seen.headers) + seen.path + raw + repr(seen.basic_auth)


def test_a_key_makes_a_repeat_harmless_where_the_provider_has_one(fake, store):
    fake.answer = YES["resend"][0]
    send(fake, "resend"), send(fake, "resend")
    assert [seen.headers["idempotency-key"] for seen in fake.seen] == [LETTER.reference] * 2
    fake.seen.clear()
    fake.answer = YES["brevo"][0]
    send(fake, "brevo"), send(fake, "brevo")
    keys = {seen.json["headers"]["idempotencyKey"] for seen in fake.seen}
    assert len(keys) == 1
    assert len(keys.pop()) == 36
    save(store, "resend")
    assert accounts.repeats_for(store, Channel.EMAIL, LATER) == timedelta(hours=24)
    save(store, "postmark")
    assert accounts.repeats_for(store, Channel.EMAIL, LATER) is None


@pytest.mark.parametrize("provider", OVER_HTTP)
@pytest.mark.parametrize(
    ("behaviour", "meaning"),
    [
        (Reply(400, {"message": "bad"}), Refused),
        (Reply(404, b""), Refused),
        (Reply(422, {"message": "bad"}), Refused),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), (Refused, NotNow, Uncertain)),
        (Reply(401, b""), NotNow),
        (Reply(403, b""), NotNow),
        (Reply(429, b"", {"Retry-After": "120"}), NotNow),
        (Reply(503, b"", {"Retry-After": "120"}), NotNow),
        (Reply(503, b""), Uncertain),
        (Reply(500, b""), Uncertain),
        (Reply(502, b"<html>"), Uncertain),
        (Hangup(), Uncertain),
        (Reset(), Uncertain),
        (Silence(), Uncertain),
        (Short(), Uncertain),
    ],
    ids=lambda value: str(getattr(value, "status", type(value).__name__)),
)
def test_what_its_answers_mean(provider, behaviour, meaning, fake):
    if isinstance(behaviour, Short):
        behaviour = Short(500)
    fake.answer = behaviour
    with pytest.raises(meaning) as caught:
        send(fake, provider)
    if meaning is NotNow and getattr(behaviour, "status", 0) in (429, 503):
        assert caught.value.wait == timedelta(seconds=120)
    assert len(str(caught.value)) < 60
    assert "the-key" not in str(caught.value)


@pytest.mark.parametrize("provider", OVER_HTTP)
def test_where_nobody_listens_nothing_was_sent(provider):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        fake = type("Nobody", (), {"url": f"http://127.0.0.1:{closed.getsockname()[1]}"})
        with pytest.raises(NotNow):
            send(fake, provider)


@pytest.mark.parametrize("provider", sorted(set(OVER_HTTP) - {"mailersend", "sendgrid"}))
def test_a_yes_that_cannot_be_read_is_no_no(provider, fake):
    fake.answer = Reply(200, b"<html>all is well</html>")
    with pytest.raises(Uncertain):
        send(fake, provider)


def test_a_refused_recipient_is_a_definite_no(fake):
    fake.answer = Reply(
        200, [{"email": "sara@example.com", "status": "rejected", "reject_reason": "hard-bounce", "_id": "1"}]
    )
    with pytest.raises(Refused):
        send(fake, "mandrill")


def test_the_servers_own_settings_are_not_lent_to_a_store(settings, fake):
    settings.ANYMAIL = {
        "MAILGUN_API_KEY": "servers-key",
        "MAILGUN_SENDER_DOMAIN": "server.example",
        "MAILGUN_API_URL": "https://server.example/v3",
        "POSTMARK_MESSAGE_STREAM": "servers-stream",
        "SPARKPOST_SUBACCOUNT": "servers-subaccount",
    }
    values = {"api_key": "", "sender_domain": "", "api_url": "https://api.mailgun.net/v3"}
    line = accounts.mail_connection("mailgun", values)
    assert (line.api_key, line.sender_domain, line.api_url) == (None, None, "https://api.mailgun.net/v3/")
    assert accounts.mail_connection("postmark", {"server_token": "x"}).message_stream is None
    assert accounts.mail_connection("sparkpost", {"api_key": "x", "api_url": "https://x/"}).subaccount is None


def test_every_connection_is_impatient():
    for provider in OVER_HTTP:
        values = {"api_url": "https://api.example/", **VALUES[provider]}
        line = accounts.mail_connection(provider, values)
        assert isinstance(line, AnymailBaseBackend)
        assert line.timeout == (5, 10), provider
        line.close()
    assert accounts.mail_connection("smtp", VALUES["smtp"]).timeout == 10


# -- Hosts that owners type --


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "::1", "10.0.0.7", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1"),
        *("localhost", "2130706433", "0x7f000001", "fd00::1", "100.64.0.1"),
    ],
)
def test_a_private_mail_server_is_not_connected_to(host, monkeypatch):
    connected = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **_kw: connected.append(args) or 1 / 0)
    for security in ("none", "starttls", "ssl"):
        line = accounts.mail_connection("smtp", {"host": host, "port": "25", "security": security})
        with pytest.raises((Refused, NotNow)):
            email.deliver(LETTER, connection=line, sender="hi@shop.example")
    assert connected == []


def test_a_name_that_turns_private_is_not_connected_to(monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_kw: [(2, 1, 6, "", (next(answers), port))])
    connected = []

    def connect(address, *_args, **_kw):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    for meaning in (NotNow, Refused):
        line = accounts.mail_connection("smtp", {"host": "mx.shop.example", "port": "25", "security": "none"})
        with pytest.raises(meaning):
            email.deliver(LETTER, connection=line, sender="hi@shop.example")
    assert connected == [("93.184.216.34", 25)]  # asked once, connected to what was checked


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://localhost/"]
)
def test_a_private_postal_is_not_called(url, fake):
    line = accounts.mail_connection("postal", {"api_key": "k", "api_url": url})
    with pytest.raises(Refused):
        email.deliver(LETTER, connection=line, sender="hi@shop.example")


def test_a_postal_of_ones_own_is_called_by_its_checked_address_and_nowhere_else(fake, settings, monkeypatch):
    settings.ALLOW_PRIVATE_HOSTS = True
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    values = {"api_key": "k", "api_url": fake.url.replace("127.0.0.1", "localhost")}
    fake.answer = YES["postal"][0]
    line = accounts.mail_connection("postal", values)
    assert email.deliver(LETTER, connection=line, sender="hi@shop.example") == "7"
    assert fake.seen[0].headers["host"].startswith("localhost:")
    fake.answer = Reply(302, b"", {"Location": "http://169.254.169.254/"})
    with pytest.raises(Refused):
        email.deliver(LETTER, connection=accounts.mail_connection("postal", values), sender="hi@shop.example")
    assert len(fake.seen) == 2


def test_a_certificate_is_checked_against_the_name():
    pinned = outside.Pinned()
    session = __import__("requests").Session()
    outside.pin(session)
    request = __import__("requests").Request("POST", "https://one.one.one.one/x").prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outside, "address_of", lambda _host, _port: "127.0.0.1")
        with pytest.raises(__import__("requests").exceptions.RequestException):
            pinned.send(request, timeout=0.2, verify=True, stream=False, cert=None, proxies={})
    assert pinned.poolmanager.connection_pool_kw["assert_hostname"] == "one.one.one.one"
    assert request.url.startswith("https://127.0.0.1:443/")


# -- Whose account --


def save(store, provider, values=None, channel=Channel.EMAIL, sender="hi@shop.example", at=NOW) -> ChannelAccount:
    values = VALUES[provider] if values is None else values
    return accounts.save(store, channel, provider=provider, values=values, sender=sender, by=None, at=at)


def test_nothing_set_stays_in_the_outbox(store):
    assert accounts.transport_for(store, Channel.EMAIL) is None
    assert accounts.transport_for(store, Channel.SMS) is None
    assert accounts.look_up_for(store, Channel.SMS, LATER) is None


def test_the_servers_own_serves_who_has_none(store, settings):
    settings.EMAIL_CHANNEL, settings.DEFAULT_FROM_EMAIL = "email", "Goodword <server@shop.example>"
    given = accounts.transport_for(store, Channel.EMAIL)(LETTER)
    (sent,) = outgoing.outbox
    assert sent.from_email.endswith("<server@shop.example>")
    assert given == sent.extra_headers["Message-ID"] == f"<{LETTER.reference}@shop.example>"


def test_a_stores_own_comes_first_and_is_its_alone(store, other_store, settings, monkeypatch):
    settings.EMAIL_CHANNEL = "email"
    save(store, "postmark")
    used = []
    monkeypatch.setattr(accounts, "mail_connection", lambda provider, values: used.append((provider, dict(values))))
    monkeypatch.setattr(email, "deliver", lambda _letter, **how: how.get("sender", "server"))
    assert accounts.transport_for(store, Channel.EMAIL)(LETTER) == "hi@shop.example"
    assert used == [("postmark", VALUES["postmark"])]
    with acting_for(other_store):
        assert accounts.transport_for(other_store, Channel.EMAIL)(LETTER) == "server"
    settings.OWN_ACCOUNTS = False
    assert accounts.transport_for(store, Channel.EMAIL)(LETTER) == "server"


def test_a_text_account_carries_its_webhook(store, monkeypatch):
    account = save(store, "twilio", {"account_sid": "AC1", "auth_token": "t"}, Channel.SMS, "+15550009999")
    seen = []
    monkeypatch.setattr(type(GATEWAYS["twilio"]), "send", lambda _self, mine, letter: seen.append(mine) or "SM1")
    assert accounts.transport_for(store, Channel.SMS)(LETTER) == "SM1"
    assert seen[0].report_url == accounts.webhook_url(account)
    assert account.token in seen[0].report_url
    assert "auth_token" not in repr(seen[0])


def test_a_gateway_that_can_be_asked_is_asked(store, monkeypatch):
    save(store, "kavenegar", {"api_key": "k"}, Channel.SMS, "10004346")
    monkeypatch.setattr(
        type(GATEWAYS["kavenegar"]), "look_up", lambda _self, mine, ref, name: f"{mine.provider}{ref}{name}"
    )
    assert accounts.look_up_for(store, Channel.SMS, LATER)("r", "n") == "kavenegarrn"
    save(store, "generic", {"url": "https://sms.example.com"}, Channel.SMS, "x")
    assert accounts.look_up_for(store, Channel.SMS, LATER) is None


def test_an_account_that_came_after_the_hand_over_knows_nothing_of_it(store):
    save(store, "kavenegar", {"api_key": "k"}, Channel.SMS, "10004346", at=LATER)
    assert accounts.look_up_for(store, Channel.SMS, NOW) is None
    assert accounts.look_up_for(store, Channel.SMS, LATER + timedelta(minutes=1)) is not None
    save(store, "resend", VALUES["resend"], at=LATER)
    assert accounts.repeats_for(store, Channel.EMAIL, NOW) is None
    assert accounts.repeats_for(store, Channel.EMAIL, LATER + timedelta(minutes=1)) == timedelta(hours=24)


def test_keys_that_cannot_be_opened_hold_messages_back(store, settings):
    save(store, "postmark")
    settings.SECRET_KEY = "another" * 8
    with pytest.raises(NotNow) as caught:
        accounts.transport_for(store, Channel.EMAIL)(LETTER)
    assert caught.value.wait == timedelta(hours=1)


def test_after_a_change_of_the_servers_key_accounts_are_sealed_anew(store, settings):
    account = save(store, "postmark")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 8
    settings.SECRET_KEY_FALLBACKS = [old]
    assert accounts.renew_secrets(store, NOW) == 1
    assert accounts.renew_secrets(store, NOW) == 0
    settings.SECRET_KEY_FALLBACKS = []
    account.refresh_from_db()
    assert accounts.open_account(account).values == VALUES["postmark"]


def test_no_secret_is_kept_or_shown_in_the_open(store):
    account = save(store, "mailjet")
    with connection.cursor() as cursor:
        cursor.execute("SELECT outreach_channelaccount::text FROM outreach_channelaccount")
        row = cursor.fetchone()[0]
    assert "the-key" not in row + repr(account) + repr(accounts.open_account(account))
    save(store, "mailjet", {"api_key": "public", "secret_key": "the-next"})
    accounts.remove(account, by=None, at=NOW)
    events = AuditEvent.objects.for_store(store).order_by("pk")
    assert [event.action for event in events] == ["account.saved", "account.saved", "account.removed"]
    audit = json.dumps([[event.subject, event.before, event.after] for event in events])
    assert "the-" not in audit
    assert account.token not in audit


def test_what_was_replaced_proves_reports_for_three_days(store):
    account = save(store, "mailjet")
    account = save(store, "mailjet", {"api_key": "public", "secret_key": "the-next"})
    assert accounts.open_account(account, NOW + timedelta(days=2)).before == VALUES["mailjet"]
    assert accounts.open_account(account, NOW + timedelta(days=4)).before == {}
    moved = save(store, "postmark")
    assert accounts.open_account(moved, NOW).before == {}
    assert moved.token != account.token


def test_a_slow_drip_ends(fake):
    """Providers' fixed hosts are trusted not to drip; the lease ends such a message as unknown."""
    fake.answer = Drip()
    with pytest.raises(Uncertain):
        send(fake, "postmark", timeout=(0.3, 0.01))


def test_blocked_is_a_refusal():
    assert issubclass(Blocked, Refused)
