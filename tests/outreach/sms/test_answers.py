"""What every provider's answer, and every fault on the way to it, means for a message."""

import ast
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from outreach.channels import Letter, NotNow, Refused, Uncertain, sms
from outreach.channels.sms import GATEWAYS
from outreach.channels.sms.base import Answer, Patience, ask, sort, wait_of
from tests.fakes import generic
from tests.fakes.server import Drip, Hangup, Reply, Reset, Short, Silence
from tests.outreach.sms.conftest import MAKERS, changed


def test_a_text_is_taken(line):
    assert line.send()
    assert len(line.fake.seen) == 1


@pytest.mark.parametrize(
    "behaviour", [Silence(), Reset(), Hangup(), Drip(), Short()], ids=lambda one: type(one).__name__
)
def test_a_line_that_breaks_after_the_text_left_is_uncertain(line, behaviour):
    line.fake.next.append(behaviour)
    began = time.monotonic()
    with pytest.raises(Uncertain):
        line.send()
    assert len(line.fake.seen) == 1  # the provider has it; nothing was tried again
    assert time.monotonic() - began < 6


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302, 600 - 1])
def test_a_server_error_is_uncertain(line, status):
    line.fake.next.append(Reply(status, b"<html>Oh</html>", {"Location": "http://127.0.0.1:1/"}))
    with pytest.raises(Uncertain, match=str(status)):
        line.send()
    assert len(line.fake.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_without_words_is_refused(line, status):
    line.fake.next.append(Reply(status, b""))
    with pytest.raises(Refused, match=str(status)):
        line.send()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("said", "least", "most"), [("40", 40, 40), ("date", 25, 31)])
def test_later_with_a_time_waits_so_long(line, status, said, least, most):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    line.fake.next.append(Reply(status, b"", {"Retry-After": at if said == "date" else said}))
    with pytest.raises(NotNow) as caught:
        line.send()
    assert timedelta(seconds=least) <= caught.value.wait <= timedelta(seconds=most)


def test_too_many_without_a_time_is_not_now(line):
    line.fake.next.append(Reply(429, b"slow down"))
    with pytest.raises(NotNow) as caught:
        line.send()
    assert caught.value.wait is None


MALFORMED = [
    b"",
    b"OK",
    b"<html>",
    b"[]",
    b"null",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"status": {}}',
    b"[[]]",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:12]))
@pytest.mark.parametrize("slug", [slug for slug in MAKERS if slug != "generic"])
def test_a_success_that_cannot_be_read_is_uncertain(line_to, slug, body):
    line = line_to(slug)
    line.fake.next.append(Reply(200, body))
    with pytest.raises(Uncertain):
        line.send()


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:12]))
def test_the_generic_gateway_needs_no_id(line_to, body):
    line = line_to("generic")
    line.fake.next.append(Reply(200, body))
    assert line.send() == ""


def test_an_endless_answer_is_cut_off(line):
    line.fake.next.append(Reply(200, b" " * 400_000))
    with pytest.raises(Uncertain, match="too long"):
        line.send()


def test_nobody_listening_is_not_now(line):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NotNow, match="out of reach"):
        line.send(base_url=url)


def test_a_name_that_is_not_found_is_not_now(line):
    with pytest.raises(NotNow, match="out of reach"):
        line.send(base_url="http://nobody.invalid")


def test_a_failed_handshake_is_not_now(line):
    with pytest.raises(NotNow, match="out of reach"):
        line.send(base_url=line.fake.url.replace("http:", "https:"))
    assert not line.fake.seen


def test_a_connection_that_does_not_come_about_is_not_now(line):
    with socket.socket() as full:  # listens, but its queue is full: the handshake stays open
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.socket() as first, socket.socket() as second:
            for one in (first, second):
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            time.sleep(0.05)
            with pytest.raises((NotNow, Uncertain)) as caught:
                line.send(base_url=f"http://127.0.0.1:{full.getsockname()[1]}")
    assert caught.type is NotNow


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1", "http://a:b:c", "http://\x00"])
def test_an_address_that_cannot_be_asked_is_refused(line, url):
    with pytest.raises(Refused, match="cannot be written"):
        line.send(base_url=url)


@pytest.mark.parametrize("token", ["two\nlines", "رمز"])
def test_a_token_that_cannot_be_written_is_refused(line_to, token):
    line = line_to("generic")
    with pytest.raises(Refused, match="cannot be written"):
        line.send(token=token)
    assert not line.fake.seen


@pytest.mark.parametrize(
    ("said", "wait"),
    [("0", 0), ("7", 7), ("86401", 86400), ("9" * 400, 86400), ("Sun, 06 Nov 1994 08:49:37 GMT", 0)]
    + [(said, None) for said in ("", "soon", "-5", "1.5", "²", "٣", "Sun, 99 Foo 2026")],
)
def test_how_long_retry_after_asks_to_wait(said, wait):
    headers = httpx.Headers({"Retry-After": said.encode()})
    assert wait_of(Answer(429, headers, b"")) == (None if wait is None else timedelta(seconds=wait))


def test_a_success_sorts_to_nothing():
    for status in (200, 201, 202, 204):
        assert sort(Answer(status, httpx.Headers(), b"")) is None


def test_the_whole_time_counts_not_each_read(line_to):
    line = line_to("generic")
    line.fake.next.append(Drip())
    with pytest.raises(Uncertain, match="too slow"):
        ask("GET", line.fake.url, Patience(connect=1, whole=0.3))


def test_patience_is_five_and_ten_seconds():
    assert all(gateway.patience == Patience(connect=5, whole=10) for gateway in GATEWAYS.values())


def test_the_servers_own_gateway(line_to, settings):
    line = line_to("generic")
    settings.SMS_URL, settings.SMS_TOKEN, settings.SMS_SENDER = f"{line.fake.url}/sms", generic.TOKEN, "Goodword"
    letter = Letter("ref-1", "+639170000001", "", "Hi")
    assert sms.deliver(letter) == sms.deliver(letter) == "text-1"  # the gateway sees that it is the same
    assert line.fake.seen[0].path == "/sms"
    assert line.fake.seen[0].json == {"to": "+639170000001", "text": "Hi", "sender": "Goodword", "reference": "ref-1"}


def test_every_gateway_is_listed_and_asks_its_fields_once():
    assert list(GATEWAYS) == ["twilio", "vonage", "kavenegar", "semaphore", "generic"]
    for slug, gateway in GATEWAYS.items():
        assert gateway.slug == slug
        assert str(gateway.label)
        names = [field.name for field in gateway.fields]
        assert len(set(names)) == len(names)
        assert any(field.is_secret for field in gateway.fields)
        assert gateway.sender.name == "sender"


def test_an_account_does_not_print_its_secrets(line):
    secrets = [value for name, value in line.account.values.items() if name != "account_sid"]
    assert not any(secret in repr(line.account) for secret in secrets)


def test_keys_in_addresses_are_not_logged(line, caplog):
    with caplog.at_level("INFO"):
        line.send()
    assert "HTTP Request" not in caplog.text


def test_errors_name_no_number_and_no_key(line):
    """Reasons are stored and shown."""
    line.fake.next.extend([Reply(400, {"message": f"{line.number} is bad", "code": 21211}), Reset()])
    for _ in range(2):
        with pytest.raises((Refused, Uncertain)) as caught:
            line.send()
        shown = str(caught.value)
        assert line.number not in shown
        assert not any(value in shown for value in line.account.values.values())
        assert len(f"refused: {shown}") <= 40  # what Message.reason holds


def test_no_module_uses_a_providers_library():
    folder = Path(sms.__file__).parent
    found = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
    }
    assert not found & {"twilio", "vonage", "kavenegar", "semaphore", "requests", "nexmo"}


def test_changed_changes_only_what_it_is_told(line):
    assert changed(line.account) == line.account
