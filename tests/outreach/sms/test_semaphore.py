"""Semaphore: the request on the wire, its complaints, asking by its id, no calls."""

import pytest

from outreach.channels import NotNow, Refused, Uncertain
from outreach.channels.sms import Forged, Incoming
from tests.fakes import semaphore
from tests.fakes.server import Reply, Silence


@pytest.fixture
def line(line_to):
    return line_to("semaphore")


def test_the_request_on_the_wire(line):
    assert line.send(text="Kumusta & salamat") == "12345"
    (seen,) = line.fake.seen
    assert (seen.method, seen.path) == ("POST", "/api/v4/messages")
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.form == {
        "apikey": semaphore.KEY,
        "number": "639171234567",
        "message": "Kumusta & salamat",
        "sendername": "BAKERY",
    }
    assert seen.query == {}  # the key is not in the address


def test_without_a_sender_name_none_is_named(line):
    line.send(sender="")
    assert "sendername" not in line.fake.seen[0].form


@pytest.mark.parametrize("number", ["+989121234567", "+15550001111"])
def test_a_foreign_number_is_not_tried(line, number):
    with pytest.raises(Refused, match="Philippine"):
        line.send(number)
    assert not line.fake.seen


@pytest.mark.parametrize("text", ["TEST", "test message", " Test: hello"])
def test_a_text_it_would_drop_in_silence_is_not_tried(line, text):
    with pytest.raises(Refused, match="TEST"):
        line.send(text=text)
    assert not line.fake.seen


def test_a_word_that_only_begins_like_it_goes(line):
    assert line.send(text="Testimonials welcome")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"api_key": "other"}, "wrong key"),
        ({"sender": "OTHER"}, "sender name not approved"),
        ({"to": "+6321"}, "bad number"),
    ],
)
def test_each_known_complaint_is_a_refusal(line, changes, reason):
    with pytest.raises(Refused, match=reason):
        line.send(**changes)


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize("body", [{"apikey": ["invalid"]}, [{"sendername": "invalid"}], {"number": ["invalid"]}])
def test_a_complaint_is_a_refusal_whatever_the_status(line, status, body):
    line.fake.next.append(Reply(status, body))
    with pytest.raises(Refused):
        line.send()


def test_a_complaint_with_a_server_error_is_uncertain(line):
    line.fake.next.append(Reply(500, {"number": ["?"]}))
    with pytest.raises(Uncertain):
        line.send()


def test_the_rate_limit_as_documented(line):
    headers = {"X-RateLimit-Limit": "120", "X-RateLimit-Remaining": "0", "Retry-After": "40"}
    line.fake.next.append(Reply(429, {"message": "Too Many Attempts."}, headers))
    with pytest.raises(NotNow) as caught:
        line.send()
    assert caught.value.wait.total_seconds() == 40


@pytest.mark.parametrize("status", ["Failed", "Refunded"])
def test_a_text_the_network_rejected_at_once_is_refused(line, status):
    line.fake.next.append(Reply(200, [{"message_id": 1, "status": status}]))
    with pytest.raises(Refused, match=status):
        line.send()


@pytest.mark.parametrize("body", [{"message": "Server Error"}, [{}], [{"status": "Pending"}], {"message_id": None}])
def test_a_200_without_a_message_is_uncertain(line, body):
    line.fake.next.append(Reply(200, body))
    with pytest.raises(Uncertain):
        line.send()


@pytest.mark.parametrize(
    ("status", "known"),
    [
        ("Queued", "sent"),
        ("Pending", "sent"),
        ("Sent", "sent"),
        ("Failed", "failed"),
        ("Refunded", "failed"),
        ("?", None),
    ],
)
def test_asking_by_its_id(line, status, known):
    number = line.send()
    line.fake.messages[number]["status"] = status
    assert line.gateway.finds == "provider_id"
    assert line.gateway.look_up(line.account, "ref", number) == known
    seen = line.fake.seen[-1]
    assert (seen.method, seen.path, seen.query) == ("GET", "/api/v4/messages/12345", {"apikey": semaphore.KEY})


def test_our_reference_means_nothing_to_it(line):
    line.send()
    assert line.gateway.look_up(line.account, "abcdefgh23456789abcd", "") is None
    assert len(line.fake.seen) == 1


@pytest.mark.parametrize("behaviour", [Silence(), Reply(500), Reply(429), Reply(404), Reply(200, b"OK")], ids=repr)
def test_asking_in_vain_tells_nothing(line, behaviour):
    line.fake.next.append(behaviour)
    assert line.gateway.look_up(line.account, "", "12345") is None


@pytest.mark.parametrize("slug", ["semaphore", "generic"])
def test_whoever_calls_is_not_the_provider(line_to, slug):
    line = line_to(slug)
    assert not line.gateway.reports_back
    call = Incoming("POST", "https://goodword.example/hook", {}, {}, b'[{"message_id": 12345, "status": "Sent"}]')
    with pytest.raises(Forged):
        line.gateway.reports(line.account, call)
