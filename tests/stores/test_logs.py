"""One JSON object a line, with the ids of what it is about, and nothing about who it is about."""

import json
import logging

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stores import directory, logs
from stores.api_auth import hash_key
from stores.models import ApiKey
from stores.tenancy import act_for, acting_for


def line(message: str, *values: object, error: BaseException | None = None) -> dict:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("goodword.test", logging.WARNING, __file__, 1, message, values, info)
    return json.loads(logs.JsonFormatter().format(record))


@pytest.fixture
def _no_ids():
    logs.begin_request("")
    logs.begin_task("", "")
    yield
    logs.begin_request("")
    logs.begin_task("", "")


@pytest.mark.usefixtures("_no_ids")
def test_a_line_outside_of_everything():
    assert set(line("hello")) == {"at", "level", "logger", "message"}


@pytest.mark.usefixtures("_no_ids")
def test_a_request_that_entered_a_store(store):
    logs.begin_request("r1")
    act_for(store)
    assert (line("x")["request_id"], line("x")["store_id"]) == ("r1", str(store.pk))
    logs.begin_request("r2")
    assert "store_id" not in line("x")  # the next request of this thread is at nobody's yet


@pytest.mark.usefixtures("_no_ids")
def test_a_request_that_came_with_a_stores_key(store):
    ApiKey.objects.create(store=store, prefix="gw_12345", hash=hash_key("gw_12345"), scopes=list(ApiKey.SCOPES))
    logs.begin_request("r1")
    assert directory.enter_by_api_key(hash_key("gw_of_nobody")) is None
    assert "store_id" not in line("x")
    assert directory.enter_by_api_key(hash_key("gw_12345")) == store.pk
    assert line("x")["store_id"] == str(store.pk)


@pytest.mark.usefixtures("_no_ids")
def test_a_task_and_the_store_it_is_at(store, other_store):
    with logs.stamped("outreach.tasks.send_due", "t1"):
        with acting_for(store), acting_for(other_store):
            assert line("x")["store_id"] == str(other_store.pk)
        found = line("x")
        assert (found["task"], found["task_id"]) == ("outreach.tasks.send_due", "t1")
        assert "store_id" not in found
    assert "task" not in line("x")


@pytest.mark.usefixtures("_no_ids")
def test_after_an_error_only_the_line_about_it_names_the_store(store, other_store):
    logs.begin_request("r1")
    with pytest.raises(ZeroDivisionError) as raised, acting_for(other_store):
        raise ZeroDivisionError
    assert "store_id" not in line("x")
    assert line("x", error=raised.value)["store_id"] == str(other_store.pk)


@example("'@a.ae", "")
@example("o'brien@example.com", "'")
@given(st.emails(), st.text(alphabet=" ,:<>\"'\n", max_size=3))
def test_no_address_of_mail_gets_through(email, around):
    assert email not in json.dumps(line(f"550 {around}{email}{around} refused"), ensure_ascii=False)


@given(st.from_regex(r"\+[1-9][0-9]{8,13}", fullmatch=True))
def test_no_phone_number_gets_through(number):
    assert number not in line("%s does not answer", number)["message"]


@pytest.mark.parametrize(
    "text",
    [
        "Not Found: /me/SECRET", "Not Found: /s/SECRET/?score=9", "Gone: /u/SECRET", "/in/mail/mailgun/SECRET",
        "redis://user:SECRET@10.0.0.1/0", "Authorization: Bearer SECRETSECRET", "gw_SECRETSECRET", "/x?key=SECRET&a=1",
        "0917 SECRET".replace("SECRET", "123 4567"), "DETAIL:  Key (email)=(SECRET) already exists.",
        "DETAIL:  Failing row contains (1, SECRET, 2).",
    ],
)  # fmt: skip
def test_what_opens_a_door_is_hidden(text):
    shown = line("%s", text)["message"]
    assert "***" in shown
    assert "SECRET" not in shown
    assert "4567" not in shown


def test_errors_are_hushed_as_well():
    try:
        raise ValueError("sara@example.com")
    except ValueError as error:
        shown = line("broken", error=error)["error"]
    assert "ValueError" in shown
    assert "sara@" not in shown


@pytest.mark.parametrize(
    "text", ["2026-11-22 21:41:00", "store 1234567890", "took 0.123456789 s", "/r/ABCD-EFGH", "10 of 1000000000"]
)
def test_what_is_nobodys_stays(text):
    assert line("%s", text)["message"] == text
