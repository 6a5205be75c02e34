"""Customers in a browser: a file brought, looked at, taken in and undone; found, tagged, undone; one person's page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers import consents
from customers.importing import working
from customers.models import Channel, Customer, Import
from insights.takeout import making
from outreach.models import Kind
from referrals.models import Visit
from referrals.services import unimporting
from referrals.services.links import share_link_of
from stores.models import Job
from tests.browser.conftest import Shop
from tests.planned import plan_message

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {"owner": "owner"}
WIDTHS, LANGUAGES = (390, 1440), ("en", "fa")
PEOPLE = "Full name,E-mail,Mobile,Groups\n" + "".join(
    f"{name},p{number}@example.com,0917 555 {number:04},{'vip' if number % 3 == 0 else ''}\n"
    for number, name in enumerate(
        ["Sara Ahmadi", "Maria dela Cruz", "علی کریمی", "Maximiliana Constantinopoulou-Featherstonehaugh"]
        + [f"Person Number{n}" for n in range(20)]
    )
)
BAD = "Bad Phone,bad@example.com,9.63E+11,\nNobody,,,\n"


@pytest.fixture
def inside(stack, shop):
    """Do something in the store."""
    return lambda work: stack.inside(shop.store, work)


def fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def everywhere(page: Page, picture, name: str) -> None:
    """The page in both languages and at both widths, as pictures; back as it was."""
    here = page.url.partition("?")[0].partition("#")[0]
    for language in LANGUAGES:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{here}?lang={language}")
            fits(page)
            picture(page, f"customers-{name}-{language}-{width}")
    page.goto(f"{here}?lang=en")


def last_import(shop: Shop) -> Import:
    found: Import = Import.objects.for_store(shop.store).select_related("store").order_by("-pk")[0]
    return found


def test_a_file_is_brought_looked_at_taken_in_and_undone(visitors, cookies, shop, stack, inside, picture):
    page = visitors.new(storage_state=cookies("owner"))
    page.goto(f"{shop.url}/d/rosewater/customers/")
    page.get_by_role("link", name="Bring a file").first.click()
    everywhere(page, picture, "import")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": (PEOPLE + BAD).encode()}
    )
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("+639175550000")).to_be_visible()
    everywhere(page, picture, "look")
    page.get_by_role("button", name="Take them in").click()
    expect(page.get_by_role("heading", name="Being taken in")).to_be_visible()
    everywhere(page, picture, "running")
    run = inside(lambda: last_import(shop))
    stack.call(working.work, shop.store, inside(lambda: working.job_of(run)).pk)
    expect(page.get_by_role("heading", name="Done")).to_be_visible()  # htmx asks by itself
    everywhere(page, picture, "done")
    with page.expect_download() as download:
        page.get_by_role("link", name="to be mended").click()
    assert "is not a phone number" in download.value.path().read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Undo all of it").click()
    expect(page.get_by_role("heading", name="Being undone")).to_be_visible()
    stack.call(unimporting.work, shop.store, inside(lambda: working.undo_job_of(run)).pk)
    expect(page.get_by_role("heading", name="Undone")).to_be_visible()
    assert inside(lambda: Customer.objects.for_store(shop.store).count()) == 0


def bring(shop: Shop, stack, inside) -> None:
    """The same people by the services."""

    def begin() -> int:
        by = Job.objects.for_store(shop.store).filter(kind="import")[0].by
        run = working.bring(shop.store, "customers", "people.csv", PEOPLE.encode(), by=by, at=timezone.now())
        return working.begin(run, by=by, at=timezone.now()).pk

    stack.call(working.work, shop.store, inside(begin))


def test_customers_are_found_tagged_and_left_as_they_were(visitors, cookies, shop, stack, inside, picture):
    bring(shop, stack, inside)
    page = visitors.new(storage_state=cookies("owner"))
    page.goto(f"{shop.url}/d/rosewater/customers/")
    for typed in ("cruz maria", "0917 555 0001", "p1@ex", "۵۵۵۰۰۰۱"):
        page.get_by_role("searchbox").fill(typed)
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("link", name="Maria dela Cruz")).to_be_visible()
        assert page.locator("tbody tr").count() == 1
    page.goto(f"{shop.url}/d/rosewater/customers/")
    for box in page.locator(".pick").all()[:3]:
        box.check()
    page.get_by_label("Tag", exact=True).fill("summer")
    page.get_by_role("button", name="Put the tag on").click()
    expect(page.get_by_role("link", name="summer").first).to_be_visible()
    page.locator(".pick").first.check()
    page.locator(".bulk-bar").get_by_text("More", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download (CSV)").click()
    assert download.value.suggested_filename == "customers.csv"
    page.set_viewport_size({"width": 390, "height": 900})
    fits(page)
    picture(page, "customers-more")
    everywhere(page, picture, "list")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("link", name="summer")).to_have_count(0)


def live(shop: Shop) -> str:
    """A life for Sara: consent, a link that friends open, a message; her public id."""
    one = Customer.objects.for_store(shop.store).select_related("store").get(name="Sara Ahmadi")
    at = timezone.now()
    consents.write_down(one, Channel.EMAIL, granted=True, said="in the shop", by=None, at=at, source="staff: Leila")
    link = share_link_of(one, at=at)
    for number in range(60):
        moment = at - timedelta(days=number)
        Visit.objects.create(store=shop.store, link=link, visitor=str(number), hour=moment, at=moment)
    plan_message(one, Kind.ASK, at=at, key="ask:1", due_at=at, to=one.email)
    return one.public_id


def test_one_customers_page(visitors, cookies, shop, inside, picture):
    public_id = inside(lambda: live(shop))
    page = visitors.new(storage_state=cookies("owner"))
    page.goto(f"{shop.url}/d/rosewater/customers/{public_id}/")
    everywhere(page, picture, "one")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    page.get_by_role("navigation", name="Filter").get_by_role("link", name="Choices and changes").click()
    expect(page.get_by_text("Got the tag")).to_be_visible()
    page.get_by_text("They said yes").click()
    page.get_by_label("Where and how they said so").fill("on the phone")
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_text("on the phone").first).to_be_visible()
    page.get_by_role("link", name="Forget this customer").click()
    page.get_by_role("button", name="Forget them in an hour").click()
    expect(page.get_by_text("They are forgotten at")).to_be_visible()
    everywhere(page, picture, "forgetting")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("they stay as they are")).to_be_visible()


def test_the_owner_takes_all_data_along(visitors, cookies, shop, stack, inside, picture):
    page = visitors.new(storage_state=cookies("owner"))
    page.goto(f"{shop.url}/d/rosewater/customers/")
    page.get_by_text("More", exact=True).first.click()
    page.get_by_role("link", name="All your data").click()
    page.get_by_role("button", name="Make a new file").click()
    expect(page.get_by_role("heading", name="Being gathered")).to_be_visible()
    job = inside(lambda: Job.objects.for_store(shop.store).get(kind=making.KIND).pk)
    stack.call(making.work, shop.store, job)
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    everywhere(page, picture, "data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download (ZIP)").click()
    assert download.value.path().read_bytes()[:2] == b"PK"
