"""On the shop's own site: one small script, frames that stand there and nowhere else, and no cookie."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer, Product
from customers.services import Person
from referrals.fraud import blocks
from referrals.models import Block, PrintRun, Program, Visit
from referrals.services import claims, links, prints, programs
from referrals.services.programs import program_of
from stores.framing import origin_of, origins_of
from stores.models import AuditEvent, Store
from stores.rules import READABLE, contrast_with_white
from surveys.models import Survey
from surveys.services import testimonials
from tests.referrals.print_world import printed

SCRIPT = "/w/rosewater.js"
FRAMES = ["banner", "share", "testimonials"]
PAGE = "/d/rosewater/materials/site/"


@pytest.fixture
def shop(store):
    """The store with its own site at two addresses."""
    Store.objects.filter(pk=store.pk).update(
        website="https://shop.example/start", site_addresses=["https://blog.example"]
    )
    store.refresh_from_db()
    return store


def text_of(page) -> str:
    assert page.status_code == 200
    return page.content.decode()


# -- The script --


def test_the_script_is_under_3_kb_and_may_be_kept(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        page = client.get(SCRIPT)
    assert page["Content-Type"] == "text/javascript; charset=utf-8"
    assert len(page.content) < 3 * 1024
    assert page["Cache-Control"] == "public, max-age=3600"
    assert not page.cookies
    assert client.get(SCRIPT, headers={"if-none-match": page["ETag"]}).status_code == 304


# -- The frames --


@pytest.mark.parametrize("kind", FRAMES)
def test_only_the_shops_own_site_may_frame_it(client, shop, kind):
    page = client.get(f"/w/rosewater/{kind}/?lang=fa")
    policy = page["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example https://blog.example;" in policy + ";"
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert "X-Frame-Options" not in page
    assert 'data-parents="https://shop.example https://blog.example"' in text_of(page)


@pytest.mark.parametrize("kind", [*FRAMES, "survey"])
def test_a_frame_sets_no_cookie_and_is_the_same_for_everybody(client, shop, kind):
    Survey.objects.create(store=shop, name="Site", occasion="widget", question="nps")
    page = client.get(f"/w/rosewater/{kind}/?lang=fil")
    assert page.status_code == 200
    assert not page.cookies
    if kind != "survey":
        assert page["Cache-Control"] == "public, max-age=300"
        assert "Cookie" not in page.get("Vary", "")
        persian = Client(headers={"accept-language": "fa"})
        persian.cookies["lang"] = "fa"
        assert persian.get(f"/w/rosewater/{kind}/?lang=fil").content == page.content
        assert persian.get(f"/w/rosewater/{kind}/")["Content-Language"] == shop.locale


@pytest.mark.parametrize("kind", FRAMES)
def test_an_unknown_shop_has_nothing(client, store, kind):
    page = client.get(f"/w/nobody/{kind}/")
    assert page.status_code == 404
    assert page["X-Frame-Options"] == "DENY"


def test_it_has_the_stores_colour_dark_enough_for_white_words(client, shop):
    for color in ("#7a1f5c", "#ffe066"):
        Store.objects.filter(pk=shop.pk).update(brand_color=color)
        shown = re.search(r"--brand: (#[0-9a-f]{6})", text_of(client.get("/w/rosewater/banner/")))[1]
        assert contrast_with_white(shown) >= READABLE
        assert (shown == color) == (color == "#7a1f5c")


def test_a_passer_by_sees_what_both_sides_get(client, shop):
    text = text_of(client.get("/w/rosewater/banner/"))
    assert "For your friend: 10% off. For you: 10% off." in text
    assert "Get my link" not in text
    run = prints.open_site(shop, name="On your site", by=None, at=timezone.now())
    for kind in ("banner", "share"):
        text = text_of(client.get(f"/w/rosewater/{kind}/"))
        assert f'href="http://testserver/j/{run.code}"' in text
        assert "Get my link" in text


def test_who_came_by_a_friends_link_sees_that_gift(client, shop, share_link):
    visit = links.record_visit(share_link, visitor="v", is_bot=False, at=timezone.now())
    page = client.get(f"/w/rosewater/banner/?visit={visit.token}")
    assert "A gift for you from Sara" in text_of(page)
    assert share_link.code in text_of(page)
    assert "Ahmadi" not in text_of(page)
    assert page["Cache-Control"] == "private, max-age=300"
    assert Visit.objects.for_store(shop).count() == 1
    assert "from Sara" not in text_of(client.get("/w/rosewater/banner/?visit=nobody"))


def test_a_customer_of_the_shop_shares_their_own_link(client, shop, share_link):
    text = text_of(client.get(f"/w/rosewater/share/?code={share_link.code.lower()}"))
    assert f'data-url="http://testserver/r/{share_link.code}"' in text
    for hidden in ("Sara,", "Ahmadi", "sara@example.com", "/me/"):
        assert hidden not in text


@pytest.mark.parametrize("kind", ["banner", "share"])
def test_another_stores_code_is_unknown_here(client, shop, other_store, share_link, kind):
    text = text_of(client.get(f"/w/elsewhere/{kind}/?code={share_link.code}"))
    assert share_link.code not in text


@pytest.mark.parametrize("gone", ["erased", "blocked"])
def test_nobody_is_shown_who_is_forgotten_or_blocked(client, shop, share_link, gone):
    if gone == "erased":
        Customer.objects.for_store(shop).update(erased_at=timezone.now())
    else:
        sara = blocks.Suspect(Block.What.EMAIL, "sara@example.com", "s…@example.com")
        blocks.block(shop, sara, reason="", by=None, at=timezone.now())
    for kind in ("banner", "share"):
        assert share_link.code not in text_of(client.get(f"/w/rosewater/{kind}/?code={share_link.code}"))


@pytest.mark.parametrize("kind", ["banner", "share"])
def test_a_resting_program_leaves_no_room(client, shop, share_link, kind):
    programs.set_status(program_of(shop), Program.Status.PAUSED, by=None, at=timezone.now())
    text = text_of(client.get(f"/w/rosewater/{kind}/?code={share_link.code}"))
    assert "data-empty" in text
    assert share_link.code not in text


def test_without_kind_words_there_is_no_room_for_them(client, shop, monkeypatch):
    assert "data-empty" in text_of(client.get("/w/rosewater/testimonials/"))
    said = testimonials.Words("The best coffee in town.", "Bea C.", "en", False)
    monkeypatch.setattr(testimonials, "feed", lambda store, number: [said])
    text = text_of(client.get("/w/rosewater/testimonials/"))
    assert "The best coffee in town." in text
    assert "These are not all reviews" in text
    assert "data-empty" not in text


@pytest.mark.parametrize("kind", ["banner", "share"])
def test_the_frames_cost_the_same_however_much_there_is(
    client, shop, share_link, django_assert_max_num_queries, now, kind
):
    asked = f"/w/rosewater/{kind}/?code={share_link.code}"
    client.get(asked)
    with django_assert_max_num_queries(14) as few:
        client.get(asked)
    for number in range(10):
        claims.claim(share_link, Person(f"Friend {number}", f"f{number}@example.com"), at=now)
        links.record_visit(share_link, visitor=f"v{number}", is_bot=False, at=now + timedelta(hours=number))
    with django_assert_max_num_queries(len(few)):
        client.get(asked)


# -- Addresses --


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Shop.Example/path?q=1", "https://shop.example"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("https://me:secret@shop.example", ""),
        ("https://shop.example; script-src *", ""),
        ("https://*", ""),
        ("https://[::1]/", ""),
        ("https://[", ""),
        ("javascript:alert(1)", ""),
        ("//shop.example", ""),
        ("", ""),
    ],
)
def test_an_address_adds_no_word_to_the_header(address, origin):
    assert origin_of(address) == origin
    assert origins_of(Store(website=address)) == ([origin] if origin else [])


def test_a_manager_adds_addresses(manager, client, shop):
    answer = manager.post(PAGE, {"addresses": "Blog.example/news\n https://blog.example \nhttp://localhost:8000"})
    assert answer.status_code == 302
    shop.refresh_from_db()
    assert shop.site_addresses == ["https://blog.example", "http://localhost:8000"]
    policy = client.get("/w/rosewater/banner/")["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example https://blog.example http://localhost:8000" in policy
    assert AuditEvent.objects.for_store(shop).filter(action="settings.changed").count() == 1


@pytest.mark.parametrize("typed", ["shop", "https://*.example", "https://a.example;x", "\n".join(["a.example"] * 11)])
def test_what_is_no_address_stays_typed_and_changes_nothing(manager, shop, typed):
    answer = manager.post(PAGE, {"addresses": typed})
    assert answer.status_code == 422
    assert typed.splitlines()[0] in answer.content.decode()
    shop.refresh_from_db()
    assert shop.site_addresses == ["https://blog.example"]


# -- The owner's page, and the example --


def test_the_page_has_the_lines_to_copy_and_shows_them(manager, shop):
    text = text_of(manager.get(PAGE))
    assert "&lt;script src=&quot;http://testserver/w/rosewater.js&quot; async&gt;" in text
    assert '<div data-goodword="banner" data-lang="en" data-title="Banner"></div>' in text
    assert f'<script src="{SCRIPT}" async></script>' in text


def test_the_question_is_offered_once_there_is_one(manager, shop):
    assert "Set up a question for your site first" in text_of(manager.get(PAGE))
    Survey.objects.create(store=shop, name="Site", occasion="widget", question="nps")
    text = text_of(manager.get(PAGE))
    assert '<div data-goodword="survey" data-lang="en" data-title="Question"></div>' in text


def test_links_from_the_site_are_counted_as_one_invitation(manager, shop):
    for _ in range(2):
        assert manager.post(PAGE, {"step": "open"}).status_code == 302
    run = PrintRun.objects.for_store(shop).get()
    assert (run.on_site, run.whom) == (True, PrintRun.Whom.STORE)
    assert f"/materials/{run.public_id}/" in text_of(manager.get(PAGE))


def test_the_page_costs_the_same_however_much_was_printed(manager, shop, django_assert_max_num_queries):
    prints.open_site(shop, name="On your site", by=None, at=timezone.now())
    manager.get(PAGE)
    with django_assert_max_num_queries(16) as few:
        manager.get(PAGE)
    for number in range(10):
        printed(shop, at=timezone.now(), name=f"Poster {number}")
    with django_assert_max_num_queries(len(few)):
        manager.get(PAGE)


def test_a_resting_program_opens_no_invitation(manager, shop):
    programs.set_status(program_of(shop), Program.Status.PAUSED, by=None, at=timezone.now())
    manager.post(PAGE, {"step": "open"})
    assert not PrintRun.objects.for_store(shop).exists()


def test_the_example_shop_is_only_for_demos(client, shop, settings):
    assert client.get("/demo-shop/rosewater").status_code == 404
    settings.DEMO = True
    Product.objects.create(store=shop, sku="MUG-1", name="Mug")
    text = text_of(client.get("/demo-shop/rosewater?lang=en"))
    assert "An example: this shop is made up" in text
    assert f'src="{SCRIPT}"' in text
    for kind in FRAMES:
        assert f'data-goodword="{kind}"' in text
    assert "Mug" in text
    assert client.get("/demo-shop/nobody").status_code == 404
