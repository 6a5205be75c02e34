"""Every kind of reward in browsers on the running stack: from the owner's editor to the counter, the bank's file or
the list of what is to be handed over. Each kind is a program of its own, with an advocate and a friend of its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from referrals.models import Program
from rewards.models import Account, Entry, Offer
from rewards.services import ledger, recounting
from tests.browser.conftest import Shop, Visitors
from tests.stack import Stack, until

pytestmark = pytest.mark.stack
Kind = Offer.Kind
DESK = {"viewport": {"width": 1440, "height": 900}}
TILL = {"viewport": {"width": 1024, "height": 768}}
GCASH = "9171234567"


@dataclass(frozen=True)
class Promise:
    """What the owner types for one side, and how people read it."""

    kind: Kind
    value: str
    words: str
    more: dict[str, str] = field(default_factory=dict)


USUAL = Promise(Kind.PERCENT_OFF, "10", "10% off")
CODES = {
    # Both sides; what comes off the friend's bill of 1,000, and off the advocate's of 500.
    Kind.PERCENT_OFF: (Promise(Kind.PERCENT_OFF, "20", "20% off"), 200, 100),
    Kind.FIXED_OFF: (Promise(Kind.FIXED_OFF, "150", "₱150 off"), 150, 150),
    Kind.FREE_PRODUCT: (Promise(Kind.FREE_PRODUCT, "80", "Mug for free", {"sku": "MUG-1"}), 80, 80),
}
NAMES = {
    Kind.PERCENT_OFF: ("Ada", "Flor"),
    Kind.FIXED_OFF: ("Alma", "Fina"),
    Kind.FREE_PRODUCT: ("Anita", "Felix"),
    Kind.CASH: ("Dora", "Ina"),
    Kind.COMMISSION: ("Delia", "Ivy"),
}
CREDIT = Promise(Kind.STORE_CREDIT, "120", "₱120 store credit")
CARD = Promise(Kind.GIFT_CARD, "200", "gift card of ₱200")
CASH = Promise(Kind.CASH, "250", "₱250 in cash")
COMMISSION = Promise(
    Kind.COMMISSION, "15", "15% of what the friend buys for 3 months", {"lasts": "months", "months": "3"}
)
DONATION = Promise(Kind.DONATION, "75", "₱75 for The animal shelter", {"words": "The animal shelter"})
TOLD = {Kind.COMMISSION: "a commission"}  # how the advocate says it to the friend, where not in the same words
CUSTOM = Promise(Kind.CUSTOM, "300", "A lesson with our barista", {"words": "A lesson with our barista"})


def press(place: Page | Locator, name: str) -> None:
    place.get_by_role("button", name=name, exact=True).click()


def said(page: Page, text: str) -> None:
    """What the page says after a step."""
    expect(page.locator("[role=status], [role=alert]").filter(has_text=text).first).to_be_visible()


@dataclass
class Round:
    """The people of one program: the owner at a desk, staff at a till, the advocate and the friend with phones."""

    stack: Stack
    shop: Shop
    visitors: Visitors
    picture: Callable[[Page, str], Path]
    desk: Page
    till: Page
    name: str
    advocate: str
    friend: str
    phone: Page  # the advocate's
    gift_page: Page  # the friend's

    def at_desk(self, path: str) -> Page:
        """A page of the owner's."""
        answer = self.desk.goto(f"{self.shop.url}/d/rosewater/{path}")
        assert answer
        assert answer.status == 200, path
        return self.desk

    def address(self, person: str) -> str:
        return f"{person.lower()}@{self.name}.example.com"

    def account(self, person: str) -> dict[str, Any]:
        """What the shop's own system knows of them."""
        found = self.shop.api("GET", "customers/", params={"email": self.address(person)}).json()["results"]
        return dict(self.shop.api("GET", f"customers/{found[0]['public_id']}/").json())

    def own_page(self, page: Page, person: str) -> Page:
        """Somebody's own page, with their rewards."""
        page.goto(self.account(person)["advocate_url"])
        return page

    def fits(self, page: Page, name: str = "") -> None:
        """No page is wider than its screen: the owner's on a phone and on a desk; with a `name` pictures are kept."""
        size = page.viewport_size or DESK["viewport"]
        for width in (390, 1440) if page is self.desk else (size["width"],):
            page.set_viewport_size({"width": width, "height": size["height"]})
            shown = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
            assert shown[0] <= shown[1], (page.url, shown)
            if name:
                self.picture(page, f"reward-{self.name}-{name}-{width}")


@pytest.fixture
def begin(stack, shop, visitors, picture, cookies):
    """Somebody has bought before, and everybody is at their place."""

    def make(name: str, advocate: str, friend: str) -> Round:
        desk, till = (
            visitors.new(storage_state=cookies(role), **place) for role, place in (("owner", DESK), ("staff", TILL))
        )
        people = (visitors.phone(), visitors.phone())
        found = Round(stack, shop, visitors, picture, desk, till, name, advocate, friend, *people)
        order = {
            "source": "pos",
            "external_id": f"before-{name}",
            "currency": "PHP",
            "total_minor": 60_000,
            "placed_at": timezone.now().isoformat(),
            "customer": {"name": f"{advocate} Reyes", "email": found.address(advocate), "consent": {"email": True}},
            "lines": [{"sku": "MUG-1", "name": "Mug", "quantity": 1, "unit_price_minor": 60_000}],
        }
        shop.api("POST", "orders/", json=order).raise_for_status()
        return found

    return make


# -- The owner's editor --


def type_promise(page: Page, prefix: str, promise: Promise) -> None:
    """Only the fields of that kind are there to be filled."""
    page.locator(f"#id_{prefix}kind").select_option(promise.kind)
    page.locator(f"#id_{prefix}value").fill(promise.value)
    for name, value in promise.more.items():
        box = page.locator(f"#id_{prefix}{name}")
        if name == "lasts":
            box.select_option(value)
        else:
            box.fill(value)


def publish(people: Round, friend: Promise, advocate: Promise, *choices: Promise) -> None:
    """End the program that runs, make this one, publish it."""
    desk = people.at_desk("program/")
    running = desk.locator("article").filter(has_text="running").get_by_role("link")
    if running.count():
        running.first.click()
        press(desk, "End it")
        said(desk, "Ended")
    people.at_desk("program/new/")
    desk.get_by_label("Name", exact=True).fill(people.name)
    type_promise(desk, "", friend)
    type_promise(desk, "tier-0-", advocate)
    for place, choice in enumerate(choices):
        press(desk, "Another gift to choose from")
        type_promise(desk, f"tier-0-choice-{place}-", choice)
    for promise in (friend, advocate, *choices):
        page = desk.frame_locator("#page-frame iframe")
        expect(page.locator("body")).to_contain_text(promise.words)
    people.fits(desk, "editor")
    press(desk, "Save draft")
    said(desk, "Saved as a draft")
    press(desk, "Publish")
    said(desk, "Published: it holds from now on.")
    people.at_desk("program/")
    row = desk.locator("article").filter(has_text="running")
    expect(row).to_contain_text(f"Friends get {friend.words}")
    expect(row).to_contain_text(advocate.words)


# -- The friend --


def share_and_claim(people: Round, friend: Promise, advocate: Promise) -> str:
    """The advocate's page shows the link; the friend opens it and takes the gift: its code."""
    phone, page = people.own_page(people.phone, people.advocate), people.gift_page
    expect(phone.locator(".offers")).to_contain_text(friend.words)
    expect(phone.locator(".offers")).to_contain_text(advocate.words)
    said_along = phone.locator("section.share").get_attribute("data-text")
    assert said_along
    assert f"I get {TOLD.get(advocate.kind, advocate.words)}" in said_along
    people.fits(phone)
    page.goto(phone.locator("bdi.url").inner_text())
    expect(page.get_by_text(f"A gift for you from {people.advocate}")).to_be_visible()
    expect(page.get_by_role("heading", name=friend.words)).to_be_visible()
    people.fits(page)
    page.get_by_label("Your first name").fill(people.friend)
    page.get_by_label("Your phone or e-mail").fill(people.address(people.friend))
    press(page, "Take the gift")
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    people.fits(page, "gift")
    return page.locator("bdi.code").inner_text()


def redeem(people: Round, code: str, *, bill: str, pays: str, gives: str, name: str = "counter") -> None:
    """Staff type the code and the bill, see what it gives and what is left to pay, and finish."""
    till = people.till
    till.goto(f"{people.shop.url}/c/rosewater/")
    till.get_by_label("Or type the code").fill(code)
    press(till, "Check code")
    expect(till.get_by_role("heading", name=gives, exact=True)).to_be_visible()
    till.get_by_label("Bill before discount").fill(bill)
    expect(till.locator(".bill .total dd")).to_have_text(pays)
    people.fits(till, name)
    press(till, "Redeem and finish")
    expect(till.get_by_role("heading", name="Redeemed")).to_be_visible()
    expect(till.locator(".bill .total dd")).to_have_text(pays)
    people.fits(till)


def shown_once(people: Round) -> None:
    """A friend who comes again is no second friend of the advocate's."""
    people.phone.reload()
    expect(people.phone.locator("#friends .badge")).to_have_text("Counted")


def refused(people: Round, code: str, why: str) -> None:
    """The counter says why not."""
    people.till.goto(f"{people.shop.url}/c/rosewater/")
    people.till.get_by_label("Or type the code").fill(code)
    press(people.till, "Check code")
    expect(people.till.get_by_role("alert")).to_contain_text(why)


def buy_online(people: Round, code: str, *, off: int) -> None:
    """The shop's own system uses the code on an order of 1,000."""
    body = {"code": code, "amount_minor": 100_000, "currency": "PHP"}
    answer = people.shop.api("POST", "vouchers/redeem/", json=body, headers={"idempotency-key": people.name})
    assert answer.status_code == 201, answer.text
    assert answer.json()["discount_minor"] == off * 100


def count_it(people: Round) -> None:
    """The owner counts the friend's purchase before its time."""
    expect(people.own_page(people.phone, people.advocate).locator("#friends .badge")).to_have_text("Bought")
    desk = people.at_desk("approvals/")
    row = desk.locator("article").filter(has=desk.get_by_role("link", name=people.friend, exact=True))
    people.fits(desk)
    press(row, "Count it now")
    said(desk, "1 was counted.")
    people.phone.reload()
    expect(people.phone.locator("#friends .badge")).to_have_text("Counted")


# -- What people see at the end --


def reward_of(page: Page, words: str) -> Locator:
    """A reward on somebody's own page."""
    return page.locator("#rewards li").filter(has_text=words)


def stands(page: Page, words: str, state: str) -> Locator:
    """A reward on somebody's own page, and how it stands; its row."""
    row = reward_of(page, words)
    expect(row.locator(".badge")).to_have_text(state)
    return row


def code_in(row: Locator) -> str:
    return row.locator("bdi.code").inner_text()


def books_are_right(people: Round, *, cost: int) -> None:
    """This program cost what its people got, nothing of it is promised any more, and everything adds up to zero."""

    def look() -> dict[str, Any]:
        store = people.shop.store
        budget = Program.objects.for_store(store).get(name=people.name).budget
        entries = Entry.objects.for_store(store).filter(account__budget=budget).order_by().values_list("account__kind")
        of_budget = dict(entries.annotate(Sum("amount_minor")))
        return {
            "problems": recounting.recount(store, timezone.now()),
            "sum": ledger.total(store),
            "cost": -of_budget[Account.Kind.COST],
            "promised": of_budget.get(Account.Kind.PROMISED, 0),
            "committed": budget.committed_minor,
        }

    assert people.stack.inside(people.shop.store, look) == {
        "problems": [],
        "sum": 0,
        "cost": cost * 100,
        "promised": 0,
        "committed": cost * 100,
    }


def is_told(people: Round, person: str, words: str) -> None:
    """They had a letter about it, once."""

    def letters() -> list[str]:
        found = [mail.text for mail in people.stack.mail.to(people.address(person))]
        return [text for text in found if words in " ".join(text.split())]

    until(letters, what=f"a letter to {person} with {words}")


# -- Codes that come off a bill --


@pytest.mark.parametrize("kind", CODES)
def test_a_code_comes_off_the_bill(begin, kind):
    promise, friends, advocates = CODES[kind]
    people = begin(kind.replace("_", "-"), *NAMES[kind])
    publish(people, promise, promise)
    gift = share_and_claim(people, promise, promise)
    is_told(people, people.friend, gift)
    redeem(people, gift, bill="1,000.00", pays=f"₱{1000 - friends}", gives=f"Give {promise.words}")
    people.gift_page.reload()
    expect(people.gift_page.get_by_role("heading", name="This gift has been used")).to_be_visible()
    count_it(people)
    code = code_in(stands(people.phone, promise.words, "ready to use"))
    people.fits(people.phone, "reward")
    is_told(people, people.advocate, code)
    redeem(people, code, bill="500.00", pays=f"₱{500 - advocates}", gives=f"Give {promise.words}", name="own")
    refused(people, code, "This code has been used already")
    people.phone.reload()
    stands(people.phone, promise.words, "used")
    books_are_right(people, cost=friends + advocates)


# -- What is spent in parts --


def test_store_credit_is_spent_bill_by_bill(begin):
    people, mine = begin("credit", "Berta", "Gil"), Promise(Kind.STORE_CREDIT, "50", "₱50 store credit")
    publish(people, mine, CREDIT)
    gift = share_and_claim(people, mine, CREDIT)
    redeem(people, gift, bill="1,000.00", pays="₱1,000", gives=f"For later: {mine.words}")
    expect(stands(people.own_page(people.gift_page, "Gil"), mine.words, "on its way")).to_contain_text("as soon as")
    count_it(people)
    stands(people.phone, CREDIT.words, "in your credit")
    purse = people.phone.locator("#rewards .code-box")
    expect(purse).to_contain_text("₱120")
    people.fits(people.phone, "reward")
    code = purse.locator("bdi.code").inner_text()
    redeem(people, code, bill="70", pays="₱0", gives="Give their store credit", name="own")
    people.phone.reload()
    expect(purse).to_contain_text("₱50")
    redeem(people, code, bill="200", pays="₱150", gives="Give their store credit", name="own-rest")
    refused(people, code, "This code has been used already")
    people.phone.reload()
    expect(purse).to_contain_text("₱0")
    friends = people.own_page(people.gift_page, "Gil").locator("#rewards .code-box")
    expect(friends).to_contain_text("₱50")
    people.fits(people.gift_page, "friend")
    redeem(
        people,
        friends.locator("bdi.code").inner_text(),
        bill="80",
        pays="₱30",
        gives="Give their store credit",
        name="friend-own",
    )
    shown_once(people)
    is_told(people, "Berta", CREDIT.words)
    books_are_right(people, cost=170)


def test_a_gift_card_is_spent_bill_by_bill(begin):
    people, mine = begin("gift-card", "Cora", "Hana"), Promise(Kind.GIFT_CARD, "100", "gift card of ₱100")
    publish(people, mine, CARD)
    gift = share_and_claim(people, mine, CARD)
    redeem(people, gift, bill="1,000.00", pays="₱1,000", gives=f"For later: {mine.words}")
    count_it(people)
    row = stands(people.phone, CARD.words, "ready to use")
    expect(row).to_contain_text("₱200 left")
    people.fits(people.phone, "reward")
    code = code_in(row)
    redeem(people, code, bill="150", pays="₱0", gives="Give what is left on their gift card", name="own")
    people.phone.reload()
    expect(row).to_contain_text("₱50 left")
    redeem(people, code, bill="90", pays="₱40", gives="Give what is left on their gift card", name="own-rest")
    refused(people, code, "This code has been used already")
    people.phone.reload()
    stands(people.phone, CARD.words, "used")
    card = code_in(stands(people.own_page(people.gift_page, "Hana"), mine.words, "ready to use"))
    redeem(people, card, bill="100", pays="₱0", gives="Give what is left on their gift card", name="friend-own")
    shown_once(people)
    is_told(people, "Cora", CARD.words)
    books_are_right(people, cost=300)


# -- Cash --


@pytest.mark.parametrize(("promise", "earned"), [(CASH, 250), (COMMISSION, 135)], ids=["cash", "commission"])
def test_cash_goes_into_the_file_for_the_bank(begin, promise, earned):
    """The friend bought online for 1,000, with 10% off; a commission is of what they paid."""
    people = begin(promise.kind, *NAMES[promise.kind])
    publish(people, USUAL, promise)
    buy_online(people, share_and_claim(people, USUAL, promise), off=100)
    count_it(people)
    stands(people.phone, promise.words, "in your cash")
    expect(people.phone.locator("#cash .big")).to_have_text(f"₱{earned}")
    people.at_desk("rewards/payouts/")
    expect(people.desk.locator("tr").filter(has_text=people.advocate)).to_contain_text("has not said where to")
    say_where_to(people)
    make_the_file(people, earned)
    press(people.desk, "All of them are paid")
    said(people.desk, "1 payment is noted as paid.")
    press(people.desk, "Close the list")
    said(people.desk, "The list is closed.")
    people.phone.reload()
    expect(people.phone.locator("#cash .big")).to_have_text("₱0")
    expect(people.phone.locator("#cash li .badge")).to_have_text("paid")
    people.fits(people.phone, "paid")
    is_told(people, people.advocate, promise.words)
    books_are_right(people, cost=100 + earned)


def say_where_to(people: Round) -> None:
    phone = people.phone
    phone.get_by_role("link", name="Say where it is to go").click()
    phone.get_by_label("GCash").check()
    phone.get_by_label("The number of the account").fill(f"0{GCASH}")
    phone.get_by_label("Whose account it is").fill(f"{people.advocate} Reyes")
    people.fits(phone, "where-to")
    press(phone, "Save")
    expect(phone.locator("#cash")).to_contain_text("It goes to")
    expect(phone.locator("#cash")).not_to_contain_text(GCASH)
    people.fits(phone, "cash")


def make_the_file(people: Round, earned: int) -> None:
    """The list holds her alone; the page shows the end of her number, the file all of it."""
    desk = people.at_desk("rewards/payouts/")
    people.fits(desk, "payouts")
    press(desk, "Make the list")
    said(desk, "The list is made.")
    expect(desk.locator("main")).to_contain_text(f"…{GCASH[-4:]}")
    expect(desk.locator("main")).not_to_contain_text(GCASH)
    people.fits(desk, "list")
    with desk.expect_download() as download:
        press(desk, "File for the bank (CSV)")
    (row,) = csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig")))
    assert row.pop("Reference")
    assert row == {
        "Name": f"{people.advocate} Reyes",
        "How": "GCash",
        "Number": f"63{GCASH}",
        "Bank": "",
        "Amount": f"{earned}.00",
        "Currency": "PHP",
        "Note": "",
    }
    people.phone.reload()
    expect(people.phone.locator("#cash li .badge")).to_have_text("on its way")


# -- What the store does by hand --


def test_a_donation_is_given_to_the_charity(begin):
    people = begin("donation", "Edna", "Jo")
    publish(people, DONATION, DONATION)
    redeem(
        people,
        share_and_claim(people, DONATION, DONATION),
        bill="1,000",
        pays="₱1,000",
        gives=f"For later: {DONATION.words}",
    )
    count_it(people)
    stands(people.phone, DONATION.words, "will be given")
    people.fits(people.phone, "reward")
    desk = people.at_desk("rewards/to-do/")
    charity = desk.locator("article").filter(has_text="₱150 for The animal shelter")
    expect(charity).to_contain_text("2 rewards")
    people.fits(desk, "to-do")
    press(charity, "Given")
    said(desk, "₱150 for The animal shelter are noted as given: 2 rewards.")
    people.at_desk("rewards/to-do/?show=done")
    people.fits(desk, "done")
    for page, person in ((people.phone, "Edna"), (people.gift_page, "Jo")):
        stands(people.own_page(page, person), DONATION.words, "was given")
    is_told(people, "Edna", DONATION.words)
    books_are_right(people, cost=150)


def test_something_of_the_owners_own_is_handed_over(begin):
    people = begin("custom", "Fe", "Kit")
    publish(people, CUSTOM, CUSTOM)
    redeem(
        people, share_and_claim(people, CUSTOM, CUSTOM), bill="1,000", pays="₱1,000", gives=f"For later: {CUSTOM.words}"
    )
    count_it(people)
    stands(people.phone, CUSTOM.words, "on its way")
    for person in ("Fe", "Kit"):
        desk = people.at_desk("rewards/to-do/")
        people.fits(desk, "to-do")
        task = desk.locator("article").filter(has_text=CUSTOM.words).filter(has_text=person)
        task.get_by_label("A note").fill("On Saturday at ten")
        press(task, "Done")
        said(desk, f"Noted for {person}")
    expect(desk.get_by_role("heading", name="Nothing to hand over")).to_be_visible()
    for page, person in ((people.phone, "Fe"), (people.gift_page, "Kit")):
        stands(people.own_page(page, person), CUSTOM.words, "handed over")
    is_told(people, "Fe", CUSTOM.words)
    books_are_right(people, cost=600)


# -- A choice --


def test_the_advocate_chooses(begin):
    people = begin("choice", "Gina", "Lea")
    publish(people, USUAL, USUAL, CREDIT, CARD, CASH)
    redeem(people, share_and_claim(people, USUAL, USUAL), bill="1,000", pays="₱900", gives=f"Give {USUAL.words}")
    count_it(people)
    row = stands(people.phone, "Which one would you like?", "yours to choose")
    expect(row.locator("form button")).to_have_text([USUAL.words, CREDIT.words, CARD.words, CASH.words])
    people.fits(people.phone, "reward")
    press(row, CARD.words)
    row = stands(people.phone, CARD.words, "ready to use")
    people.fits(people.phone, "chosen")
    redeem(people, code_in(row), bill="250", pays="₱50", gives="Give what is left on their gift card", name="own")
    people.phone.reload()
    stands(people.phone, CARD.words, "used")
    books_are_right(people, cost=300)


# -- In Persian --

PLACES = {
    "programs": "program/",
    "editor": "program/new/",
    "approvals": "approvals/?tab=decided",
    "given": "rewards/",
    "to-do": "rewards/to-do/",
    "done": "rewards/to-do/?show=done",
    "payouts": "rewards/payouts/",
    "books": "rewards/books/",
}


def test_the_pages_in_persian(begin):
    """After the others, so that there is something to see."""
    people = begin("persian", "Hilda", "Mia")
    people.at_desk("?lang=fa")
    people.till.goto(f"{people.shop.url}/c/rosewater/?lang=fa")
    known = people.account("Hilda")
    people.phone.goto(f"{known['advocate_url']}?lang=fa")
    people.gift_page.goto(f"{known['share_url']}?lang=fa")
    pages = {"till": people.till, "share": people.phone, "landing": people.gift_page}
    for name, page in pages.items():
        reads_from_the_right(people, page, name)
    for name, path in PLACES.items():
        reads_from_the_right(people, people.at_desk(path), name)


def reads_from_the_right(people: Round, page: Page, name: str) -> None:
    assert page.locator("html").get_attribute("dir") == "rtl", name
    people.fits(page, name)
