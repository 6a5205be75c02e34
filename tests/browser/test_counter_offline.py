"""The counter without internet: two devices with one code, lost answers, what is kept and how."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from checkout.models import Held
from checkout.services import limits
from checkout.services.facts import hashed
from customers.services import Person, find_or_create_customer
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from rewards import rules
from rewards.models import Redemption
from rewards.services import vouchers
from stores import codes, l10n
from tests.stack import until

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
VAULT = "import('/static/js/counter/vault.js').then(({ Vault }) => Vault.open('rosewater'))"
LOSE_KEY = """new Promise((resolve) => {
  const request = indexedDB.open("counter-rosewater");
  request.onsuccess = () => {
    const clearing = request.result.transaction("keys", "readwrite");
    clearing.objectStore("keys").clear();
    clearing.oncomplete = () => { request.result.close(); resolve(); };
  };
})"""
# What is posted of held codes passes through window.meet(body, go on) first.
STAND_BETWEEN = """(meet) => {
  const real = window.fetch;
  window.fetch = (url, how) => (how && how.body ? meet(JSON.parse(how.body), () => real(url, how)) : real(url, how));
}"""
READY = f"navigator.serviceWorker.ready.then(() => {VAULT}).then((vault) => vault.get('facts')).then(Boolean)"


@pytest.fixture
def counter(stack, shop, visitors, cookies):
    """Devices at the counter, and what the books say of them."""

    def issue(key):
        def make():
            offer = program_of(shop.store).terms.friend_offer
            return vouchers.issue(shop.store, offer, key=key, at=timezone.now()).code

        return stack.inside(shop.store, make)

    def device(width=390, clock_off=0):
        """A device whose counter was open with internet once; its clock is wrong by so many hours."""
        page = visitors.new(viewport={"width": width, "height": 800}, storage_state=cookies("staff"))
        if clock_off:
            page.context.add_init_script(f"const now = Date.now; Date.now = () => now() + {clock_off} * 3600e3")
        page.goto(f"{shop.url}/c/rosewater/")
        until(lambda: page.evaluate(READY), what="the device has its list at hand")
        return page

    def count(model, **facts):
        return stack.inside(shop.store, model.objects.for_store(shop.store).filter(**facts).count)

    def redeemed(key):
        rows = Redemption.objects.for_store(shop.store).filter(voucher__key=key)
        return stack.inside(shop.store, lambda: rows.get().at)

    yield SimpleNamespace(issue=issue, device=device, count=count, redeemed=redeemed, stack=stack, shop=shop)
    # Without a line every browser says so.
    visitors.wrong[:] = [one for one in visitors.wrong if "ERR_INTERNET_DISCONNECTED" not in one]


def away(page, is_away=True):
    page.context.set_offline(is_away)


def open_offline(page):
    """Whatever page of the counter is asked for, without a line it is this one."""
    page.goto(page.url.split("/c/")[0] + "/c/rosewater/today/")
    expect(page.get_by_role("heading", name="Without internet")).to_be_visible()


def take(page, code, bill="100"):
    """Type code and bill."""
    page.get_by_label("Type or scan the code").fill(code)
    page.get_by_label("Bill before discount").fill(bill)


def keep(page):
    page.get_by_role("button", name="Redeem and keep it here").click()


def says(page, text):
    """The line above every page says so, to whoever looks."""
    expect(page.locator("[data-line]").get_by_text(text)).to_be_visible()


def state(page, which="held"):
    return page.locator(f"[data-held] li[data-state={which}]")


def test_two_devices_without_internet_and_one_code(counter, visitors, cookies, picture):
    """One redemption, and one clear conflict for the manager."""
    code = counter.issue("both")
    ana, ben = counter.device(), counter.device(1024)
    for page in (ana, ben):
        away(page)
        open_offline(page)
        begun = time.perf_counter()
        take(page, code.lower(), "1,550.50")
        expect(page.get_by_text("Give 10% off")).to_be_visible()
        expect(page.locator("[data-sum-pays]")).to_have_text("₱1,395.45")
        keep(page)
        expect(state(page)).to_have_count(1)
        print(f"kept without internet: 1 tap after typing, {time.perf_counter() - begun:.1f} s")
        says(page, "No internet.")
    picture(ana, "offline-1-held")
    picture(ben, "offline-2-held-tablet")
    assert counter.count(Redemption, voucher__key="both") == 0
    away(ana, False)
    expect(state(ana, "done")).to_have_count(1)
    away(ben, False)
    expect(state(ben, "refused")).to_have_count(1)
    expect(state(ben, "refused")).to_contain_text("This code had been used already")
    picture(ben, "offline-3-refused")
    assert counter.count(Redemption, voucher__key="both") == 1
    assert counter.count(Held, code=code) == 2
    owner = visitors.new(storage_state=cookies("owner"))
    owner.goto(f"{counter.shop.url}/d/rosewater/approvals/")
    owner.get_by_role("link", name="At the counter").click()
    expect(owner.get_by_text("₱155.05 off a bill of ₱1,550.50")).to_have_count(1)
    picture(owner, "offline-4-conflict")
    owner.get_by_role("button", name="Put away").click()
    expect(owner.get_by_text("No conflict from the counter")).to_be_visible()
    ben.get_by_role("button", name="Seen").click()
    expect(state(ben, "refused")).to_have_count(0)


def test_what_is_kept_survives_and_cannot_be_read(counter):
    """A reload, a second try with the same code, a code it does not know, a step back; and nothing in the clear."""
    code, other = counter.issue("kept"), counter.issue("taken-back")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, "NOTACODE234")
    expect(page.get_by_role("alert")).to_contain_text("cannot be checked without internet")
    expect(page.get_by_role("button", name="Redeem and keep it here")).to_be_disabled()
    for one in (code, other):
        take(page, one)
        keep(page)
        expect(page.locator("[data-kept]")).to_contain_text("The customer pays ₱90.")
    expect(state(page)).to_have_count(2)
    raw = page.evaluate(
        """async () => {
          const database = await new Promise((resolve) => {
            const request = indexedDB.open("counter-rosewater"); request.onsuccess = () => resolve(request.result); });
          const all = (store) => new Promise((resolve) => {
            const request = database.transaction(store).objectStore(store).getAll();
            request.onsuccess = () => resolve(request.result); });
          const [key] = await all("keys");
          const taken = await crypto.subtle.exportKey("raw", key).then(() => "given out", () => "refused");
          const sealed = await all("sealed");
          return [taken, key.extractable, sealed.map((one) => new TextDecoder("latin1").decode(one.data)).join("|")];
        }"""
    )
    assert raw[:2] == ["refused", False]
    assert len(raw[2]) > 500
    assert not any(word in raw[2] for word in (code, other, "permit", "10%"))
    page.reload()
    expect(state(page)).to_have_count(2)
    take(page, code)
    expect(page.get_by_role("alert")).to_contain_text("This code was used on this device before.")
    state(page).filter(has_text=other).get_by_role("button", name="Take back").click()
    expect(state(page)).to_have_count(1)
    away(page, False)
    expect(state(page, "done")).to_have_count(1)
    assert counter.count(Redemption, voucher__key="kept") == 1
    assert counter.count(Redemption, voucher__key="taken-back") == 0


def test_a_line_lost_at_the_last_tap_redeems_once(counter, picture):
    """The total was seen with internet; the tap falls into the hole. The same key goes on without it."""
    code = counter.issue("hole")
    page = counter.device()
    page.get_by_label("Or type the code").fill(code)
    page.get_by_role("button", name="Check code").click()
    page.get_by_label("Bill before discount").fill("200")
    expect(page.get_by_text("Customer pays")).to_be_visible()
    away(page)
    page.get_by_role("button", name="Redeem and finish").click()
    expect(page.get_by_role("heading", name="Without internet")).to_be_visible()
    expect(page.locator("[data-sum-pays]")).to_have_text("₱180")
    picture(page, "offline-5-after-the-tap")
    keep(page)
    expect(state(page)).to_have_count(1)
    away(page, False)
    expect(state(page, "done")).to_have_count(1)
    assert counter.count(Redemption, voucher__key="hole") == 1


def test_an_answer_that_got_lost_is_found_again(counter):
    """The server had done it; the device had not heard."""
    code = counter.issue("deaf")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, code)
    keep(page)
    expect(state(page)).to_have_count(1)
    page.evaluate(
        f"""() => {{
          let lost = 0;
          ({STAND_BETWEEN})(async (body, goOn) => {{
            const answer = await goOn();
            if (!lost++) throw new TypeError("the answer got lost");
            return answer;
          }});
        }}"""
    )
    away(page, False)
    assert until(lambda: counter.count(Redemption, voucher__key="deaf"), what="the server has done it") == 1
    says(page, "No internet.")
    expect(state(page)).to_have_count(1)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(state(page, "done")).to_have_count(1)
    assert counter.count(Redemption, voucher__key="deaf") == counter.count(Held, code=code) == 1


def test_the_owner_s_limits_hold_on_the_device(counter):
    store, at = counter.shop.store, timezone.now()
    wanted = {"most_held": 2, "most_minor": 25_00}
    counter.stack.inside(store, lambda: limits.change(store, wanted, by=None, at=at))
    made = [counter.issue(f"limit:{number}") for number in range(4)]
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, made[0], "300")
    expect(page.get_by_role("alert")).to_contain_text("more than the owner lets one device give")
    for code in made[1:3]:
        take(page, code, "100")
        keep(page)
        expect(state(page).filter(has_text=code)).to_have_count(1)
    take(page, made[3], "10")
    expect(page.get_by_role("alert")).to_contain_text("as many codes as the owner allows")
    away(page, False)
    expect(state(page, "done")).to_have_count(2)


def test_the_device_reckons_as_the_server_does(counter):
    """Codes, amounts and discounts: two languages, one answer."""
    page = counter.device()
    typed = [
        "sara-7k2q9",
        "SARA 7K2Q9\n",
        "https://shop.example/r/Sara-7K2O9/?x=1#y",
        "۷K۲",
        "٠O",
        "iIlL1",
        "é-ß",
        "",
        "/",
    ]
    facts = "import('/static/js/counter/facts.js')"
    mine = page.evaluate(
        f"async (all) => {{ const {{ normalise }} = await {facts}; return all.map(normalise); }}", typed
    )
    assert mine == [codes.normalise(one) for one in typed]
    amounts = ["1550", "1,550.50", "1.550,50", "۱۵۵۰٫۵۰", "1'500", "0.5", ".5", "1,5", "1,50", "12,34,567", "-5", "1e5"]
    amounts += ["abc", "1.555", "1.500", "1,,5", "1.5.5", "99", "1 550", "0", "1,5,50", ",", "1."]

    def ours(text):
        try:
            return l10n.parse_money(text, "PHP")
        except ValueError:
            return None

    mine = page.evaluate(
        f"async (all) => {{ const {{ parseAmount }} = await {facts}; return all.map((one) => parseAmount(one, 2)); }}",
        amounts,
    )
    assert dict(zip(amounts, mine, strict=True)) == {text: ours(text) for text in amounts}
    offers = [
        {"percent": percent, "amount": amount, "most": most, "cap": cap}
        for percent, amount in ((10, None), (33, None), (100, None), (None, 500), (None, 10**9))
        for most in (None, 777)
        for cap in (None, 50)
    ]
    bills = [1, 99, 12_345, 10**12]
    told = page.evaluate(
        f"async ([offers, bills]) => {{ const {{ discount }} = await {facts};"
        " return offers.map((one) => bills.map((bill) => discount(one, bill))); }",
        [offers, bills],
    )

    def off(one, bill):
        worth = rules.discount(rules.Promise(one["percent"], one["amount"], 0, one["most"]), bill)
        return worth if one["cap"] is None else min(worth, one["cap"])

    assert told == [[off(one, bill) for bill in bills] for one in offers]
    mine = page.evaluate(f"async () => {{ const {{ hashed }} = await {facts}; return hashed('salt?', 'ABCD2345'); }}")
    assert mine == hashed("salt?", "ABCD2345")


def shared(counter, name):
    """The share code of a new customer."""
    store, at = counter.shop.store, timezone.now()

    def link():
        person = Person(name, f"{name.split()[0]}@example.com".lower())
        return share_link_of(find_or_create_customer(store, person, at=at, source="test"), at=at).code

    return counter.stack.inside(store, link)


def test_a_share_code_says_who_sent_them(counter):
    code = shared(counter, "Sara Ahmadi")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, f"https://a-rather-long-name-of-a-shop.example.com/r/{code}/?from=card")
    expect(page.get_by_text("Give 10% off · sent by Sara A.")).to_be_visible()
    keep(page)
    expect(state(page)).to_contain_text(code)
    expect(state(page)).not_to_contain_text("example")
    away(page, False)
    expect(state(page, "done")).to_have_count(1)


@pytest.mark.parametrize("hours", [-2, 13], ids=["set back", "past the end"])
def test_a_clock_that_is_set_stops_what_it_would_make_last_longer(counter, hours):
    """Neither a list whose time is over nor a clock set back tells what a code gives."""
    code = counter.issue(f"clock:{hours}")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, code)
    expect(page.get_by_text("Give 10% off")).to_be_visible()
    page.evaluate(f"() => {{ const now = Date.now; Date.now = () => now() + {hours} * 3600e3; }}")
    take(page, code)
    expect(page.get_by_role("alert")).to_contain_text("has nothing at hand to check codes with")
    expect(page.get_by_role("button", name="Redeem and keep it here")).to_be_disabled()


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_goes_wrong_all_the_time_does_no_harm(counter, hours):
    """A list is as old as the device has had it; a redemption is dated by the server's clock."""
    code = counter.issue(f"wrong:{hours}")
    page = counter.device(clock_off=hours)
    away(page)
    open_offline(page)
    take(page, code)
    keep(page)
    expect(state(page)).to_have_count(1)
    away(page, False)
    expect(state(page, "done")).to_have_count(1)
    page.evaluate("import('/static/js/counter/line.js').then((line) => line.opened.then(() => line.check()))")
    expect(state(page, "done")).to_have_count(1)  # it stays in the list for a day
    assert abs(timezone.now() - counter.redeemed(f"wrong:{hours}")) < timedelta(minutes=2)


def test_a_key_that_is_gone_is_told_and_the_counter_goes_on(counter):
    """What was held cannot be read any more: that is said, not hidden; and new codes are taken."""
    lost, later = counter.issue("lost"), counter.issue("later")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, lost)
    keep(page)
    expect(state(page)).to_have_count(1)
    page.evaluate(LOSE_KEY)
    page.reload()
    expect(state(page, "lost")).to_contain_text("cannot be read any more")
    says(page, "see why: 1")
    take(page, later)
    expect(page.get_by_role("alert")).to_contain_text("has nothing at hand to check codes with")
    away(page, False)
    page.goto(f"{counter.shop.url}/c/rosewater/")
    until(lambda: page.evaluate(READY), what="it has a list again")
    expect(page.locator("[data-line]").get_by_text("No internet.")).to_be_hidden()
    away(page)
    open_offline(page)
    take(page, later)
    keep(page)
    expect(state(page)).to_have_count(1)
    state(page, "lost").get_by_role("button", name="Seen").click()
    expect(state(page, "lost")).to_have_count(0)
    assert counter.count(Redemption, voucher__key="lost") == 0


def test_a_store_of_the_browser_that_was_emptied_begins_anew(counter):
    """IndexedDB evicted as a whole: nothing is told that is not there, and the counter works on."""
    page = counter.device()
    page.goto("about:blank")
    other = page.context.new_page()
    other.goto(f"{counter.shop.url}/stores/?all=1")
    gone = """new Promise((resolve) => {
      const asked = indexedDB.deleteDatabase("counter-rosewater"); asked.onsuccess = () => resolve(true); })"""
    assert other.evaluate(gone)
    other.close()
    away(page)
    page.goto(f"{counter.shop.url}/c/rosewater/")
    take(page, "ANYCODE2345")
    expect(page.get_by_role("alert")).to_contain_text("has nothing at hand to check codes with")
    away(page, False)
    page.goto(f"{counter.shop.url}/c/rosewater/")
    until(lambda: page.evaluate(READY), what="it has a list again")


def test_what_is_taken_back_while_others_are_sent_is_not_sent(counter):
    """The list that a round began with may be older than the cashier's last tap."""
    first, second = counter.issue("first"), counter.issue("second")
    page = counter.device()
    away(page)
    open_offline(page)
    for code in (first, second):
        take(page, code)
        keep(page)
        expect(state(page).filter(has_text=code)).to_have_count(1)
    page.evaluate(
        f"""() => ({STAND_BETWEEN})(async (body, goOn) => {{
          window.sent = [...(window.sent || []), body.code];
          const {{ letGo, all }} = await import("/static/js/counter/queue.js");
          const vault = await {VAULT};
          for (const one of await all(vault)) if (one.code === "{second}") await letGo(vault, one.key);
          return goOn();
        }})"""
    )
    away(page, False)
    expect(state(page, "done")).to_have_count(1)
    expect(state(page)).to_have_count(0)
    assert page.evaluate("window.sent") == [first]
    assert counter.count(Redemption, voucher__key="second") == 0


def test_one_that_the_server_stumbles_over_keeps_nobody_waiting(counter):
    """The others go out; it goes out again at the next round, half a minute later."""
    first, second = counter.issue("stumble"), counter.issue("behind")
    page = counter.device()
    away(page)
    page.clock.install()
    open_offline(page)
    for code in (first, second):
        take(page, code)
        keep(page)
        expect(state(page).filter(has_text=code)).to_have_count(1)
    page.evaluate(
        f"""() => {{
          let stumbled = 0;
          ({STAND_BETWEEN})((body, goOn) => (
            body.code === "{first}" && !stumbled++ ? new Response("", {{ status: 500 }}) : goOn()));
        }}"""
    )
    away(page, False)
    expect(state(page, "done").filter(has_text=second)).to_have_count(1)
    expect(state(page).filter(has_text=first)).to_have_count(1)
    page.clock.fast_forward(30_000)
    expect(state(page, "done").filter(has_text=first)).to_have_count(1)


def test_a_second_tap_and_a_reload_keep_it_once(counter):
    """A share code may be given to many, so that nothing but the page itself stands in the way."""
    code = shared(counter, "Bea Cruz")
    page = counter.device()
    away(page)
    page.goto(f"{counter.shop.url}/c/rosewater/quote/?code={code}&amount=100")
    expect(page.locator("[data-sum-pays]")).to_have_text("₱90")
    twice = "(form) => { form.requestSubmit(); form.requestSubmit(); }"
    page.locator("[data-offline]").evaluate(twice)
    expect(state(page)).to_have_count(1)
    page.reload()
    expect(state(page)).to_have_count(1)
    expect(page.get_by_label("Type or scan the code")).to_have_value("")


def test_a_full_disk_says_that_nothing_was_kept(counter):
    code = counter.issue("full")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, code)
    page.evaluate(
        "() => { IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); }; }"
    )
    keep(page)
    expect(page.get_by_role("alert")).to_contain_text("could not keep it")
    expect(state(page)).to_have_count(0)
    away(page, False)


def test_whoever_is_let_in_no_more_loses_the_list_and_not_what_is_held(counter):
    """Logged out elsewhere, or dismissed: the list goes, somebody else logs in and sends what is held."""
    code = counter.issue("dismissed")
    page = counter.device()
    away(page)
    open_offline(page)
    take(page, code)
    keep(page)
    expect(state(page)).to_have_count(1)
    mine = page.context.cookies()
    page.context.clear_cookies(name="session")
    away(page, False)
    says(page, "Log in again")
    expect(state(page)).to_have_count(1)
    until(lambda: page.evaluate(f"{VAULT}.then((vault) => vault.get('facts')).then((one) => !one)"), what="no list")
    page.context.add_cookies([one for one in mine if one["name"] == "session"])
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(state(page, "done")).to_have_count(1)
