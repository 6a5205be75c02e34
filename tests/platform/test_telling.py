"""A whole stack tells about itself: every line of web, worker and beat is JSON with its ids, and two web processes
count as one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from customers.models import Customer
from outreach.models import Kind
from referrals.services.programs import open_store
from stores import runs
from stores.tenancy import acting_for
from tests.planned import plan_message
from tests.stack import PATIENCE, Stack, until

REQUESTS = 40
BROKEN = re.compile(r"Traceback|^\[|ERROR|WARNING[/:]|Warning:")
pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack(django_db_blocker):
    """Two web processes, a worker and a beat; a message that cannot be written, so that a task has something to say."""
    with django_db_blocker.unblock(), Stack(WEB_WORKERS="2", LOG_LEVEL="INFO") as stack:
        store = stack.call(open_store, slug="corner", name="Corner", currency="PHP", at=timezone.now())
        stack.call(_plan_one_that_fails, store)
        stack.start("web", "worker", "beat")
        stack.store = store
        yield stack
        print(stack.log())


def _plan_one_that_fails(store):
    at = timezone.now()
    with acting_for(store):
        sara = Customer.objects.create(
            store=store, name="Sara", email="sara@example.com", email_norm="sara@example.com", recorded_at=at
        )
        plan_message(
            sara, Kind.SURVEY, key="broken", due_at=at, context={"product": 1, "links": "sara@example.com"}, at=at
        )


def lines(stack, name):
    """Every line that a process logged. What is no JSON is the banner that Celery prints at its start."""
    said = [line for line in (stack.folder / f"{name}.log").read_text().splitlines() if line.strip()]
    others = [line for line in said if not line.startswith("{")]
    assert name != "web" or not others, others
    assert not [line for line in others if BROKEN.search(line)], others
    return [json.loads(line) for line in said if line.startswith("{")]


def test_a_requests_lines_bear_its_id(stack):
    answer = httpx.get(f"{stack.url}/me/a-token-of-somebody", timeout=PATIENCE)
    assert answer.status_code == 404
    mine = [line for line in lines(stack, "web") if line.get("request_id") == answer.headers["x-request-id"]]
    assert [(line["logger"], line["level"]) for line in mine] == [("django.request", "warning")]
    assert "a-token-of-somebody" not in (stack.folder / "web.log").read_text()


def test_a_tasks_lines_bear_its_id_and_the_store(stack):
    def said():
        return [line for line in lines(stack, "worker") if "could not be written" in line["message"]]

    (line,) = until(said, what="the worker's line about the message")
    assert line["task"] == "outreach.tasks.send_due"
    assert len(line["task_id"]) == 36
    assert line["store_id"] == str(stack.store.pk)
    assert "sara@example.com" not in (stack.folder / "worker.log").read_text()


def test_beats_lines_are_json_too_and_it_says_that_it_lives(stack):
    assert lines(stack, "beat") is not None
    until(lambda: runs.BEAT in _jobs(stack), what="beat's own line")


def test_two_processes_count_as_one(stack):
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: httpx.get(f"{stack.url}/login/", timeout=PATIENCE).status_code, range(REQUESTS))
        )
    assert Counter(answers) == {200: REQUESTS}
    for _ in range(4):  # whichever of the two is asked
        assert _families(stack)["goodword_request_seconds"][("/login/", "200")] == REQUESTS


def _jobs(stack):
    return {labels[0] for labels in _families(stack).get("goodword_job_seconds", {})}


def _families(stack):
    text = httpx.get(f"{stack.url}/metrics", timeout=PATIENCE).text
    return {
        family.name: {
            tuple(value for key, value in one.labels.items() if key != "le"): one.value
            for one in family.samples
            if one.name.endswith("_count")
        }
        for family in text_string_to_metric_families(text)
    }
