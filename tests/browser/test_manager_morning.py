"""A manager's morning on a phone: who waits, an unhappy customer helped, a held friend decided, the number's rows."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from customers.models import Customer
from customers.services import Line, OrderData, Person, record_order
from referrals.services import attribution, links
from surveys.models import Invitation
from surveys.services import answering, inviting
from tests.browser.conftest import PASSWORD, Shop

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {"manager": "manager"}
DAY = timedelta(days=1)
MOST_TAPS = 7  # with the one that logs in


@pytest.fixture(scope="module")
def shop(running, shop) -> Shop:
    """A store in which Mina is unhappy, and Bea named Sara at the till: that waits for a look."""
    running.inside(shop.store, lambda: yesterday(shop.store))
    return shop


def yesterday(store):
    at = timezone.now()
    mina = Person("Mina Karimi", "mina@example.com", phone="+63 917 123 4567", consent={"email": True})
    bought = buy(store, "o1", mina, at - 9 * DAY, delivered_at=at - 9 * DAY)
    inviting.plan_invitations(store, at - DAY, since=at - 10 * DAY)
    inviting.invite_due(store, at - DAY)
    invitation = Invitation.objects.for_store(store).get(order=bought)
    answering.respond(invitation, score=2, comment="The parcel came far too late.", at=at - DAY)
    sara = buy(store, "o2", Person("Sara Ahmadi", "sara@example.com"), at - 40 * DAY).customer
    links.share_link_of(sara, at=at - 30 * DAY)
    Customer.objects.for_store(store).filter(pk=sara.pk).update(found_by_name=True)
    named = buy(store, "o3", Person("Bea Cruz", "bea@example.com"), at - timedelta(hours=5), named="Sara Ahmadi")
    assert attribution.attribute_order(named, at=at - timedelta(hours=4)).status == "flagged"


def buy(store, number, person, at, **facts):
    lines = (Line("MUG-1", "Blue Mug", unit_price_minor=155_000),)
    return record_order(
        store, OrderData("pos", number, "PHP", 155_000, at, person=person, lines=lines, **facts), at=at
    )[0]


class Manager:
    """The manager's phone, with a count of the taps."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps, self.began = page, 0, time.monotonic()

    def tap(self, target: Locator) -> None:
        target.tap()
        self.taps += 1

    def fits(self) -> None:
        """No page is wider than the phone."""
        shown = self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert shown[0] <= shown[1], (self.page.url, shown)

    @property
    def waiting(self) -> Locator:
        """What needs them today."""
        return self.page.get_by_role("region", name="Needs you today")

    def goes_home(self) -> None:
        self.tap(self.page.locator("a.side-name"))
        expect(self.waiting).to_be_visible()
        self.fits()

    @property
    def new_customers(self) -> Locator:
        """The first number of the page."""
        return self.page.locator(".stat", has_text="New customers from friends").locator("a.stat-value")


def test_the_morning_takes_a_handful_of_taps(shop, stack, visitors, picture):
    manager = Manager(visitors.phone())
    logs_in(manager, shop)
    picture(manager.page, "morning-1-home")
    helps_the_unhappy_customer(manager)
    picture(manager.page, "morning-2-solved")
    decides_the_held_friend(manager)
    sees_the_number_and_its_rows(manager)
    picture(manager.page, "morning-3-rows")
    seconds = time.monotonic() - manager.began
    print(f"journey manager-morning: {manager.taps} taps, {seconds:.1f} s")
    assert manager.taps <= MOST_TAPS


def logs_in(manager, shop):
    manager.page.goto(f"{shop.url}/login/")
    manager.page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill("manager@example.com")
    manager.page.get_by_label("Password", exact=True).fill(PASSWORD)
    manager.tap(manager.page.get_by_role("button", name="Log in", exact=True))
    expect(manager.waiting.get_by_role("listitem")).to_have_count(2)
    expect(manager.new_customers).to_have_text("0")
    manager.fits()


def helps_the_unhappy_customer(manager):
    """Who it is and how to call them stands on the page at once."""
    page = manager.page
    expect(manager.waiting).to_contain_text(re.compile("Mina Karimi.? gave 2 of 10"))
    expect(manager.waiting.get_by_role("link", name="Call")).to_have_attribute("href", "tel:+639171234567")
    manager.tap(manager.waiting.get_by_role("link", name="1 unhappy customer is waiting"))
    expect(page.get_by_text("The parcel came far too late.").first).to_be_visible()
    manager.fits()
    page.get_by_label("Note", exact=True).fill("She gets a new one tomorrow.")
    manager.tap(page.get_by_role("button", name="Solved: they are content"))
    expect(page.get_by_text("Solved. They may be asked for things again.")).to_be_visible()
    manager.goes_home()
    expect(manager.waiting).not_to_contain_text("unhappy")


def decides_the_held_friend(manager):
    """One tap: who bought, for how much and why it is held stand beside the button."""
    expect(manager.waiting).to_contain_text(re.compile("Bea Cruz.?, sent by .?Sara Ahmadi.?, for ₱1,550 · .*named"))
    manager.tap(manager.waiting.get_by_role("button", name="Count it"))
    expect(manager.page.get_by_text("1 was counted.")).to_be_visible()
    manager.fits()
    manager.goes_home()
    expect(manager.waiting).to_contain_text("All clear")


def sees_the_number_and_its_rows(manager):
    expect(manager.new_customers).to_have_text("1")
    manager.tap(manager.new_customers)
    rows = manager.page.locator("main tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Bea Cruz")
    expect(rows).to_contain_text("Sara Ahmadi")
    manager.fits()
