"""The owner's first quarter of an hour: from nobody to a printed card on the counter whose code leads somewhere."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Locator, Page, expect

from stores import directory
from stores.models import Store
from tests.browser.conftest import PASSWORD
from tests.referrals.print_world import addresses

pytestmark = pytest.mark.stack
MOST_TAPS, MOST_SECONDS = 40, 15 * 60


class Owner:
    """Somebody at a screen: every press and every field that is filled is counted."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url, self.taps, self.began = page, url, 0, time.monotonic()

    def press(self, what: Locator) -> None:
        self.taps += 1
        what.click()

    def button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.press(self.page.get_by_role("link", name=name, exact=True).first)

    def fill(self, label: str, text: str) -> None:
        self.taps += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def stands_at(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    def sign_up(self, email: str) -> None:
        self.page.goto(f"{self.url}/")
        self.link("Open your store")
        self.page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.taps += 2
        self.button("Make my account")
        self.stands_at("Who you are")

    def prints(self) -> bytes:
        self.stands_at("Put this on your counter")
        with self.page.expect_download() as download:
            self.button("Print the counter card (PDF)")
        return Path(download.value.path()).read_bytes()

    def count(self, what: str) -> None:
        seconds = time.monotonic() - self.began
        print(f"journey {what}: {self.taps} taps, {seconds:.0f} s")
        assert self.taps <= MOST_TAPS
        assert seconds < MOST_SECONDS


def code_on(document: bytes) -> str:
    """Where the codes on the first page lead: one address."""
    with pypdfium2.PdfDocument(document) as book:
        (found,) = set(addresses(book[0].render(scale=3).to_pil()))
    return found


def leads_somewhere(visitors, address: str, name: str) -> None:
    customer = visitors.phone()
    customer.goto(address)
    customer.get_by_label("Your first name", exact=False).fill("Nina")
    customer.get_by_label("Your phone or e-mail", exact=True).fill("nina@example.com")
    customer.get_by_role("button", name="Get my link", exact=True).click()
    link = customer.locator("[data-share]").get_attribute("data-url")
    friend = visitors.phone()
    friend.goto(link)
    expect(friend.get_by_text(name).first).to_be_visible()


def test_from_nobody_to_a_card_on_the_counter(running, visitors, picture):
    owner = Owner(visitors.new(viewport={"width": 1440, "height": 900}, locale="en-PH"), running.url)
    page = owner.page
    owner.sign_up("leila@example.com")
    owner.fill("Name of your store", "Rosewater Café")
    expect(page.get_by_label("Currency", exact=True)).to_have_value("PHP")
    expect(page.get_by_label("Country", exact=True)).to_have_value("PH")
    picture(page, "owner-1-who")
    owner.button("Open the store")

    owner.stands_at("What you sell")
    owner.press(page.get_by_text("Food, café, restaurant"))
    picture(page, "owner-2-sells")
    owner.button("Save and go on")

    owner.stands_at("What both sides get")
    page.locator("#id_friend-value").fill("15")
    owner.fill("A usual purchase", "900")
    owner.fill("Left to you of a sale (%)", "40")
    owner.taps += 1
    expect(page.locator("#cost")).to_contain_text("₱360")  # of 900, before rewards
    expect(page.locator("#cost")).to_contain_text("₱225")  # 15 % and 10 % of 900
    picture(page, "owner-3-gifts")
    owner.button("Save and go on")

    owner.stands_at("Words and look")
    owner.fill("Postal address", "24 Katipunan Avenue, Quezon City")
    picture(page, "owner-4-look")
    owner.button("Save and go on")

    owner.stands_at("Your staff")
    owner.fill("E-mail", "ana@example.com")
    owner.button("Add them")
    expect(page.get_by_text("ana@example.com", exact=True)).to_be_visible()
    picture(page, "owner-5-team")
    owner.link("Go on")

    owner.stands_at("First orders")
    owner.button("Make the sample")
    expect(page.get_by_role("link", name="Open the sample")).to_be_visible(timeout=180_000)
    picture(page, "owner-6-orders")
    owner.button("Go on")

    document = owner.prints()
    owner.count("owner")
    picture(page, "owner-7-done")
    leads_somewhere(visitors, code_on(document), "A gift for you from Nina")

    owner.link("To my home page")
    expect(page.get_by_role("heading", name="Set up your store")).to_have_count(0)  # all done, card printed
    page.goto(f"{running.url}/d/rosewater-cafe-sample/")
    expect(page.get_by_text("everybody here is made up")).to_be_visible()
    picture(page, "owner-8-sample")
    page.get_by_role("button", name="Remove the sample data", exact=True).click()
    expect(page.get_by_text("The sample data is gone, all of it.")).to_be_visible()
    store = running.call(directory.named, "rosewater-cafe")
    assert running.call(directory.sample_of, store) is None
    assert not [mail.to for mail in running.mail.accepted if mail.to.startswith(("rosewater-cafe-sample.", "friend."))]


def test_every_step_skipped_gives_a_card_all_the_same(running, visitors, picture):
    owner = Owner(visitors.phone(), running.url)
    owner.sign_up("omid@example.com")
    owner.button("Skip this step")
    for heading in ("What you sell", "What both sides get", "Words and look", "Your staff"):
        owner.stands_at(heading)
        owner.button("Skip this step")
    owner.stands_at("First orders")
    owner.button("Go on")
    document = owner.prints()
    owner.count("owner who skips")
    picture(owner.page, "owner-skipped-done")
    leads_somewhere(visitors, code_on(document), "A gift for you from Nina")
    owner.link("To my home page")
    expect(owner.page.get_by_role("heading", name="Set up your store")).to_be_visible()
    owner.button("Do not show this any more")
    expect(owner.page.get_by_role("heading", name="Set up your store")).to_have_count(0)


def test_without_javascript(running, visitors):
    owner = Owner(visitors.new(java_script_enabled=False, viewport={"width": 390, "height": 844}), running.url)
    owner.sign_up("sam@example.com")
    owner.fill("Name of your store", "Nook")
    owner.button("Open the store")
    owner.stands_at("What you sell")
    owner.press(owner.page.get_by_text("Clothes and shoes"))
    owner.button("Save and go on")
    owner.fill("A usual purchase", "80")
    owner.button("Work out the cost")
    expect(owner.page.locator("#cost")).to_contain_text("$16")
    expect(owner.page.get_by_label("A usual purchase", exact=True)).to_have_value("80")
    owner.button("Save and go on")
    owner.stands_at("Words and look")
    store: Store = running.call(directory.named, "nook")
    assert store.setup["average_minor"] == 8_000
