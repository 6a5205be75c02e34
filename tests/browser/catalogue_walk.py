"""Opening every page of the catalogue in one language after the other, each page once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from tests.browser.catalogue import OWNER, STAFF, addresses
from tests.browser.catalogue_world import World
from tests.browser.conftest import PASSWORD
from tests.browser.looking import DARK, DESK, LIGHT, OUTPUT, PHONE, Looker, Seen, contact_sheet, file_name

PICTURES = {
    "en": ((DESK, LIGHT), (PHONE, DARK)),
    "fa": ((DESK, DARK), (PHONE, LIGHT)),
    "fil": ((PHONE, LIGHT),),
}


class Walk:
    """One browser of the owner, one of somebody at the counter, one of a visitor, for each language."""

    def __init__(self, browser: Browser, world: World) -> None:
        self.browser, self.world, self.url = browser, world, world.stack.url
        self.pages = addresses(world)
        self.said: list[str] = []  # what the console said and servers refused, since the last look
        self.seen: dict[tuple[str, str], Seen] = {}
        self.tabs: dict[tuple[str, str], Tab] = {}
        self.cookies: dict[str, Any] = {who: self._log_in(who) for who in (OWNER, STAFF)}

    def _log_in(self, who: str) -> Any:
        with self.browser.new_context() as context:
            tab = context.new_page()
            tab.goto(f"{self.url}/login/?lang=en")
            tab.locator("[name=login]").fill(f"{who}@example.com")
            tab.locator("[name=password]").fill(PASSWORD)
            tab.locator("main form button[type=submit]").first.click()
            tab.wait_for_url(lambda url: "/login" not in url)
            return context.storage_state()

    @property
    def owners_cookies(self) -> dict[str, str]:
        """For a request without a browser."""
        return {one["name"]: one["value"] for one in self.cookies[OWNER]["cookies"]}

    def look(self, title: str, language: str) -> Seen:
        """Open the page in that language and look at it from all sides; what is wrong stands in `Seen.wrong`."""
        page, path = self.pages[title]
        tab = self._tab(page.who, language)
        self.said = []
        looker = Looker(tab, OUTPUT / language)
        tab.set_viewport_size({"width": DESK, "height": 900})
        answer = tab.goto(self.url + path)
        assert answer is not None
        looker.prepare()
        seen = looker.look(PICTURES[language], file_name(title), axe=language != "fil")
        if answer.status != page.status or answer.request.redirected_from:
            seen.wrong.insert(0, f"{answer.status} at {answer.url}")
        seen.wrong += self.said
        self.seen[title, language] = seen
        return seen

    def open(self, title: str, language: str) -> Tab:
        """The page at a desk, for a test of its own."""
        page, path = self.pages[title]
        tab = self._tab(page.who, language)
        self.said = []
        tab.set_viewport_size({"width": DESK, "height": 900})
        tab.goto(self.url + path)
        Looker(tab, OUTPUT / language).prepare()
        return tab

    def _tab(self, who: str, language: str) -> Tab:
        if (who, language) not in self.tabs:
            context = self.browser.new_context(storage_state=self.cookies.get(who))
            context.add_cookies([{"name": "lang", "value": language, "url": self.url}])
            self._listen(context)
            self.tabs[who, language] = context.new_page()
        return self.tabs[who, language]

    def _listen(self, context: BrowserContext) -> None:
        """CSP reports come as console errors."""
        context.on("console", lambda message: message.type in ("error", "warning") and self._say(message.text))
        context.on("weberror", lambda error: self._say(f"script: {error.error}"))
        context.on("response", lambda answer: answer.status >= 500 and self._say(f"{answer.status}: {answer.url}"))

    def _say(self, text: str) -> None:
        if "status of 404" not in text:  # of pages that are meant to be missing; others fail by their status
            self.said.append(text)

    def texts(self, language: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """What every page said in that language."""
        for (title, spoken), seen in self.seen.items():
            if spoken == language:
                yield title, seen.texts

    def close(self) -> None:
        for language in {spoken for _title, spoken in self.seen}:
            wrong = {title: seen.wrong for (title, spoken), seen in self.seen.items() if spoken == language}
            contact_sheet(OUTPUT / language, wrong)
        for tab in self.tabs.values():
            tab.context.close()


@contextmanager
def walk(browser: Browser, world: World) -> Iterator[Walk]:
    """A walk through this world's pages; at its end stand the contact sheets."""
    walking = Walk(browser, world)
    try:
        yield walking
    finally:
        walking.close()
