"""Twilio: the request on the wire, its errors, signed callbacks."""

import pytest

from outreach.channels import Blocked, Refused, Uncertain
from outreach.channels.sms import Forged, Inbound, Outcome, Report, Said
from outreach.channels.sms.twilio import check_signature, signature
from tests.fakes import twilio
from tests.fakes.server import Reply
from tests.outreach.sms.conftest import REPORTS_TO, changed


@pytest.fixture
def line(line_to):
    return line_to("twilio")


def test_the_request_on_the_wire(line):
    sid = line.send(text="سلام & hello+")
    (seen,) = line.fake.seen
    assert sid == f"SM{1:032d}"
    assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{twilio.SID}/Messages.json")
    assert seen.basic_auth == (twilio.SID, twilio.TOKEN)
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.form == {
        "To": "+15550001111",
        "From": "+15550009999",
        "Body": "سلام & hello+",
        "StatusCallback": REPORTS_TO,
    }


@pytest.mark.parametrize("switch", ["1", "on", "True", " yes "])
def test_whatsapp_puts_the_channel_before_both_numbers(line, switch):
    line.send(whatsapp=switch)
    form = line.fake.seen[0].form
    assert (form["To"], form["From"]) == ("whatsapp:+15550001111", "whatsapp:+15550009999")


@pytest.mark.parametrize("switch", ["", "0", "off", "no"])
def test_whatsapp_is_off_otherwise(line, switch):
    line.send(whatsapp=switch)
    assert line.fake.seen[0].form["To"] == "+15550001111"


def test_a_messaging_service_is_named_as_one(line):
    service = "MG" + "1" * 32
    line.send(sender=service, report_url="")
    assert line.fake.seen[0].form == {"To": "+15550001111", "MessagingServiceSid": service, "Body": "Hello"}


@pytest.mark.parametrize(("number", "code"), sorted(twilio.REFUSED.items()))
def test_each_documented_error_is_a_refusal(line, number, code):
    with pytest.raises(Refused, match=str(code)) as caught:
        line.send(number)
    assert (caught.type is Blocked) == (code == 21610)


def test_a_wrong_token_is_refused(line):
    with pytest.raises(Refused, match="20003 wrong key"):
        line.send(auth_token="another")


def test_no_sender_is_refused(line):
    with pytest.raises(Refused, match="21603"):
        line.send(sender="")


def test_a_server_error_with_words_is_still_uncertain(line):
    line.fake.next.append(Reply(500, {"code": 20500, "message": "Internal", "status": 500}))
    with pytest.raises(Uncertain, match="20500"):
        line.send()


def test_a_message_that_failed_at_once_is_refused(line):
    line.fake.next.append(Reply(201, {"sid": "SM1", "status": "failed", "error_code": 30006}))
    with pytest.raises(Refused, match="30006"):
        line.send()


def test_a_sid_cannot_leave_its_place_in_the_address(line):
    with pytest.raises(Refused):
        line.send(account_sid="../../x?y#z")
    assert line.fake.seen[0].path == "/2010-04-01/Accounts/..%2F..%2Fx%3Fy%23z/Messages.json"


def test_it_cannot_be_asked_about_our_reference(line):
    assert line.gateway.finds == ""
    assert line.gateway.look_up(line.account, "ref", "SM1") is None
    assert not line.fake.seen


@pytest.mark.parametrize(
    ("state", "error", "outcome"),
    [
        ("delivered", "", Outcome.DELIVERED),
        ("read", "", Outcome.DELIVERED),
        ("failed", "30003", Outcome.FAILED),
        ("undelivered", "30005", Outcome.FAILED),
        ("undelivered", "", Outcome.FAILED),
        ("canceled", "", Outcome.FAILED),
        ("failed", "21610", Outcome.BLOCKED),
        ("undelivered", "63014", Outcome.BLOCKED),
    ],
)
def test_a_final_status_is_reported(line, state, error, outcome):
    call = twilio.callback(REPORTS_TO, twilio.status("SM7", state, error))
    news = Report(event_id=f"SM7:{state}", provider_id="SM7", status=outcome)
    assert line.gateway.reports(line.account, call) == [news]
    assert line.gateway.reports(line.account, call) == [news]  # a replay is the same event


@pytest.mark.parametrize("state", ["accepted", "queued", "sending", "sent", "scheduled", "", "new-in-2030"])
def test_a_status_on_the_way_is_no_news(line, state):
    assert line.gateway.reports(line.account, twilio.callback(REPORTS_TO, twilio.status("SM7", state))) == []


@pytest.mark.parametrize("sender", ["+639171234567", "whatsapp:+639171234567"])
def test_an_inbound_text(line, sender):
    call = twilio.callback(REPORTS_TO, twilio.inbound("SM8", sender, "Stop it & لغو۱۱", ButtonText=""))
    inbound = Inbound("+639171234567", "Stop it & لغو۱۱", "SM8")
    assert line.gateway.reports(line.account, call) == [Report(event_id="SM8", inbound=inbound)]


@pytest.mark.parametrize(("said", "means"), [("STOP", Said.STOP), ("START", Said.START), ("HELP", Said.NOTHING)])
def test_twilios_own_reading_of_a_keyword_is_kept(line, said, means):
    call = twilio.callback(REPORTS_TO, twilio.inbound("SM8", "+15550001111", "Basta", OptOutType=said))
    (report,) = line.gateway.reports(line.account, call)
    assert report.inbound.said == means


def test_the_documented_example_of_a_signature():
    fields = list(twilio.EXAMPLE_FIELDS.items())
    assert signature(twilio.EXAMPLE_TOKEN, twilio.EXAMPLE_URL, fields) == twilio.EXAMPLE_SIGNATURE


@pytest.mark.parametrize("signed", ["https://goodword.example:443/hook?a=%2B1", "https://goodword.example/hook?a=%2B1"])
@pytest.mark.parametrize("seen", ["https://goodword.example:443/hook?a=%2B1", "https://goodword.example/hook?a=%2B1"])
def test_the_standard_port_may_be_written_or_not(line, signed, seen):
    call = twilio.callback(seen, twilio.status("SM7", "delivered"), signed_url=signed)
    assert len(line.gateway.reports(line.account, call)) == 1


def test_a_get_is_signed_over_its_address(line):
    url = f"{REPORTS_TO}?MessageSid=SM7&MessageStatus=delivered"
    call = twilio.callback(url, {})
    call = type(call)("GET", url, call.headers, {"MessageSid": "SM8"}, b"MessageSid=SM9")
    assert line.gateway.reports(line.account, call)[0].provider_id == "SM7"  # what was signed, nothing else


FORGERIES = {
    "another token": lambda call: twilio.callback(call.url, twilio.status("SM7", "delivered"), token="guess"),
    "no signature": lambda call: type(call)(call.method, call.url, {}, {}, call.body),
    "not ascii": lambda call: type(call)(call.method, call.url, {"X-Twilio-Signature": "é"}, {}, call.body),
    "another field": lambda call: type(call)(call.method, call.url, call.headers, {}, call.body + b"&x=1"),
    "another value": lambda call: type(call)(
        call.method, call.url, call.headers, {}, call.body.replace(b"delivered", b"failed")
    ),
    "another store's address": lambda call: type(call)(call.method, call.url + "2", call.headers, {}, call.body),
    "another port": lambda call: type(call)(
        call.method, "https://goodword.example:8443/hook", call.headers, {}, call.body
    ),
    "as a GET": lambda call: type(call)("GET", call.url, call.headers, {"MessageSid": "SM7"}, b""),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=list(FORGERIES))
def test_a_forged_call_is_refused(line, forge):
    real = twilio.callback(REPORTS_TO, twilio.status("SM7", "delivered"))
    assert line.gateway.reports(line.account, real)
    with pytest.raises(Forged):
        line.gateway.reports(line.account, forge(real))


def test_an_account_without_a_token_believes_nobody(line):
    call = twilio.callback(REPORTS_TO, twilio.status("SM7", "delivered"), token="")
    with pytest.raises(Forged):
        check_signature("", call)
    with pytest.raises(Forged):
        line.gateway.reports(changed(line.account, auth_token=""), call)
