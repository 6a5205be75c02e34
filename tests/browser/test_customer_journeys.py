"""What an advocate and a friend do, tap by tap: from the mail to the share sheet, from the link to the counter.

Also without script and with all cookies blocked: by links and forms alone. And on the shop's own site.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from referrals.models import Claim
from referrals.public.spelling import DIGITS
from referrals.services import prints
from rewards.models import Redemption
from stores.services import change_settings
from surveys.models import Response
from tests.browser.conftest import ARGS, PHONE, Shop
from tests.stack import Stack, until

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
SETTINGS = {"DEMO": "1"}
TEAM = {"staff": "staff"}
SWEEPS = (
    "from outreach.tasks import send_due; from surveys.tasks import invite_due, plan_invitations;"
    "plan_invitations(); invite_due(); send_due()"
)
SHEET = """
navigator.canShare = () => true;
navigator.share = (what) => { window.shared = what; return Promise.resolve(); };
"""
COOKIES_BLOCKED = '{"profile": {"default_content_setting_values": {"cookies": 2}}}'


@pytest.fixture(scope="module")
def shop(running, shop) -> Shop:
    """A store, its till, and two people who bought nine days ago."""
    placed = timezone.now() - timedelta(days=9)
    for name in ("Sara", "Nina"):
        body = {
            "source": "pos",
            "external_id": name,
            "currency": "PHP",
            "total_minor": 155_000,
            "placed_at": placed.isoformat(),
            "delivered_at": (placed + timedelta(days=1)).isoformat(),
            "customer": {"name": f"{name} Ahmadi", "email": f"{name}@example.com", "consent": {"email": True}},
        }
        assert shop.api("POST", "orders/", json=body).status_code == 201
    running.manage("shell", "-c", SWEEPS)
    return shop


@dataclass
class Person:
    """Somebody with a phone; every tap is counted, and the time it takes."""

    page: Page
    taps: int = 0
    started: float = field(default_factory=time.monotonic)

    def tap(self, what: Locator) -> None:
        self.taps += 1
        what.tap()

    def told(self, name: str) -> None:
        print(f"\njourney {name}: {self.taps} taps, {time.monotonic() - self.started:.1f} s")


def open_mail(page: Page, stack: Stack, name: str) -> None:
    """Their newest letter, as a mail program shows it."""
    (letter,) = stack.mail.to(f"{name.lower()}@example.com")
    page.set_content(letter.html)


@pytest.fixture(scope="module")
def sara_shares(running, shop, chromium) -> dict[str, str]:
    """Mail, score, share sheet; what she sent. The friend's journey begins with it."""
    with chromium.new_context(**PHONE) as context:
        page = context.new_page()
        page.add_init_script(SHEET)
        open_mail(page, running, "Sara")
        sara = Person(page)
        sara.tap(page.get_by_role("link", name="9", exact=True))
        sara.tap(page.get_by_role("button", name="Send my answer"))
        expect(page.get_by_role("heading", name="Now give a friend")).to_be_visible()
        for_score = sara.taps
        sara.tap(page.get_by_role("button", name="Send the gift"))
        until(lambda: page.evaluate("!!window.shared"), what="the share sheet")
        sara.told("advocate")
        assert for_score <= 2
        assert sara.taps - for_score == 1
        return page.evaluate("window.shared")


def test_the_advocate(running, shop, sara_shares):
    assert re.fullmatch(rf"{shop.url}/r/SARA-\w+", sara_shares["url"])
    assert "10% off" in sara_shares["text"]
    score = Response.objects.for_store(shop.store).filter(customer__email_norm="sara@example.com")
    assert running.inside(shop.store, lambda: score.values_list("score", flat=True).get()) == 9


def test_her_own_page_shares_in_one_tap(running, shop, visitors, sara_shares):
    customer = shop.api("GET", "customers/", params={"email": "sara@example.com"}).json()["results"][0]
    address = shop.api("GET", f"customers/{customer['public_id']}/").json()["advocate_url"]
    page = visitors.phone()
    page.add_init_script(SHEET)
    page.goto(address)
    sara = Person(page)
    sara.tap(page.get_by_role("button", name="Send the gift"))
    until(lambda: page.evaluate("!!window.shared"), what="the share sheet")
    sara.told("advocate, own page")
    assert sara.taps == 1
    assert page.evaluate("window.shared.url") == sara_shares["url"]

    page.get_by_role("link", name="Story picture").tap()
    until(lambda: page.evaluate("!!window.shared.files"), what="the share sheet with the picture")
    kind, size = page.evaluate("[window.shared.files[0].type, window.shared.files[0].size]")
    assert (kind, size > 10_000) == ("image/png", True)


def test_the_friend(running, shop, visitors, chromium, log_in, sara_shares):
    """Link, landing page, gift, and the code said at the counter."""
    page = visitors.phone()
    page.goto(sara_shares["url"])
    bea = Person(page)
    expect(page.get_by_text("A gift for you from Sara")).to_be_visible()
    bea.tap(page.get_by_label("Your first name"))
    page.keyboard.type("Bea")
    bea.tap(page.get_by_label("Your phone or e-mail"))
    page.keyboard.type("bea@example.com")
    bea.tap(page.get_by_role("button", name="Take the gift"))
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    code = page.locator("bdi.code").inner_text()
    bea.told("friend")
    assert bea.taps <= 3
    said = page.locator(".spelled .group bdi").all_inner_texts()

    till = visitors.new(viewport={"width": 1024, "height": 768})
    log_in(till, "staff")
    till.goto(f"{shop.url}/c/rosewater/")
    digits = {str(word): digit for digit, word in DIGITS.items()}
    till.get_by_label("Or type the code").fill("".join(digits.get(one, one) for one in said).lower())
    till.get_by_role("button", name="Check code").click()
    till.get_by_label("Bill before discount").fill("1,000.00")
    till.get_by_role("button", name="Redeem and finish").click()
    expect(till.get_by_role("heading", name="Redeemed")).to_be_visible()
    used = Redemption.objects.for_store(shop.store).values_list("voucher__code", "discount_minor")
    assert running.inside(shop.store, lambda: list(used)) == [(code.replace("-", ""), 100_00)]


@pytest.fixture
def bare(chromium, tmp_path) -> Iterator[Page]:
    """A browser with script off and all cookies blocked."""
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(COOKIES_BLOCKED)
    context = chromium.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium",
        args=ARGS,
        java_script_enabled=False,
        **PHONE,
    )
    try:
        yield context.pages[0]
        assert context.cookies() == []
    finally:
        context.close()


def test_without_script_and_cookies(running, shop, bare, sara_shares):
    """The score by a form, sharing by links, the gift by a form, the code by QR on the same page."""
    open_mail(bare, running, "Nina")
    bare.get_by_role("link", name="10", exact=True).tap()
    bare.get_by_role("button", name="Send my answer").tap()
    expect(bare.get_by_role("heading", name="Now give a friend")).to_be_visible()
    expect(bare.get_by_role("button", name="Send the gift")).to_be_hidden()
    words = unquote(bare.get_by_role("link", name="WhatsApp").get_attribute("href"))
    link = re.search(rf"{shop.url}/r/NINA-\w+", words)[0]
    bare.get_by_role("link", name="QR code", exact=True).tap()
    expect(bare.locator("#qr svg")).to_be_visible()

    bare.goto(link)
    bare.get_by_label("Your first name").fill("Dina")
    bare.get_by_label("Your phone or e-mail").fill("dina@example")
    bare.get_by_role("button", name="Take the gift").tap()
    expect(bare.get_by_label("Your phone or e-mail")).to_have_value("dina@example")
    bare.get_by_label("Your phone or e-mail").fill("dina@example.com")
    bare.get_by_role("button", name="Take the gift").tap()
    expect(bare.get_by_role("heading", name="Your code")).to_be_visible()
    taken = Claim.objects.for_store(shop.store).filter(friend__email_norm="dina@example.com")
    assert running.inside(shop.store, taken.count) == 1


# -- On the shop's own site --


class OtherSite:
    """A web site of somebody else's: one page with the lines an owner copies."""

    def __init__(self, body: str) -> None:
        page = f"<!doctype html><title>A shop</title><h1>A shop</h1>{body}".encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def other_site(shop) -> Iterator[Callable[[], str]]:
    """A function that opens another site with banner and share box; its address."""
    sites: list[OtherSite] = []

    def make() -> str:
        places = "".join(f'<div data-goodword="{kind}" data-lang="en"></div>' for kind in ("banner", "share"))
        sites.append(OtherSite(f'<script src="{shop.url}/w/rosewater.js" async></script>{places}'))
        return sites[-1].url

    yield make
    for site in sites:
        site.close()


HEIGHTS = "[...document.querySelectorAll('iframe')].map((one) => one.getBoundingClientRect().height)"


def test_the_shops_site_shows_the_frames_as_tall_as_they_are(running, shop, visitors, other_site):
    site = other_site()

    def allow() -> None:
        prints.open_site(shop.store, name="On your site", by=None, at=timezone.now())
        change_settings(shop.store, {"site_addresses": [site]}, by=None, at=timezone.now())

    running.inside(shop.store, allow)
    page = visitors.phone()
    page.goto(site)
    banner, box = (page.frame_locator(f"[data-goodword={kind}] iframe") for kind in ("banner", "share"))
    expect(banner.get_by_role("heading", name="Bring a friend")).to_be_visible()
    expect(box.get_by_role("link", name="Get my link")).to_be_visible()
    inside = [
        frame.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        for frame in page.frames[1:]
    ]
    until(lambda: page.evaluate(HEIGHTS) == inside, what=f"frames of {inside} pixels")
    # Whoever else sends a height is not heard.
    page.evaluate("postMessage({goodword: 4000}, '*')")
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.evaluate(HEIGHTS) == inside
    assert [one for one in page.context.cookies() if one["name"] != "session"] == []

    with page.context.expect_page() as opened:
        banner.get_by_role("link", name="Get my link").tap()
    expect(opened.value.get_by_label("Your first name")).to_be_visible()


def test_another_site_shows_nothing(shop, chromium, other_site):
    with chromium.new_context() as context:
        page = context.new_page()
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(other_site())
        assert page.frame_locator("[data-goodword=banner] iframe").get_by_text("Bring a friend").count() == 0


def test_the_example_shop_embeds_it_by_the_same_lines(running, shop, visitors):
    running.inside(shop.store, lambda: prints.open_site(shop.store, name="Site", by=None, at=timezone.now()))
    page = visitors.phone()
    page.goto(f"{shop.url}/demo-shop/rosewater?lang=fa")
    expect(page.get_by_role("note")).to_be_visible()
    frame = page.frame_locator("[data-goodword=banner] iframe")
    expect(frame.locator("h1")).to_be_visible()
    assert frame.locator("html").get_attribute("dir") == "rtl"
    # No kind words yet, so no room is taken for them.
    page.locator("[data-goodword=testimonials]").scroll_into_view_if_needed()
    expect(page.locator("[data-goodword=testimonials] iframe")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
