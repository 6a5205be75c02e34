"""Every page there is, in English and Filipino: for every eye, on every width, by day and by night.

Each page is a test of its own. `-k "not translated"` leaves out what waits for translators alone.
"""

from __future__ import annotations

from itertools import groupby

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import catalogue
from tests.browser.catalogue import APART, MORE, PAGES, POSTED
from tests.browser.catalogue_walk import Walk, walk
from tests.browser.catalogue_world import PHILIPPINE, World
from tests.browser.looking import OUTPUT, Looker, untranslated, walk_by_keyboard

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
SETTINGS = {"EMAIL_CHANNEL": "outbox", "SMS_CHANNEL": "outbox", "DEMO": "1"}
TITLES = [*PAGES, *MORE]


@pytest.fixture(scope="module")
def world(running) -> World:
    return World(running, PHILIPPINE)


@pytest.fixture(scope="module")
def walking(chromium, world) -> Walk:
    with walk(chromium, world) as one:
        yield one


def test_every_address_is_in_the_catalogue():
    there = set(catalogue.names())
    assert there - PAGES.keys() - APART == set(), "new: say in catalogue.py who opens it, with which arguments"
    assert (PAGES.keys() | APART) - there == set(), "gone"
    assert PAGES.keys() & APART == set()


@pytest.mark.parametrize("name", POSTED)
def test_what_is_sent_has_no_page(name, walking, world):
    answer = httpx.get(world.stack.url + catalogue.any_path(name, world), cookies=walking.owners_cookies)
    assert answer.status_code in (401, 405)


@pytest.mark.parametrize("title", TITLES)
def test_english(title, walking):
    assert walking.look(title, "en").wrong == []


@pytest.mark.parametrize("title", TITLES)
def test_filipino(title, walking):
    assert walking.look(title, "fil").wrong == []


# -- By keyboard --

JOURNEYS = (
    "insights:home", "customers:list", "insights:customer", "surveys:case", "referrals:approvals", "outreach:journey",
    "referrals:program", "referrals:new_material", "insights:reports", "stores:settings", "checkout:counter",
    "checkout:quote", "referral:share", "referral:landing", "survey:answer",
)  # fmt: skip
MOST_STOPS = 400
PARTS = 8  # stops within one field: day, month, year, hour, minute, half of the day, its calendar


@pytest.mark.parametrize("title", JOURNEYS)
def test_the_keyboard_reaches_everything_and_is_seen(title, walking):
    tab = walking.open(title, "en")
    stops = list(walk_by_keyboard(tab))
    assert "skip" in stops[0]["name"]
    assert [stop["name"] for stop in stops if not stop["ring"]] == []
    assert any(stop["inside"] for stop in stops)
    assert len(stops) < MOST_STOPS, "the focus never leaves the page"
    longest = max(len(list(group)) for _number, group in groupby(stops, key=lambda stop: stop["number"]))
    assert longest <= PARTS, "the focus is caught"


@pytest.mark.parametrize("title", ["insights:home", "checkout:counter", "referral:share"])
def test_the_skip_link_leads_past_the_menu(title, walking):
    tab = walking.open(title, "en")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("looking.focus().inside")


# -- Quick search --


@pytest.fixture
def home(walking):
    return walking.open("insights:home", "en")


@pytest.mark.parametrize("keys", ["/", "Control+k"])
def test_the_palette_goes_where_one_types(home, walking, keys):
    home.keyboard.press(keys)
    box = home.get_by_role("combobox", name="A page, customer, program or code")
    expect(box).to_be_focused()
    box.press_sequentially("budg")
    first = home.get_by_role("option", name="Budgets")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", first.get_attribute("id"))
    assert [one for one in Looker(home, OUTPUT).axe() if "dialog" in one or "palette" in one] == []
    box.press("Enter")
    home.wait_for_url(lambda url: url.endswith("/rewards/books/budgets/"))
    assert walking.said == []


def test_arrows_choose_and_escape_gives_the_page_back(home):
    home.get_by_role("link", name="Search", exact=True).click()
    expect(home.get_by_role("option", name="Home")).to_have_attribute("aria-selected", "true")
    home.keyboard.press("ArrowUp")
    expect(home.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    home.keyboard.press("ArrowDown")
    home.keyboard.press("ArrowDown")
    expect(home.get_by_role("option", name="Customers", exact=True)).to_have_attribute("aria-selected", "true")
    home.keyboard.press("Escape")
    expect(home.get_by_role("combobox")).to_be_hidden()
    expect(home.get_by_role("link", name="Search", exact=True)).to_be_focused()


def test_a_slash_in_a_field_is_a_slash(walking):
    tab = walking.open("customers:list", "en")
    tab.locator("#q").press_sequentially("a/b")
    expect(tab.locator("#q")).to_have_value("a/b")


# -- Day and night --


def test_the_switch_holds_against_the_device(home, walking):
    home.emulate_media(color_scheme="light")
    home.locator(".side-me summary").click()
    home.get_by_role("link", name="Dark", exact=True).click()
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = home.evaluate(ground)
    assert home.evaluate("document.documentElement.dataset.theme") == "dark"
    walking.open("insights:reports", "en")
    assert home.evaluate(ground) == dark
    home.locator(".side-me summary").click()
    home.get_by_role("link", name="Like the device", exact=True).click()
    assert home.evaluate(ground) != dark
    home.emulate_media(color_scheme="dark")
    assert home.evaluate(ground) == dark


def test_filipino_is_translated(walking):
    left = {title: found for title, texts in walking.texts("fil") if (found := sorted(set(untranslated(texts, "fil"))))}
    assert left == {}
