"""kill -9 of the web while friends open a link: each opening whose page was answered is counted, once."""

from __future__ import annotations

import httpx
import pytest
from django.utils import timezone

from customers.models import Customer
from referrals.models import Visit
from referrals.services.links import share_link_of
from stores.tenancy import acting_for
from tests.stack import ROOT, until

OPENINGS = 250


@pytest.fixture
def code(stack, store):
    """A share code of the store."""

    def make() -> str:
        at = timezone.now()
        with acting_for(store):
            sara = Customer.objects.create(store=store, name="Sara Cruz", email="s@example.com", recorded_at=at)
            return share_link_of(sara, at=at).code

    return stack.call(make)


def start_web(stack, application):
    """The Procfile's web with this application in it."""
    (line,) = (line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web: "))
    stack.run("web", ["sh", "-c", line.removeprefix("web: ").replace("config.wsgi:application", application)])
    until(lambda: answers(stack), what="the web answers")


def answers(stack) -> bool:
    try:
        return httpx.get(f"{stack.url}/healthz", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def opened(stack, code) -> None:
    """So many people open the link; all of them see the page."""
    with httpx.Client(timeout=10) as friends:
        for number in range(OPENINGS):
            page = friends.get(f"{stack.url}/r/{code}", headers={"user-agent": f"Mozilla/5.0 Firefox {number}"})
            assert page.status_code == 200
            friends.cookies.clear()  # of the next one


def counted(stack, store) -> int:
    return stack.inside(store, lambda: Visit.objects.for_store(store).count())


def files(stack) -> list[str]:
    return [path.name for path in (stack.folder / "visits").glob("*")]


def test_no_visit_is_lost_or_doubled(stack, store, code):
    start_web(stack, "config.wsgi:application")
    opened(stack, code)
    stack.kill("web")
    left = files(stack)
    start_web(stack, "config.wsgi:application")
    until(lambda: not files(stack), what="what was left is loaded")
    print(f"{len(left)} files were left")
    assert counted(stack, store) == OPENINGS


def test_control_what_is_only_remembered_is_lost(stack, store, code):
    start_web(stack, "tests.faults.forgetful:application")
    opened(stack, code)
    stack.kill("web")
    start_web(stack, "config.wsgi:application")
    until(lambda: not files(stack), what="what was left is loaded")
    assert counted(stack, store) == OPENINGS - OPENINGS % 100
