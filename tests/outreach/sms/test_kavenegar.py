"""Kavenegar: the request on the wire, its codes, asking by our own reference, its calls."""

import pytest

from outreach.channels import Blocked, NotNow, Refused, Uncertain
from outreach.channels.sms import Forged, Inbound, Outcome, Report
from outreach.channels.sms.kavenegar import local_id, receptor
from tests.fakes import kavenegar
from tests.fakes.server import Reply, Silence
from tests.outreach.sms.conftest import changed

REFERENCE = "abcdefgh23456789abcd"


@pytest.fixture
def line(line_to):
    return line_to("kavenegar")


def test_the_request_on_the_wire(line):
    assert line.send(text="سلام، لغو۱۱") == "8792343"
    (seen,) = line.fake.seen
    assert (seen.method, seen.path) == ("POST", "/v1/6F4B%2Fsecret/sms/send.json")
    assert seen.form == {
        "receptor": "09121234567",
        "message": "سلام، لغو۱۱",
        "sender": "10004346",
        "localid": str(local_id(REFERENCE)),
    }


@pytest.mark.parametrize(
    ("number", "written"),
    [("+989121234567", "09121234567"), ("+639171234567", "00639171234567"), ("30001234", "30001234")],
)
def test_numbers_are_written_as_kavenegar_wants_them(number, written):
    assert receptor(number) == written


def test_the_reference_becomes_a_number_that_a_long_holds():
    ids = {local_id(f"reference-{number}") for number in range(5000)}
    assert len(ids) == 5000
    assert all(0 <= one < 2**61 for one in ids)
    assert local_id(REFERENCE) == 603240781217010750  # the same in every process and release


def test_a_second_try_is_the_same_message(line):
    line.fake.next.append(Reply(409, {"return": {"status": 409, "message": "بعدا"}}))
    with pytest.raises(NotNow):
        line.send()
    assert line.send() == line.send()
    assert len(line.fake.by_local_id) == 1


@pytest.mark.parametrize(("number", "code"), sorted(kavenegar.REFUSED.items()))
def test_each_documented_error_is_a_refusal(line, number, code):
    with pytest.raises(Refused, match=str(code)):
        line.send(f"+98{number[1:]}")


@pytest.mark.parametrize("code", [400, 401, 402, 403, 412, 413, 416, 501, 607, 805])
@pytest.mark.parametrize("status", ["same", 200])
def test_the_body_decides_whatever_the_http_status(line, code, status):
    """The REST service mirrors its code as the HTTP status, the older ones answer 200."""
    line.fake.next.append(Reply(code if status == "same" else 200, {"return": {"status": code, "message": "x"}}))
    with pytest.raises(Refused, match=str(code)):
        line.send()


@pytest.mark.parametrize("code", [409, 429, 451])
@pytest.mark.parametrize("status", ["same", 200])
def test_later_is_later(line, code, status):
    line.fake.next.append(Reply(code if status == "same" else 200, {"return": {"status": code, "message": "x"}}))
    with pytest.raises(NotNow, match=str(code)):
        line.send()


def test_a_wrong_key_and_a_wrong_line_are_refused(line):
    with pytest.raises(Refused, match="403 wrong key"):
        line.send(api_key="other")
    with pytest.raises(Refused, match="412 bad sender"):
        line.send(sender="1")


def test_a_person_who_blocks_advertising_is_blocked(line):
    with pytest.raises(Blocked):
        line.send("+989120000014")


def test_a_text_that_failed_at_once_is_refused(line):
    with pytest.raises(Refused, match="status 6") as caught:
        line.send("+989120000006")
    assert caught.type is Refused


@pytest.mark.parametrize("entries", [None, [], {}, [{}], [{"messageid": 1}], [{"messageid": 1, "status": 100}], "x"])
def test_a_200_without_a_message_is_uncertain(line, entries):
    line.fake.next.append(Reply(200, {"return": {"status": 200, "message": "x"}, "entries": entries}))
    with pytest.raises(Uncertain):
        line.send()


def test_an_unknown_text_is_found_by_our_reference(line):
    """The time-out case: it was taken, the answer was lost, and asking tells."""
    taken = line.fake.respond
    line.fake.respond = lambda seen: (taken(seen), Silence())[1]
    with pytest.raises(Uncertain):
        line.send()
    line.fake.respond = taken
    assert line.gateway.finds == "reference"
    assert line.gateway.look_up(line.account, REFERENCE, "") == "sent"
    assert line.fake.seen[-1].path == "/v1/6F4B%2Fsecret/sms/statuslocalmessageid.json"
    assert line.fake.seen[-1].form == {"localid": str(local_id(REFERENCE))}


@pytest.mark.parametrize(
    ("status", "known"),
    [
        *((status, "sent") for status in (1, 2, 4, 5, 10)),
        *((status, "failed") for status in (6, 11, 13, 14)),
        (77, None),
    ],
)
def test_what_a_status_tells(line, status, known):
    number = line.send()
    line.fake.by_local_id[str(local_id(REFERENCE))]["status"] = status
    assert line.gateway.look_up(line.account, REFERENCE, "") == known
    assert line.gateway.look_up(line.account, "", number) == known
    assert line.fake.seen[-1].form == {"messageid": number}


def test_a_text_it_never_had_is_missing(line):
    assert line.gateway.look_up(line.account, "another-reference", "") == "missing"


@pytest.mark.parametrize("behaviour", [Silence(), Reply(500), Reply(429), Reply(403), Reply(200, b"OK")], ids=repr)
def test_asking_in_vain_tells_nothing(line, behaviour):
    line.fake.next.append(behaviour)
    assert line.gateway.look_up(line.account, REFERENCE, "") is None


@pytest.mark.parametrize("how", ["GET", "POST", "JSON"])
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("10", Outcome.DELIVERED),
        ("11", Outcome.FAILED),
        ("6", Outcome.FAILED),
        ("13", Outcome.FAILED),
        ("14", Outcome.BLOCKED),
    ],
)
def test_a_final_status_is_reported(line, how, status, outcome):
    call = kavenegar.call({"messageid": "8792343", "status": status}, how=how)
    news = Report(event_id=f"8792343:{status}", provider_id="8792343", status=outcome)
    assert line.gateway.reports(line.account, call) == [news]
    assert line.gateway.reports(line.account, call) == [news]


def test_numbers_in_json_are_read_too(line):
    rows = [{"messageid": 1, "status": 10}, {"messageid": 2, "status": 14}, {"status": 10}, "rubbish", None]
    found = line.gateway.reports(line.account, kavenegar.call(rows, how="JSON"))
    assert [(one.provider_id, one.status) for one in found] == [("1", Outcome.DELIVERED), ("2", Outcome.BLOCKED)]


@pytest.mark.parametrize("status", ["1", "2", "4", "5", "100", "", "x", "۱۰", "9" * 5000])
def test_a_status_on_the_way_is_no_news(line, status):
    assert line.gateway.reports(line.account, kavenegar.call({"messageid": "1", "status": status})) == []


@pytest.mark.parametrize("how", ["GET", "POST", "JSON"])
@pytest.mark.parametrize("sender", ["09121234567", "989121234567", "+989121234567", "9121234567", "00989121234567"])
def test_an_inbound_text(line, how, sender):
    fields = {"messageid": "55", "from": sender, "to": "10004346", "message": "لغو ۱۱"}
    inbound = Inbound("+989121234567", "لغو ۱۱", "55")
    assert line.gateway.reports(line.account, kavenegar.call(fields, how=how)) == [
        Report(event_id="55", inbound=inbound)
    ]


def test_an_inbound_text_under_the_other_names(line):
    fields = {"messageid": "55", "sender": "09121234567", "receptor": "10004346", "message": "11", "date": "1"}
    (report,) = line.gateway.reports(line.account, kavenegar.call(fields))
    assert report.inbound == Inbound("+989121234567", "11", "55")


@pytest.mark.parametrize(("status", "reported"), [("10", 1), ("14", 1), ("4", 0), ("100", 0)])
def test_a_status_call_that_repeats_our_text_is_no_inbound(line, status, reported):
    fields = {"messageid": "55", "status": status, "statustext": "x", "sender": "10004346", "message": "لغو۱۱"}
    found = line.gateway.reports(line.account, kavenegar.call({**fields, "receptor": "09121234567"}))
    assert len(found) == reported
    assert all(one.status and not one.inbound for one in found)


def test_a_received_text_may_say_so(line):
    fields = {"messageid": "55", "status": "50", "sender": "09121234567", "message": "11"}
    (report,) = line.gateway.reports(line.account, kavenegar.call(fields))
    assert report.inbound == Inbound("+989121234567", "11", "55")


@pytest.mark.parametrize("key", ["", "guess", "the-report-ke", "the-report-keyy", "کلید"])
def test_a_call_without_the_key_is_refused(line, key):
    with pytest.raises(Forged):
        line.gateway.reports(line.account, kavenegar.call({"messageid": "1", "status": "10"}, key=key))


def test_a_key_in_the_body_does_not_count(line):
    with pytest.raises(Forged):
        line.gateway.reports(line.account, kavenegar.call({"key": kavenegar.REPORT_KEY, "messageid": "1"}, key=""))


def test_an_account_without_a_key_believes_nobody(line):
    for key in ("", kavenegar.REPORT_KEY):
        with pytest.raises(Forged):
            line.gateway.reports(changed(line.account, report_key=""), kavenegar.call({"messageid": "1"}, key=key))
