"""Vonage: the request on the wire, its errors, webhooks with a JWT."""

import base64
import json

import pytest

from outreach.channels import Blocked, NotNow, Refused, Uncertain
from outreach.channels.sms import Forged, Inbound, Incoming, Outcome, Report
from tests.fakes import vonage
from tests.fakes.server import Reply
from tests.outreach.sms.conftest import REPORTS_TO, changed


@pytest.fixture
def line(line_to):
    return line_to("vonage")


def test_the_request_on_the_wire(line):
    assert line.send(text="سلام") == "aaaaaaaa-bbbb-cccc-dddd-000000000001"
    (seen,) = line.fake.seen
    assert (seen.method, seen.path) == ("POST", "/v1/messages")
    assert seen.basic_auth == (vonage.KEY, vonage.SECRET)
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "channel": "sms",
        "message_type": "text",
        "to": "447700900000",
        "from": "447700900009",
        "text": "سلام",
        "client_ref": "abcdefgh23456789abcd",
        "webhook_url": REPORTS_TO,
        "webhook_version": "v1",
    }


def test_a_name_may_be_the_sender_and_reports_may_be_left_out(line):
    line.send(sender="Bakery", report_url="")
    assert line.fake.seen[0].json["from"] == "Bakery"
    assert "webhook_url" not in line.fake.seen[0].json


@pytest.mark.parametrize(("number", "code"), sorted(vonage.REFUSED.items()))
def test_each_documented_error_is_a_refusal(line, number, code):
    with pytest.raises(Refused, match=str(code)) as caught:
        line.send(f"+{number}")
    assert (caught.type is Blocked) == (code == 1050)


@pytest.mark.parametrize(("number", "code"), [(number, code) for number, (_, code) in vonage.SAY_LATER.items()])
def test_later_is_later_whatever_the_status(line, number, code):
    with pytest.raises(NotNow, match=str(code)):
        line.send(f"+{number}")


@pytest.mark.parametrize("status", [400, 422, 500])
def test_an_internal_error_is_uncertain_whatever_the_status(line, status):
    line.fake.next.append(line.fake.error(status, 1030))
    with pytest.raises(Uncertain, match="1030"):
        line.send()


@pytest.mark.parametrize("changes", [{"api_key": "other"}, {"api_secret": "other"}])
def test_a_wrong_key_is_refused(line, changes):
    with pytest.raises(Refused, match="unauthorized"):
        line.send(**changes)


def test_no_sender_is_refused(line):
    with pytest.raises(Refused, match="1020 bad field"):
        line.send(sender="")


def test_an_error_with_its_number_as_the_title(line):
    line.fake.next.append(Reply(402, {"title": "1070", "detail": "Your balance"}))
    with pytest.raises(Refused, match="1070 no credit"):
        line.send()


def test_an_error_at_length_is_only_its_status(line):
    line.fake.next.append(Reply(402, {"title": "You, +4477, do not have enough credit"}))
    with pytest.raises(Refused, match=r"^402$"):
        line.send()


def test_it_cannot_be_asked_about_our_reference(line):
    assert line.gateway.finds == ""
    assert line.gateway.look_up(line.account, "ref", "uuid") is None


BARRED = {"type": "https://developer.vonage.com/api-errors/messages#1050", "title": "1050", "detail": "Number barred"}
OPTED_OUT = {"type": "https://x/y#1", "title": "Opted out", "detail": "Recipient has opted-out"}
OTHER = {"type": "https://developer.vonage.com/api-errors/messages#1250", "title": 1250, "detail": "Unroutable"}


@pytest.mark.parametrize(
    ("state", "error", "outcome"),
    [
        ("delivered", None, Outcome.DELIVERED),
        ("read", None, Outcome.DELIVERED),
        ("rejected", None, Outcome.FAILED),
        ("rejected", OTHER, Outcome.FAILED),
        ("undeliverable", None, Outcome.FAILED),
        ("rejected", BARRED, Outcome.BLOCKED),
        ("rejected", OPTED_OUT, Outcome.BLOCKED),
    ],
)
def test_a_final_status_is_reported(line, state, error, outcome):
    call = vonage.webhook(vonage.status("u-1", state, error=error))
    news = Report(event_id=f"u-1:{state}", provider_id="u-1", reference="ref", status=outcome)
    assert line.gateway.reports(line.account, call) == [news]
    assert line.gateway.reports(line.account, call) == [news]


@pytest.mark.parametrize("state", ["submitted", "", "new-in-2030"])
def test_a_status_on_the_way_is_no_news(line, state):
    assert line.gateway.reports(line.account, vonage.webhook(vonage.status("u-1", state))) == []


def test_an_inbound_text(line):
    call = vonage.webhook(vonage.inbound("u-2", "639171234567", "Itigil na"))
    inbound = Inbound("+639171234567", "Itigil na", "u-2")
    assert line.gateway.reports(line.account, call) == [Report(event_id="u-2", inbound=inbound)]


def test_an_inbound_picture_is_no_news(line):
    event = vonage.inbound("u-2", "639171234567", "") | {"message_type": "image"}
    assert line.gateway.reports(line.account, vonage.webhook(event)) == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'{"message_uuid": ""}', b'{"status": {}}'])
def test_a_signed_call_without_news_is_empty(line, raw):
    assert line.gateway.reports(line.account, vonage.webhook(None, raw=raw)) == []


EVENT = vonage.status("u-1", "delivered")
REAL = vonage.webhook(EVENT)
HEAD, CLAIMS, MARK = REAL.headers["authorization"].removeprefix("Bearer ").split(".")


def unsigned() -> str:
    return f"{vonage.pack({'alg': 'none', 'typ': 'JWT'})}.{CLAIMS}."


FORGERIES = {
    "another secret": vonage.webhook(EVENT, secret="guess"),
    "another account": vonage.webhook(EVENT, api_key="other"),
    "another issuer": vonage.webhook(EVENT, iss="Somebody"),
    "no hash": vonage.webhook(EVENT, payload_hash=None),
    "hash of another body": vonage.webhook(EVENT, payload_hash="0" * 64),
    "alg none": vonage.webhook(EVENT, token=unsigned()),
    "alg none, signed": vonage.webhook(EVENT, alg="none"),
    "alg HS512": vonage.webhook(EVENT, alg="HS512"),
    "another body": Incoming("POST", REAL.url, REAL.headers, {}, REAL.body.replace(b"delivered", b"rejected")),
    "no token": Incoming("POST", REAL.url, {}, {}, REAL.body),
    "not bearer": Incoming("POST", REAL.url, {"Authorization": f"Basic {HEAD}.{CLAIMS}.{MARK}"}, {}, REAL.body),
    "no mark": vonage.webhook(EVENT, token=f"{HEAD}.{CLAIMS}."),
    "one part": vonage.webhook(EVENT, token=HEAD),
    "rubbish": vonage.webhook(EVENT, token="é.!!.~~"),
    "other claims": vonage.webhook(EVENT, token=f"{HEAD}.{vonage.pack({'iss': 'Vonage'})}.{MARK}"),
}


@pytest.mark.parametrize("call", FORGERIES.values(), ids=list(FORGERIES))
def test_a_forged_call_is_refused(line, call):
    assert line.gateway.reports(line.account, REAL)
    with pytest.raises(Forged):
        line.gateway.reports(line.account, call)


def test_an_account_without_a_signature_secret_believes_nobody(line):
    with pytest.raises(Forged):
        line.gateway.reports(changed(line.account, signature_secret=""), vonage.webhook(EVENT, secret=""))


def test_the_fake_signs_as_the_documentation_shows():
    claims = json.loads(base64.urlsafe_b64decode(CLAIMS + "=" * (-len(CLAIMS) % 4)))
    assert set(claims) == {"iat", "jti", "iss", "payload_hash", "api_key"}
