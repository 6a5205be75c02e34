"""Share, landing and question page on a slow phone: what is fetched, before and after the page can be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.services import Person
from referrals.services import claims
from referrals.services.links import share_link_of
from stores import tokens
from surveys.models import Invitation
from surveys.services.inviting import plan_invitations
from tests.conftest import make_order_of
from tests.stack import until

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {}
LATENCY_MS, BITS_A_SECOND = 400, 400_000
MOST_BYTES, MOST_REQUESTS = 60 * 1024, 3
LOADED = "[...document.fonts].some((one) => one.status === 'loaded')"
STARTED = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const resources = performance.getEntriesByType("resource");
  return {paint: paint && paint.startTime, started: resources.map((one) => [one.name, one.startTime])};
}"""


@pytest.fixture(scope="module")
def paths(running, shop) -> dict[str, str]:
    """The three pages of an advocate with friends."""

    def fill() -> dict[str, str]:
        now = timezone.now()
        bought = now - timedelta(days=1)
        sara = Person("Sara Ahmadi", "sara@example.com")
        order = make_order_of(shop.store, sara, at=bought, delivered_at=bought)
        link = share_link_of(order.customer, at=now)
        for name in ("Bea Cruz", "Jun Reyes", "Cleo Santos"):
            claims.claim(link, Person(name, f"{name.split()[0].lower()}@example.com"), at=now)
        plan_invitations(shop.store, now, since=now - timedelta(days=2))
        invitation = Invitation.objects.for_store(shop.store).get(order=order)
        token = tokens.make(tokens.Purpose.SURVEY, shop.store.pk, invitation)
        mine = tokens.make(tokens.Purpose.SHARE, shop.store.pk, order.customer)
        return {
            "share": reverse("referral:share", args=[mine]),
            "landing": reverse("referral:landing", args=[link.code]),
            "survey": reverse("survey:answer", args=[token]) + "?score=9",
        }

    return running.inside(shop.store, fill)


@dataclass
class Line:
    """The wire between a phone and us: whatever goes over it is noted."""

    page: Page
    sizes: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def slow(self) -> Line:
        session = self.page.context.new_cdp_session(self.page)
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")
        rate = BITS_A_SECOND / 8
        conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": rate, "uploadThroughput": rate}
        session.send("Network.emulateNetworkConditions", conditions)
        return self

    def _sent(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self.addresses[event["requestId"]] = event["request"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = int(event["encodedDataLength"])


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("name", ["share", "landing", "survey"])
def test_the_first_load(shop, visitors, paths, name, language):
    page = visitors.phone()
    line = Line(page).slow()
    address = shop.url + paths[name]
    page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}", wait_until="networkidle")
    if language == "fa":
        until(lambda: page.evaluate(LOADED), what="the Persian letters")
    expect(page.locator("h1").first).to_be_visible()
    told = page.evaluate(STARTED)
    before = 1 + sum(at < told["paint"] for _address, at in told["started"])
    total = sum(line.sizes.values())
    print(
        f"\nslow phone, {name} {language}: {total / 1024:.1f} KB, {len(line.addresses)} requests, "
        f"{before} before first paint at {told['paint'] / 1000:.2f} s"
    )
    assert total <= MOST_BYTES, line.sizes
    assert before <= MOST_REQUESTS, told["started"]
    assert all(one.startswith(shop.url) for one in line.addresses.values()), "nothing from third parties"
    assert [one for one in line.addresses.values() if "woff2" in one] or language == "en"


def test_it_can_be_read_before_the_letters_come(shop, visitors, paths):
    """The font never arrives; the page is whole all the same."""
    page = visitors.phone()
    held = []
    page.route("**/*.woff2", lambda route: held.append(route))
    page.goto(f"{shop.url}{paths['share']}?lang=fa", wait_until="domcontentloaded")
    expect(page.locator("html.settled")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sara")
    seen = "document.fonts.size && [...document.fonts].every((one) => one.status !== 'loaded')"
    assert page.evaluate(seen)
    drawn = page.evaluate("performance.getEntriesByName('first-contentful-paint').length")
    assert drawn == 1
    until(lambda: page.evaluate("document.fonts.size") and held, what="the letters are asked for")
    for route in held:
        route.continue_()


def test_without_script_the_letters_come_all_the_same(shop, visitors, paths):
    page = visitors.new(java_script_enabled=False)
    with page.expect_request("**/*.woff2"):
        page.goto(f"{shop.url}{paths['share']}?lang=fa")
