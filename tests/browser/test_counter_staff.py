"""A day of somebody at the counter: camera, hand scanner, somebody new, no internet, a colleague, the shift."""

from __future__ import annotations

import io
import math
import os
import time
from pathlib import Path

import pytest
import segno
from django.utils import timezone
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect, sync_playwright

from customers.services import Person, find_or_create_customer
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from rewards.models import Redemption
from rewards.services import vouchers
from stores.models import User
from tests.browser.conftest import ARGS, Shop, Visitors
from tests.stack import until

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {"owner": "owner", "staff": "staff", "ben": "staff"}
WIDTH, HEIGHT = 640, 480
PIN = "730415"
READY = """navigator.serviceWorker.ready
  .then(() => import('/static/js/counter/vault.js')).then(({ Vault }) => Vault.open('rosewater'))
  .then((vault) => vault.get('facts')).then(Boolean)"""

KEPT_READER = """caches.open('counter-rosewater')
  .then((cache) => cache.match('/static/vendor/zxing_reader.wasm')).then(Boolean)"""


@pytest.fixture(scope="module")
def shop(running, shop) -> Shop:
    """A store, its owner and two at the counter."""

    def name_them():
        for address, name in (("staff", "Ana Reyes"), ("ben", "Ben Tan")):
            User.objects.filter(email=f"{address}@example.com").update(name=name)

    running.inside(shop.store, name_them)
    return shop


@pytest.fixture(scope="module")
def sara(running, shop):
    """The share code of a customer."""

    def make():
        at, person = timezone.now(), Person("Sara Ahmadi", "sara@example.com", phone="+639170000001")
        return share_link_of(find_or_create_customer(shop.store, person, at=at, source="test"), at=at).code

    return running.inside(shop.store, make)


def filmed(text: str, path: Path) -> Path:
    """A second of film in which somebody holds a phone with a QR code askew, a little out of focus."""
    card = Image.new("L", (300, 300), 235)
    drawn = io.BytesIO()
    segno.make(text, error="m", boost_error=False).save(drawn, kind="png", scale=6, border=4)
    card.paste(Image.open(drawn).convert("L").resize((250, 250)), (25, 25))
    picture = Image.new("L", (WIDTH, HEIGHT), 45)
    turned = card.rotate(13, expand=True, fillcolor=45)
    picture.paste(turned, ((WIDTH - turned.width) // 2, (HEIGHT - turned.height) // 2))
    shown = picture.filter(ImageFilter.GaussianBlur(1.2)).tobytes()
    colour = bytes([128]) * (WIDTH * HEIGHT // 2)
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + (b"FRAME\n" + shown + colour) * 10)
    return path


@pytest.fixture(scope="module")
def chromium(shop, sara, tmp_path_factory):
    """A browser whose camera sees Sara's code."""
    film = filmed(f"{shop.url}/r/{sara}", tmp_path_factory.mktemp("film") / "sara.y4m")
    args = [*ARGS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


@pytest.fixture
def visitors(chromium):
    """Browsers, as elsewhere; but without internet every browser says so."""
    visitors = Visitors(chromium)
    yield visitors
    visitors.close()
    assert [one for one in visitors.wrong if "ERR_INTERNET_DISCONNECTED" not in one] == []


@pytest.fixture
def device(shop, visitors, cookies):
    """A device at the counter with a camera that may be used, opened with internet once."""

    def go(width=390, height=844, lang="en"):
        page = visitors.new(
            viewport={"width": width, "height": height},
            storage_state=cookies("staff"),
            permissions=["camera"],
            has_touch=True,
            device_scale_factor=2 if width < 700 else 1,
        )
        page.goto(f"{shop.url}/c/rosewater/?lang={lang}")
        until(lambda: page.evaluate(READY), what="the device has its list at hand")
        return page

    return go


@pytest.fixture
def issue(running, shop):
    """A new code of 10 %."""

    def go(key):
        def make():
            offer = program_of(shop.store).terms.friend_offer
            return vouchers.issue(shop.store, offer, key=key, at=timezone.now()).code

        return running.inside(shop.store, make)

    return go


class Hand:
    """Somebody's hand: counts what it taps, and how long it all takes. Typing is a keyboard's or a scanner's."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps, self.begun = page, 0, time.perf_counter()

    def tap(self, name: str, role: str = "button") -> None:
        self.taps += 1
        self.page.get_by_role(role, name=name).click()

    def types(self, text: str) -> None:
        """Into whatever has the focus."""
        self.page.keyboard.type(text)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.begun

    def __str__(self) -> str:
        return f"{self.taps} taps, {self.seconds:.1f} s"


def has_focus(page: Page, name: str) -> None:
    expect(page.get_by_label(name)).to_be_focused()


def away(*pages: Page, is_away: bool = True) -> None:
    for page in pages:
        page.context.set_offline(is_away)


def state(page: Page, which: str):
    return page.locator(f"[data-held] li[data-state={which}]")


def test_the_journey_of_staff(device, issue, running, shop, visitors, cookies, picture):
    """With internet by camera, without it on two devices with one code, and what the manager sees of it."""
    code, ana = issue("journey"), device()
    hand = Hand(ana)
    hand.tap("Scan with the camera")
    expect(ana.get_by_role("heading", name="Give 10% off")).to_be_visible()
    expect(ana.get_by_text("sent by Sara A.")).to_be_visible()
    has_focus(ana, "Bill before discount")
    hand.types("1550")
    expect(ana.get_by_text("Customer pays")).to_be_visible()
    picture(ana, "staff-2-bill")
    hand.tap("Redeem and finish")
    expect(ana.get_by_role("heading", name="Redeemed")).to_be_visible()
    expect(ana.get_by_text("Say thanks from Sara A.")).to_be_visible()
    assert hand.taps <= 3
    online = str(hand)
    picture(ana, "staff-3-done")
    hand.tap("Next customer", role="link")
    # It scanned last time, so it is scanning already: the next customer costs one tap.
    quick = Hand(ana)
    expect(ana.get_by_role("heading", name="Give 10% off")).to_be_visible()
    quick.types("80")
    expect(ana.get_by_text("Customer pays")).to_be_visible()
    quick.tap("Redeem and finish")
    expect(ana.get_by_role("heading", name="Redeemed")).to_be_visible()
    assert quick.taps == 1
    at_once = str(quick)

    ben = device(1024, 720)
    until(lambda: ana.evaluate(KEPT_READER), what="the reader is kept for when there is no internet")
    away(ana, ben)
    ana.evaluate("localStorage.clear()")
    ana.goto(f"{shop.url}/c/rosewater/")
    offline = Hand(ana)
    offline.tap("Scan with the camera")  # the reader was kept: it needs no internet
    expect(ana.get_by_text("Give 10% off · sent by Sara A.")).to_be_visible()
    has_focus(ana, "Bill before discount")
    offline.types("300")
    offline.tap("Redeem and keep it here")
    expect(state(ana, "held")).to_have_count(1)
    assert offline.taps <= 3
    without = str(offline)
    for page in (ana, ben):
        if page is ben:
            page.goto(f"{shop.url}/c/rosewater/")
        has_focus(page, "Type or scan the code")
        page.keyboard.type(f"{code}\n")  # as a hand scanner does
        has_focus(page, "Bill before discount")
        page.keyboard.type("100\n")
        expect(state(page, "held").filter(has_text=code)).to_have_count(1)
    picture(ana, "staff-4-offline")
    away(ana, ben, is_away=False)
    expect(state(ana, "held")).to_have_count(0)
    expect(state(ben, "held")).to_have_count(0)
    assert state(ana, "refused").count() + state(ben, "refused").count() == 1
    count = running.inside(shop.store, Redemption.objects.for_store(shop.store).filter(voucher__key="journey").count)
    assert count == 1
    owner = visitors.new(storage_state=cookies("owner"))
    owner.goto(f"{shop.url}/d/rosewater/approvals/held/")
    expect(owner.get_by_role("button", name="Put away")).to_have_count(1)
    expect(owner.get_by_text("had been used already")).to_be_visible()
    print(f"journey staff: {online} (the next one {at_once}; without internet {without})")


def test_keys_alone_are_enough(device, issue, shop):
    """A hand scanner is a keyboard that ends with the enter key; so nobody needs to touch anything."""
    page = device()
    has_focus(page, "Or type the code")
    page.keyboard.type(f"{issue('keys').lower()}\n")
    has_focus(page, "Bill before discount")
    page.keyboard.type("200")
    expect(page.get_by_text("₱180")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Redeemed")).to_be_visible()
    page.keyboard.type(f"{issue('next')}\n")  # the next customer's, on the receipt of the last one
    expect(page.get_by_role("heading", name="Give 10% off")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("heading", name="Scan the customer’s code").click()  # whatever was tapped last
    page.keyboard.type(f"{issue('after')}\n")
    expect(page.get_by_role("heading", name="Give 10% off")).to_be_visible()


def test_what_was_typed_before_the_script_came_is_counted(device, issue):
    """Quick hands on a slow line: the bill stands there before anything listens to it."""
    page, late = device(), []
    page.route("**/js/checkout*.js", lambda route: late.append(route))
    page.get_by_label("Or type the code").fill(issue("quick"))
    page.get_by_role("button", name="Check code").click()
    page.get_by_label("Bill before discount").press_sequentially("200")
    assert page.get_by_text("Customer pays").count() == 0
    late.pop().continue_()
    expect(page.get_by_text("₱180")).to_be_visible()


def test_a_browser_that_reads_codes_by_itself_fetches_no_reader(device, shop):
    page = device()
    page.context.add_init_script(
        """window.BarcodeDetector = class {
          static async getSupportedFormats() { return ["qr_code"]; }
          async detect() { return [{ rawValue: "NATIVE23456" }]; }
        }"""
    )
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{shop.url}/c/rosewater/")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("alert")).to_contain_text("We do not know this code")
    expect(page.get_by_label("Or type the code")).to_have_value("NATIVE23456")
    assert not [url for url in fetched if "barcode" in url or "wasm" in url]


def test_a_camera_that_may_not_be_used_leaves_the_field(visitors, cookies, shop):
    page = visitors.new(storage_state=cookies("staff"))
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no'))")
    page.goto(f"{shop.url}/c/rosewater/")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("alert")).to_contain_text("The camera cannot be used now.")
    has_focus(page, "Or type the code")


def test_a_reader_that_does_not_come_is_told_of(device):
    """Not a camera that looks and looks and reads nothing."""
    page = device()
    page.evaluate(
        """() => { window.BarcodeDetectionAPI = {
          async prepareZXingModule() { throw new Error("404"); },
          purgeZXingModule() {},
        }; }"""
    )
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("alert")).to_contain_text("The camera cannot be used now.")
    expect(page.locator("[data-camera-box]")).to_be_hidden()


def test_it_is_an_app(device):
    """Chromium would install it: manifest, icons, service worker."""
    page = device()
    wrong = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in wrong if one["errorId"] != "in-incognito"] == []
    button = page.get_by_role("button", name="Put it on the first screen")
    expect(button).to_be_hidden()
    page.evaluate(
        """() => {
          const offer = new Event("beforeinstallprompt", { cancelable: true });
          offer.prompt = () => { document.title = "asked"; };
          dispatchEvent(offer);
        }"""
    )
    button.click()
    expect(page).to_have_title("asked")
    expect(button).to_be_hidden()


def test_somebody_new_a_colleague_and_the_shift(device, issue, visitors, shop, log_in, picture):
    """A customer in two fields; Ben takes the device over; the day is summed up, and its last sale undone."""
    ben = visitors.new()
    log_in(ben, "ben")
    ben.goto(f"{shop.url}/c/rosewater/pin/")
    for label in ("Four to eight digits", "The same again"):
        ben.get_by_label(label).fill(PIN)
    ben.get_by_role("button", name="Save my PIN").click()
    expect(ben.get_by_text("Saved.")).to_be_visible()
    page = device()
    page.get_by_role("link", name="A customer by phone, or a new one").click()
    page.keyboard.type("0917 000 0002\n")
    page.get_by_label("Name").fill("Bea Cruz")
    page.get_by_role("button", name="Make them a customer").click()
    expect(page.get_by_role("heading", name="Bea C., phone ending 02")).to_be_visible()
    picture(page, "staff-5-new")
    page.get_by_role("link", name="Change person").click()
    page.get_by_text("Ben Tan").click()
    page.get_by_label("Your PIN").fill(PIN)
    picture(page, "staff-6-switch")
    page.get_by_role("button", name="Take over").click()
    expect(page.locator("header")).to_contain_text("Ben")
    page.keyboard.type(f"{issue('shift')}\n")
    has_focus(page, "Bill before discount")
    page.keyboard.type("500")
    expect(page.get_by_text("₱450")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Today").click()
    picture(page, "staff-7-today")
    page.get_by_role("link", name="Sum up the shift").click()
    expect(page.get_by_role("heading", name="Ben you")).to_be_visible()
    picture(page, "staff-8-shift")
    page.go_back()
    page.get_by_role("listitem").filter(has_text="₱50 off").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone. The code may be used again.")).to_be_visible()


@pytest.mark.parametrize(("lang", "width", "height"), [("en", 390, 844), ("en", 1024, 720), ("fa", 390, 844)])
def test_the_camera_is_open_and_fits(device, picture, lang, width, height):
    """For people to look at; and nothing is wider than the page."""
    page = device(width, height, lang)
    page.evaluate("localStorage.removeItem('counter:camera')")
    page.evaluate(
        """() => { window.BarcodeDetector = class {
          static async getSupportedFormats() { return ["qr_code"]; }
          async detect() { return []; }
        }; }"""
    )
    page.locator("[data-camera-start]").click()
    picture_of_it = page.locator("[data-camera-picture]")
    until(lambda: picture_of_it.evaluate("(one) => one.videoWidth"), what="the camera shows something")
    picture(page, f"staff-1-scan-{lang}-{width}")
    box = page.locator("[data-camera-box]").bounding_box()
    assert box["width"] <= width
    assert math.isclose(box["width"] / box["height"], 1 if width < 700 else 4 / 3, rel_tol=0.3)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("[data-camera-stop]").click()
    expect(page.locator("[data-camera-box]")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('counter:camera')") is None
