"""From the owner's screen to paper and back: what is printed is read by a phone's camera and leads to the gift."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.services import Person
from referrals import audiences
from referrals.materials import drawing
from referrals.models import PrintRun
from tests.browser.conftest import Shop
from tests.conftest import make_order_of
from tests.referrals.print_world import Material, Whom, addresses, picture, printed
from tests.stack import until

pytestmark = pytest.mark.stack
WIDTHS, LANGUAGES = (390, 1440), ("en", "fa")
PEOPLE = 30
TEAM = {"owner": "owner"}


@pytest.fixture(scope="module")
def shop(running, shop) -> Shop:
    """A store, its owner, and people who bought."""

    def fill() -> None:
        now = timezone.now()
        for number in range(PEOPLE):
            make_order_of(shop.store, Person(f"Sara {number}", f"sara{number}@example.com"), at=now)
        lately = [{"fact": "bought_within", "value": 3650}]
        audiences.save(shop.store, name="Buyers", conditions=lately, at=now)

    running.inside(shop.store, fill)
    return shop


def fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def fetched(page: Page, name: str) -> bytes:
    """What the button of that name downloads."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()


def test_a_poster_wins_an_advocate_who_wins_a_friend(shop, visitors, cookies, stack):
    owner = visitors.new(storage_state=cookies("owner"), viewport={"width": 1440, "height": 900})
    owner.goto(f"{shop.url}/d/rosewater/")
    owner.get_by_role("link", name="Share materials", exact=True).click()
    owner.get_by_role("link", name="Make the first one", exact=True).click()
    before = owner.locator("#look img").get_attribute("src")
    owner.get_by_label("What", exact=True).select_option(Material.POSTER)
    owner.wait_for_function("before => document.querySelector('#look img').src !== before", arg=before)
    owner.get_by_label("Name, for you", exact=True).fill("At the till")
    owner.get_by_role("button", name="Make it", exact=True).click()
    run = stack.inside(shop.store, lambda: PrintRun.objects.get(name="At the till"))
    (address,) = addresses(picture(fetched(owner, "Picture (PNG)")))

    customer = visitors.phone()
    customer.goto(address)
    customer.get_by_label("Your first name", exact=False).fill("Nina")
    customer.get_by_label("Your phone or e-mail", exact=True).fill("nina@example.com")
    customer.get_by_role("button", name="Get my link", exact=True).click()
    expect(customer.get_by_role("heading", name="Here is your link")).to_be_visible()
    fits(customer)
    link = customer.locator("[data-share]").get_attribute("data-url")

    friend = visitors.phone()
    friend.goto(link)
    expect(friend.get_by_text("A gift for you from Nina")).to_be_visible()

    def counts() -> list[str]:
        owner.goto(f"{shop.url}/d/rosewater/materials/{run.public_id}/")
        return owner.locator(".funnel-count strong").all_text_contents()[:3]

    until(lambda: counts() == ["1", "1", "1"], what="the visit is loaded and counted")


def test_a_card_for_each_customer_is_made_while_the_owner_waits(shop, visitors, cookies, stack):
    owner = visitors.new(storage_state=cookies("owner"), viewport={"width": 1440, "height": 900})
    owner.goto(f"{shop.url}/d/rosewater/materials/new/")
    owner.get_by_label("For whom", exact=True).select_option(label="Buyers")
    owner.get_by_label("How many", exact=True).fill("1")
    owner.get_by_role("button", name="Make it", exact=True).click()
    expect(owner.get_by_role("link", name="PDF to print", exact=True)).to_be_visible()
    document = fetched(owner, "PDF to print")
    run = stack.inside(shop.store, lambda: PrintRun.objects.get(whom=Whom.SEGMENT))
    assert drawing.pages(document) == -(-PEOPLE // 8)
    found = {one for page in range(4) for one in addresses(picture(drawing.png(document, run, page=page)))}
    assert len(found) == PEOPLE
    friend = visitors.phone()
    friend.goto(sorted(found)[0])
    expect(friend.get_by_text("A gift for you from Sara")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_fit(shop, visitors, cookies, stack, picture_of, language, width):
    run = stack.inside(
        shop.store, lambda: printed(shop.store, Material.POSTER, language=language, at=timezone.now(), name="Market")
    )
    page = visitors.new(storage_state=cookies("owner"), viewport={"width": width, "height": 900})
    for name, path in (
        ("list", f"d/rosewater/materials/?lang={language}"),
        ("new", f"d/rosewater/materials/new/?lang={language}"),
        ("run", f"d/rosewater/materials/{run.public_id}/?lang={language}"),
        ("join", f"j/{run.code}?lang={language}"),
    ):
        page.goto(f"{shop.url}/{path}")
        fits(page)
        picture_of(page, f"materials-{name}-{language}-{width}")


@pytest.fixture
def picture_of(request):
    """The pictures of pages; `picture` here reads what was printed."""
    return request.getfixturevalue("picture")
