"""A contest from the editor to the prizes in a browser, on a phone and at a desk, in English and Persian."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import Customer
from referrals.models import Contest, Referral
from referrals.services import contests, deciding
from rewards.models import Reward
from stores import tokens
from tests.browser.conftest import Shop
from tests.referrals.contest_world import advocate, brings
from tests.referrals.journey_world import DAY

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {"owner": "owner"}
WIDTHS, LANGUAGES = (390, 1440), ("en", "fa")
NAMES = ("Ann Cruz", "Ben Diaz", "Cy Eco", "سارا احمدی", "Maximiliana Constantinopoulou-Featherstonehaugh")


@pytest.fixture
def inside(stack, shop):
    """Do something in the store."""
    return lambda work: stack.inside(shop.store, work)


def fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def make_by_hand(page: Page, shop: Shop) -> None:
    """The owner types a contest that began five days ago, without script, and announces it."""
    page.goto(f"{shop.url}/d/rosewater/program/")
    page.get_by_role("link", name="Contests", exact=True).click()
    page.get_by_role("link", name="Make the first one").click()
    began = timezone.now() - 5 * DAY
    page.get_by_label("Name", exact=True).fill("Friends’ week")
    page.get_by_label("From", exact=True).fill(f"{began:%Y-%m-%dT%H:%M}")
    page.get_by_label("Until", exact=True).fill(f"{began + 10 * DAY:%Y-%m-%dT%H:%M}")
    page.locator("[name=prize-0-value]").fill("2000")
    page.get_by_role("button", name="Add a prize").click()
    page.locator("[name=prize-1-last]").fill("3")
    page.locator("[name=prize-1-kind]").select_option("store_credit")
    page.locator("[name=prize-1-value]").fill("500")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Announce it as it was saved").click()
    expect(page.get_by_role("status")).to_contain_text("Announced")


def play(shop: Shop) -> Customer:
    """Five people bring friends; three of them agreed to be read. The second of them."""
    bought, people = timezone.now() - DAY, [advocate(shop.store, name) for name in NAMES]
    for number, one in enumerate(people):
        brings(one, *(f"Friend {number} {extra}" for extra in range(5 - number)), at=bought, counted=False)
    Customer.objects.filter(pk__in=[people[0].pk, people[3].pk, people[4].pk]).update(on_leaderboard=True)
    rows = Referral.objects.for_store(shop.store).filter(advocate__in=people[:2]).select_related(*deciding.JOINED)
    for one in rows:
        deciding.approve_referral(one, at=timezone.now(), by_hand=True)
    return people[1]


def end(shop: Shop) -> None:
    """The contest ends, all friends are decided for, and it is closed; then one of the winner's is sent back."""
    Contest.objects.for_store(shop.store).update(ends_at=timezone.now())
    for one in Referral.objects.for_store(shop.store).filter(status="pending").select_related(*deciding.JOINED):
        deciding.approve_referral(one, at=timezone.now(), by_hand=True)


def refund(shop: Shop) -> None:
    """Two of the winner's friends are refunded."""
    rows = Referral.objects.for_store(shop.store).filter(advocate__name="Ann Cruz").select_related(*deciding.JOINED)
    for one in rows[:2]:
        deciding.void_referral(one, reason=Referral.Reason.REFUNDED, at=timezone.now())


def test_a_contest_from_the_editor_to_the_prizes(visitors, shop, cookies, inside, picture):
    def look(name: str, path: str, *, owner: bool) -> None:
        for width in WIDTHS:
            for language in LANGUAGES:
                options = {"storage_state": cookies("owner")} if owner else {}
                page = visitors.new(viewport={"width": width, "height": 900}, **options)
                page.goto(f"{shop.url}{path}?lang={language}")
                expect(page.locator("html")).to_have_attribute("lang", language)
                fits(page)
                picture(page, f"contest-{name}-{width}-{language}")
                page.context.close()

    look("none", "/d/rosewater/program/contests/", owner=True)
    look("new", "/d/rosewater/program/contests/new/", owner=True)
    desk = visitors.new(storage_state=cookies("owner"), java_script_enabled=False)
    make_by_hand(desk, shop)
    ben = inside(lambda: play(shop))
    contest = inside(lambda: Contest.objects.for_store(shop.store).get())
    board = f"/d/rosewater/program/contests/{contest.public_id}/"
    public, mine = f"/n/rosewater/contests/{contest.public_id}/", inside(lambda: me(shop, ben))
    look("list", "/d/rosewater/program/contests/", owner=True)
    look("board", board, owner=True)
    look("public", public, owner=False)
    look("me", mine, owner=False)

    phone = visitors.phone()
    phone.goto(f"{shop.url}{public}")
    expect(phone.locator(".rows li").nth(0)).to_contain_text("Ann C.")
    expect(phone.locator(".rows li").nth(1)).to_contain_text("a customer")
    phone.goto(f"{shop.url}{mine}")
    phone.get_by_role("link", name="Show me there by my first name").click()
    phone.get_by_label("In contests others may read").check()
    phone.get_by_role("button", name="Keep it so").click()
    phone.get_by_role("link", name="Who leads, and the rules").click()
    expect(phone.locator(".rows li").nth(1)).to_contain_text("Ben D.")

    inside(lambda: end(shop))
    desk.goto(f"{shop.url}{board}")
    desk.get_by_role("button", name="Close it and give the prizes").click()
    expect(desk.get_by_role("status")).to_contain_text("Closed")
    given = inside(lambda: Reward.objects.for_store(shop.store).filter(side=Reward.Side.CUSTOMER).count())
    assert given == len(NAMES)
    inside(lambda: refund(shop))
    look("closed", board, owner=True)
    look("again", f"{board}again/", owner=True)
    look("result", public, owner=False)
    look("me-result", mine, owner=False)
    draft = inside(lambda: contests.make_contest(shop.store, copy_of(contest), by=None, at=timezone.now()))
    look("draft", f"/d/rosewater/program/contests/{draft.public_id}/", owner=True)


def me(shop: Shop, customer: Customer) -> str:
    """Their own page."""
    return f"/me/{tokens.make(tokens.Purpose.SHARE, shop.store.pk, customer)}"


def copy_of(contest: Contest) -> contests.ContestData:
    """The same once more."""
    return contests.data_of(Contest.objects.select_related("store", "consolation__product").get(pk=contest.pk))
