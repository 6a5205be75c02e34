"""Helping the unhappy, showing the words of the happy, writing to a segment: in browsers, on the running stack."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from customers.services.orders import OrderData, record_order
from customers.services.people import Person, find_or_create_customer
from customers.services.products import Line
from outreach.kinds import Way
from outreach.models import Message
from surveys.services import inviting, testimonials, themes
from tests.stack import until

pytestmark = pytest.mark.stack
MINA, BEA = "mina@example.com", "bea@example.com"
LATE = "The parcel came far too late and the mug was broken."
KIND = "The best mug I ever had, and such friendly people."
REGULARS = 12  # of whom one, Noor, has no address


@pytest.fixture
def story(stack, shop, visitors, picture, cookies, settings):
    """What the chapters share. The owner sits at a desk, the customers have phones."""
    settings.SITE_URL = shop.url  # of what is planned `inside`
    desk = visitors.new(viewport={"width": 1440, "height": 900}, storage_state=cookies("owner"))
    visitors.refusals = True
    tools = {"stack": stack, "shop": shop, "visitors": visitors, "cookies": cookies, "desk": desk}
    return SimpleNamespace(**tools, picture=picture, place=f"{shop.url}/d/rosewater")


def at_desk(story, path):
    """A page of the dashboard."""
    answer = story.desk.goto(f"{story.place}/{path}")
    assert answer.status == 200, path
    return story.desk


def press(page, name):
    page.get_by_role("button", name=name).click()


def fits(story, name):
    """A picture at both widths, and no page wider than its screen."""
    for width in (390, 1440):
        story.desk.set_viewport_size({"width": width, "height": 900})
        shown = story.desk.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert shown[0] <= shown[1], (name, shown)
        story.picture(story.desk, f"{name}-{width}")


def inside(story, work):
    """Do as a sweep does that would come round later."""
    return story.stack.inside(story.shop.store, lambda: work(story.shop.store, timezone.now()))


def letter_to(story, address, subject):
    def found():
        return next((mail for mail in story.stack.mail.to(address) if subject in mail.message["Subject"]), None)

    return until(found, what=f"the letter {subject!r} to {address}")


def link_in(mail, door):
    return re.search(rf"http://\S*/{door}/\S*", mail.text)[0]


def bought(story, *people):
    """They bought a mug that has come and shown its value; the question goes out."""

    def orders(store, at):
        for name, email in people:
            placed, line = at - timedelta(days=9), Line("MUG-1", "Blue Mug", unit_price_minor=155_000)
            person = Person(name, email, consent={"email": True})
            facts = {"total_minor": 155_000, "placed_at": placed, "delivered_at": placed + timedelta(days=1)}
            record_order(store, OrderData("pos", email, "PHP", person=person, lines=(line,), **facts), at=at)
        inviting.plan_invitations(store, at)
        assert inviting.invite_due(store, at) == len(people)

    inside(story, orders)


def answer(page, mail, score, words):
    page.goto(re.sub(r"\?.*", "", link_in(mail, "s")))
    page.get_by_role("radio", name=f"{score}", exact=True).check()
    page.locator("#comment").fill(words)
    press(page, "Send my answer")
    page.wait_for_url("**/thanks")


# -- An unhappy customer --


def test_an_unhappy_customer_is_helped(story):
    bought(story, ("Mina Karimi", MINA))
    mina_says_what_went_wrong(story)
    the_owner_sees_her(story)
    a_voucher_is_given_under_the_cap(story)
    a_reply_is_written_and_arrives(story)
    the_case_is_solved(story)
    her_words_show_among_the_themes(story)


def mina_says_what_went_wrong(story):
    phone = story.visitors.phone()
    answer(phone, letter_to(story, MINA, "Blue Mug"), 3, LATE)
    expect(phone.get_by_role("heading", name="We are sorry")).to_be_visible()


def the_owner_sees_her(story):
    desk = at_desk(story, "unhappy/")
    card = desk.locator(".case-card")
    expect(card).to_contain_text("3 of 10")
    expect(card).to_contain_text(LATE)
    fits(story, "recovery-1-list")
    card.get_by_role("link", name="Mina Karimi").click()
    desk.wait_for_url(re.compile(r"/unhappy/\w+/$"))
    story.case = desk.url.removeprefix(f"{story.place}/")
    press(desk, "I look after them")
    expect(desk.get_by_text("Now with owner@example.com")).to_be_visible()


def a_voucher_is_given_under_the_cap(story):
    """The cap is set first; more than it is refused, and what was typed stays."""
    desk = at_desk(story, "unhappy/replies/")
    desk.get_by_label(re.compile("Apology vouchers to one person")).fill("500")
    press(desk, "Save the limit")
    expect(desk.get_by_text("Saved.", exact=True)).to_be_visible()
    fits(story, "recovery-2-replies")
    at_desk(story, story.case)
    give(desk, "600")
    expect(desk.get_by_text("more than one person may be given in a month")).to_be_visible()
    expect(desk.get_by_label("How much")).to_have_value("600")
    desk.get_by_label("How much").fill("300")
    press(desk, "Give it")
    expect(desk.get_by_text("Given. Tell them the code")).to_be_visible()
    story.code = desk.locator("#gift-title").locator("xpath=../..").locator("bdi strong").inner_text()


def give(desk, amount):
    desk.get_by_text("Give a voucher", exact=True).click()
    desk.get_by_label("How much").fill(amount)
    press(desk, "Give it")


def a_reply_is_written_and_arrives(story):
    """It starts from a reply of ours, and can be called back for a minute."""
    desk = at_desk(story, story.case)
    desk.get_by_role("link", name="A small apology", exact=True).click()
    letter = desk.get_by_label("Letter", exact=True)
    expect(letter).to_have_value(re.compile(f"Dear Mina,.*{re.escape(story.code)}", re.DOTALL))
    letter.fill(letter.input_value() + "\n\nLeila, who packs the mugs")
    press(desk, "Send the letter")
    expect(desk.get_by_text("It goes out in a minute")).to_be_visible()
    expect(desk.get_by_role("button", name="Call it back")).to_be_visible()
    fits(story, "recovery-3-case")

    def a_minute_later(store, at):
        Message.objects.for_store(store).filter(status="pending", due_at__gt=at).update(due_at=at)

    inside(story, a_minute_later)
    mail = until(lambda: [one for one in story.stack.mail.to(MINA) if "packs the mugs" in one.text], what="the reply")
    assert story.code in mail[0].text


def the_case_is_solved(story):
    desk = at_desk(story, story.case)
    expect(desk.get_by_role("button", name="Call it back")).to_have_count(0)
    desk.get_by_label("What was done").select_option(label="apology voucher")
    desk.get_by_label("Note", exact=True).fill("She laughed about it in the end.")
    press(desk, "Solved: they are content")
    expect(desk.get_by_text("Solved. They may be asked for things again.")).to_be_visible()
    at_desk(story, "unhappy/?tab=ended")
    expect(desk.locator(".case-card")).to_contain_text("apology voucher")
    fits(story, "recovery-4-ended")


def her_words_show_among_the_themes(story):
    inside(story, themes.match_new)
    desk = at_desk(story, "unhappy/themes/")
    for name in ("Delivery", "Quality"):
        expect(desk.get_by_role("link", name=name).locator(".funnel-count")).to_contain_text("1")
    fits(story, "recovery-5-themes")
    desk.get_by_role("link", name="Delivery").click()
    expect(desk.get_by_role("region", name="In their words")).to_contain_text(LATE)
    fits(story, "recovery-6-theme")


# -- Kind words --


def test_kind_words_are_shown_by_permission_and_taken_back(story):
    permission_is_asked_for_at_once(story)
    bought(story, ("Bea Cruz", BEA))
    answer(story.visitors.phone(), letter_to(story, BEA, "Blue Mug"), 10, KIND)
    inside(story, testimonials.ask_due)
    phone = story.visitors.phone()
    bea_allows_it(story, phone)
    assert feed(story) == []
    the_owner_shows_it(story)
    assert feed(story) == [{"text": KIND, "name": "Bea C.", "language": "en", "gets_rewards": False}]
    phone.reload()
    press(phone, "Take it back")
    expect(phone.get_by_text("You took it back")).to_be_visible()
    assert feed(story) == []
    expect(at_desk(story, "testimonials/?show=no").locator("main")).to_contain_text("taken back")


def permission_is_asked_for_at_once(story):
    """The owner switches the question on, without its days of waiting."""
    desk = at_desk(story, "messages/journeys/testimonial/")
    desk.get_by_label("Switched on").check()
    desk.get_by_label("How long after").fill("0")
    expect(desk.locator("#coming")).to_contain_text("How long after: at once.")
    publish(desk)


def bea_allows_it(story, phone):
    phone.goto(link_in(letter_to(story, BEA, "May we show your words?"), "t"))
    expect(phone.get_by_label("Your words")).to_have_value(KIND)
    expect(phone.get_by_text("I can take it back at any time")).to_be_visible()
    story.picture(phone, "words-1-permission")
    press(phone, "Yes, you may show it")
    expect(phone.get_by_text("You allowed us to show these words")).to_be_visible()


def the_owner_shows_it(story):
    desk = at_desk(story, "testimonials/")
    expect(desk.get_by_text(KIND)).to_be_visible()
    fits(story, "words-2-decide")
    desk.get_by_role("button", name="Show", exact=True).click()
    expect(desk.get_by_text("It is shown now.")).to_be_visible()


def feed(story):
    answer = httpx.get(f"{story.shop.url}/w/rosewater/testimonials.json", timeout=60)
    return answer.raise_for_status().json()["testimonials"]


# -- A message by hand --


def test_a_segment_is_written_to_and_asked_at_the_counter(story):
    inside(story, regulars)
    a_segment_is_made(story)
    hello = a_message_of_ones_own(story, "Hello by mail", {"0": "email", "1": ""})
    sent(story, hello, reached=REGULARS - 1, of=REGULARS, why="No e-mail address or phone number is known.")
    until(lambda: len(letters(story)) == REGULARS - 1, what="a letter to each regular")
    visit = a_message_of_ones_own(story, "Hello in person", {"0": "visit", "1": ""})
    sent(story, visit, reached=1, of=REGULARS, why="")
    the_pages_of_what_is_to_come_open(story)
    noor_is_asked_at_the_counter(story)
    assert len(letters(story)) == len({mail.to for mail in letters(story)}) == REGULARS - 1


def letters(story):
    return [mail for mail in story.stack.mail.accepted if mail.to.startswith("regular")]


def regulars(store, at):
    """Twelve people who never answered anything; Noor left no address."""
    for number in range(REGULARS - 1):
        person = Person(f"Regular Number{number}", f"regular{number}@example.com", consent={"email": True})
        find_or_create_customer(store, person, at=at, source="till")
    find_or_create_customer(store, Person("Noor Haddad", external_id="noor"), at=at, source="till")


def a_segment_is_made(story):
    """How many, and ten of them, before it is saved."""
    desk = at_desk(story, "customers/segments/new/")
    desk.get_by_label("Name").fill("Quiet regulars")
    desk.locator("#add").select_option(label="Last answer")
    press(desk, "Add")
    desk.get_by_label("Last answer").select_option(label="Has never answered")
    look = desk.locator("#beside")
    expect(look.locator(".how-many")).to_have_text(f"{REGULARS} customers")
    expect(look).to_contain_text("Ten of them")
    expect(look.locator("a.person")).to_have_count(10)
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("Saved. Who belongs to it")).to_be_visible()
    fits(story, "segment-1")


def publish(desk):
    """What the page has just said it changes."""
    desk.get_by_role("button", name="Publish", exact=True).click()
    expect(desk.get_by_text("Published: it holds from now on")).to_be_visible()


def a_message_of_ones_own(story, name, ways):
    """Written, given its way, switched on; its name on the page to send."""
    desk = at_desk(story, "messages/journeys/new/")
    desk.get_by_label("Name").fill(name)
    press(desk, "Go on to its words")
    expect(desk.get_by_text("Here it is, switched off")).to_be_visible()
    desk.get_by_label("Switched on").check()
    for place, way in ways.items():
        desk.locator(f"#id_way_{place}").select_option(way)
    expect(desk.locator("#coming")).to_contain_text(f"Ways: {Way(ways['0']).label}. Before:")
    publish(desk)
    return name


def sent(story, name, *, reached, of, why):
    """Forecast, the press of the button, progress, done."""
    desk = at_desk(story, "messages/send/")
    desk.get_by_label("Which message?").select_option(label=name)
    desk.get_by_label("To whom?").select_option(label="Quiet regulars")
    press(desk, "Whom does it reach?")
    people = f"{reached} person" if reached == 1 else f"{reached} people"
    expect(desk.locator(".how-many")).to_have_text(people)
    expect(desk.get_by_text(f"of {of} you chose")).to_be_visible()
    expect(desk.locator("main")).to_contain_text(why)
    fits(story, f"send-{reached}-forecast")
    press(desk, f"Send to {people}")
    expect(desk.locator("#sending")).to_be_visible()

    def is_done():
        desk.reload()
        return desk.get_by_role("heading", name="Done", exact=True).is_visible()

    until(is_done, what=f"{name} is sent")
    expect(desk.locator("dl.reasons dd").first).to_have_text(f"{reached}")
    fits(story, f"send-{reached}-done")


def the_pages_of_what_is_to_come_open(story):
    desk = at_desk(story, "messages/calendar/")
    expect(desk.get_by_role("heading", name="Calendar")).to_be_visible()
    fits(story, "calendar")
    at_desk(story, "tasks/?show=visit")
    expect(desk.get_by_role("heading", name="Noor Haddad")).to_be_visible()
    fits(story, "tasks")


def noor_is_asked_at_the_counter(story):
    """Ticked off, undone, ticked off."""
    till = story.visitors.new(viewport={"width": 1024, "height": 768}, storage_state=story.cookies("staff"))
    till.goto(f"{story.shop.url}/c/rosewater/")
    till.get_by_role("link", name="Whom to ask in person").click()
    expect(till.get_by_role("heading", name="Noor H.")).to_be_visible()
    story.picture(till, "counter-1-ask")
    till.get_by_role("button", name="Asked").click()
    expect(till.get_by_text("Thank you for asking")).to_be_visible()
    expect(till.get_by_role("heading", name="Noor H.")).to_have_count(0)
    press(till, "Undo")
    expect(till.get_by_role("heading", name="Noor H.")).to_be_visible()
    till.get_by_role("button", name="Asked").click()
    expect(till.get_by_text("Nobody is to be asked in person now.")).to_be_visible()
