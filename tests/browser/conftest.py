"""Fixtures for what people do in a browser: a running stack with a store, and browsers that tell what goes wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from referrals.services import programs
from referrals.services.terms import terms_of
from stores import directory
from tests.stack import ROOT, Stack, where_it_is_noon

OUTPUT = ROOT / "tests" / "output"
PASSWORD = "a-long-test-password"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
expect.set_options(timeout=60_000)
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1",
}


@pytest.fixture(scope="module")
def running(request, django_db_blocker) -> Iterator[Stack]:
    """Web, worker and beat; `PROCESSES` and `SETTINGS` of a file say otherwise.

    One worker process, so that ticks of the same moment follow one another.
    """
    processes = getattr(request.module, "PROCESSES", ("web", "worker", "beat"))
    settings = {"WORKERS": "1"} | getattr(request.module, "SETTINGS", {})
    with django_db_blocker.unblock(), Stack(**settings) as stack:
        stack.start(*processes)
        yield stack


@pytest.fixture
def stack(running) -> Iterator[Stack]:
    """The running stack; what its processes said is shown when the test fails."""
    yield running
    print(running.log())


class Shop:
    """The store as the test knows it: `store` inside, its key and its people outside."""

    def __init__(self, stack: Stack) -> None:
        self.store, self.url, self._stack = stack.call(directory.named, "rosewater"), stack.url, stack

    @cached_property
    def key(self) -> str:
        """Its API key, made when first asked for."""
        return self._stack.manage("create_api_key", "rosewater").split()[-1]

    def api(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Call the API as the shop's own system does."""
        headers = {"authorization": f"Bearer {self.key}", **kwargs.pop("headers", {})}
        return httpx.request(method, f"{self.url}/api/v1/{path}", headers=headers, timeout=60, **kwargs)


@pytest.fixture(scope="module")
def shop(request, running) -> Shop:
    """A store made with the management commands, as a new owner makes it; `TEAM` of a file says who works there."""
    facts = ["--name", "Rosewater Café", "--currency", "PHP", "--country", "PH", "--timezone", where_it_is_noon()]
    running.manage("create_store", "rosewater", *facts)
    for name, role in getattr(request.module, "TEAM", {"owner": "owner", "staff": "staff"}).items():
        address = f"{name}@example.com"
        running.manage("create_staff", "rosewater", address, "--role", role, "--password", PASSWORD)
    return Shop(running)


@pytest.fixture
def without_hold(stack, shop) -> Callable[[], None]:
    """From now on a referral may count at the next sweep; those made before keep their hold."""

    def change() -> None:
        program = programs.program_of(shop.store)
        changed = replace(terms_of(program), hold_days=0)
        programs.change_program(program, changed, by=None, at=timezone.now())

    return lambda: stack.inside(shop.store, change)


# -- Browsers --


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser; every visitor has a context of their own in it."""
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


class Visitors:
    """Opens browsers for people, and notes whatever a person would call broken."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.wrong, self.contexts = browser, [], []
        self.refusals = False  # set by a test that has a form refused (422) and looks at what the page says

    def new(self, **options: Any) -> Page:
        """Somebody nobody has seen before; their first page."""
        context: BrowserContext = self.browser.new_context(**options)
        context.set_default_timeout(60_000)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        context.on("response", self._response)
        self.contexts.append(context)
        return context.new_page()

    def phone(self) -> Page:
        """A customer on a phone."""
        return self.new(**PHONE)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not (self.refusals and "status of 422" in message.text):
            self.wrong.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not (self.refusals and response.status == 422):
            self.wrong.append(f"{response.status}: {response.request.method} {response.url}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture
def visitors(chromium) -> Iterator[Visitors]:
    """Browsers for this test's people; at the end nothing may have gone wrong in any of them."""
    visitors = Visitors(chromium)
    yield visitors
    visitors.close()
    assert visitors.wrong == []


@pytest.fixture
def picture() -> Callable[[Page, str], Path]:
    """Keep a picture of a page, for people to look at."""
    OUTPUT.mkdir(exist_ok=True)

    def take(page: Page, name: str) -> Path:
        path = OUTPUT / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take


@pytest.fixture(scope="module")
def log_in(shop) -> Callable[[Page, str], None]:
    """Log in as owner or staff, by the form."""

    def run(page: Page, role: str) -> None:
        page.goto(f"{shop.url}/login/")
        page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(f"{role}@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(lambda url: "/login" not in url)

    return run


@pytest.fixture(scope="module")
def cookies(chromium, log_in) -> Callable[[str], dict[str, Any]]:
    """The cookies of owner or staff, for `visitors.new(storage_state=...)`: one log-in serves a whole file."""

    @cache
    def of(role: str) -> dict[str, Any]:
        with chromium.new_context() as context:
            log_in(context.new_page(), role)
            return context.storage_state()

    return of
