"""The pages of share materials: an empty list, a form that shows what it makes, files, what each run brought."""

import re
from base64 import b64decode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals import audiences
from referrals.materials import drawing, words
from referrals.models import PrintRun, ShareLink
from referrals.services import links, prints
from stores.models import Location, Membership
from tests.conftest import NOW
from tests.referrals.journey_world import pause, refer
from tests.referrals.print_world import Material, Whom, addresses, page_sizes, picture, printed

CHOSEN = {"material": "poster", "language": "en", "whom": "store", "copies": "10", "days": "", "cost": "", "name": ""}
HTMX = {"hx-request": "true"}


@pytest.fixture
def url(store):
    def make(name="materials", *args):
        return reverse(f"referrals:{name}", args=[store.slug, *args])

    return make


@pytest.fixture
def poster(store):
    return printed(store, Material.POSTER, name="Market in May")


def made(store) -> PrintRun:
    return PrintRun.objects.for_store(store).get()


def preview_of(page: str):
    found = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert found
    return picture(b64decode(found[1]))


# -- The list --


def test_nothing_yet(manager, url):
    page = manager.get(url()).content.decode()
    assert "Nothing printed yet" in page
    assert url("new_material") in page


def test_it_stands_in_the_side_bar(manager, url, store):
    page = manager.get(reverse("insights:home", args=[store.slug])).content.decode()
    assert f'href="{url()}"' in page


def test_the_list_says_what_each_brought(manager, url, store, poster):
    prints.record_scan(poster, visitor="v", is_bot=False, at=NOW)
    page = manager.get(url()).content.decode()
    assert "Market in May" in page
    assert "Which print do people scan?" in page


def test_the_list_costs_the_same_however_long(manager, url, store, share_link):
    def statements():
        with CaptureQueriesContext(connection) as caught:
            manager.get(url())
        return len(caught)

    runs = [printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, copies=1)]
    refer(prints.links_of(runs[0])[0], "Ann")
    few = statements()
    for number in range(5):
        runs.append(printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, copies=2))
        refer(prints.links_of(runs[-1])[0], f"Bea{number}")
    assert statements() == few


def test_older_ones_are_on_the_next_page(manager, url, store, monkeypatch):
    monkeypatch.setattr("stores.lists.PAGE", 2)
    for _ in range(2):
        printed(store, Material.POSTER)
    assert "Older ones" not in manager.get(url()).content.decode()


# -- A new one --


def test_the_form_begins_with_a_picture(manager, url):
    answer = manager.get(url("new_material"))
    assert answer.status_code == 200
    assert preview_of(answer.content.decode()).width > 500


def test_a_link_from_a_customers_page_fills_the_form(manager, url, share_link):
    customer = share_link.customer
    there = manager.get(reverse("insights:customer", args=[customer.store.slug, customer.public_id])).content.decode()
    asked = f"{url('new_material')}?customer={customer.public_id}"
    assert asked in there
    page = manager.get(asked).content.decode()
    assert 'value="sara@example.com"' in page


@pytest.mark.parametrize("material", list(Material))
def test_each_material_is_shown_before_it_is_made(manager, url, material):
    answer = manager.post(url("preview_material"), {**CHOSEN, "material": material, "language": "fa"}, headers=HTMX)
    shape = drawing.SHAPES[material]
    width, height = preview_of(answer.content.decode()).size
    assert width / height == pytest.approx(shape.width / shape.height, abs=0.01)
    assert not PrintRun.objects.exists()


def test_the_preview_leads_nowhere(manager, url, client):
    page = manager.post(url("preview_material"), {**CHOSEN, "material": "square"}).content.decode()
    assert "/j/PREVIEW" in page
    assert client.get("/j/PREVIEW").status_code == 404


def test_the_preview_bears_with_what_is_not_finished(manager, url):
    for typed in ({}, {"material": "nonsense", "copies": "many"}, {**CHOSEN, "whom": "customer"}):
        assert manager.post(url("preview_material"), typed).status_code == 200


def test_looking_without_script_makes_nothing(manager, url):
    answer = manager.post(url("new_material"), {**CHOSEN, "step": "look", "name": "Kept"})
    assert 'value="Kept"' in answer.content.decode()
    assert not PrintRun.objects.exists()


def test_it_is_made(manager, url, store):
    answer = manager.post(url("new_material"), {**CHOSEN, "cost": "1,250", "days": "90", "name": "Fair"})
    run = made(store)
    assert answer.url == url("material", run.public_id)
    assert (run.name, run.copies, run.cost_minor, run.by) == ("Fair", 10, 125_000, manager.user)
    assert (run.expires_at - run.made_at).days == 90


def test_persian_digits_are_read(manager, url, store):
    manager.post(url("new_material"), {**CHOSEN, "copies": "۲۴", "cost": "۵۰۰"})
    assert (made(store).copies, made(store).cost_minor) == (24, 50_000)


def test_for_a_branch_and_for_staff(manager, url, store):
    branch = Location.objects.create(store=store, code="makati", name="Makati")
    member = Membership.objects.for_store(store).get(user=manager.user)
    manager.post(url("new_material"), {**CHOSEN, "whom": f"location:{branch.pk}"})
    assert (made(store).location, made(store).name) == (branch, "Poster, A4 · Makati")
    PrintRun.objects.all().delete()
    manager.post(url("new_material"), {**CHOSEN, "whom": f"staff:{member.user_id}"})
    assert (made(store).staff, made(store).is_gift) == (manager.user, False)


def test_for_a_customer_by_what_one_knows_of_them(manager, url, store, share_link):
    for typed in ("sara@example.com", share_link.code, "Sara"):
        manager.post(
            url("new_material"), {**CHOSEN, "material": "cards", "whom": "customer", "customer": typed, "copies": "2"}
        )
    runs = PrintRun.objects.for_store(store)
    assert [run.links.count() for run in runs] == [2, 2, 2]


def test_for_a_segment_a_job_begins(manager, url, store, share_link):
    segment = audiences.save(store, name="Buyers", conditions=[{"fact": "bought_within", "value": 3650}], at=NOW)
    typed = {**CHOSEN, "material": "cards", "whom": f"segment:{segment.pk}", "copies": "1"}
    manager.post(url("new_material"), typed)
    run = made(store)
    page = manager.get(url("material", run.public_id)).content.decode()
    assert "Being made: 0 of 1" in page
    assert "every 2s" in page
    prints.work(store, prints.job_of(run).pk)
    part = manager.get(url("material", run.public_id), headers=HTMX).content.decode()
    assert "every 2s" not in part
    assert "<html" not in part
    document = manager.get(url("material_file", run.public_id)).content
    (link,) = ShareLink.objects.for_store(store).filter(run=run)
    assert addresses(picture(drawing.png(document, run))) == [links.landing_url(link)]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"whom": "customer"}, "Write which customer it is for."),
        ({"whom": "customer", "customer": "nobody@example.com"}, "Nobody is found by this."),
        ({"whom": "staff:999999"}, "is not one of the available choices"),
        ({"copies": "0"}, "Write a whole number from 1 to 100000."),
        ({"cost": "much"}, "This is not an amount."),
        ({"material": "cards", "whom": "customer", "customer": "sara@example.com", "copies": "81"}, "80 at most"),
    ],
    ids=["nobody", "unknown", "another", "none", "words", "many"],
)
def test_it_says_how_to_mend_it_and_keeps_what_was_typed(manager, url, share_link, typed, says):
    answer = manager.post(url("new_material"), {**CHOSEN, "name": "Kept", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page
    assert 'value="Kept"' in page
    assert not PrintRun.objects.exists()


def test_two_of_one_name_are_told_apart(manager, url, make_customer):
    make_customer("Sara Ahmadi"), make_customer("Sara Reyes")
    answer = manager.post(url("new_material"), {**CHOSEN, "whom": "customer", "customer": "Sara"})
    assert "Several customers are called so" in answer.content.decode()


def test_posters_are_not_made_for_a_segment(manager, url, store):
    segment = audiences.save(store, name="Buyers", conditions=[{"fact": "bought_within", "value": 3650}], at=NOW)
    answer = manager.post(url("new_material"), {**CHOSEN, "whom": f"segment:{segment.pk}", "copies": "1"})
    assert "cards and parcel slips" in answer.content.decode()
    assert not PrintRun.objects.exists()


def test_another_stores_branch_cannot_be_chosen(manager, url, other_store):
    theirs = Location(store=other_store, code="x", name="Theirs")
    assert manager.post(url("new_material"), {**CHOSEN, "whom": f"location:{theirs.pk}"}).status_code == 422


def test_nothing_is_made_while_the_program_is_paused(manager, url, store):
    pause(store)
    answer = manager.post(url("new_material"), CHOSEN)
    assert answer.status_code == 422
    assert "No program runs for them" in answer.content.decode()
    assert not PrintRun.objects.exists()


# -- One run --


def test_its_files(manager, url, store, poster):
    document = manager.get(url("material_file", poster.public_id))
    assert document["Content-Type"] == "application/pdf"
    assert document["Content-Disposition"] == 'attachment; filename="rosewater-poster-en.pdf"'
    assert page_sizes(document.content) == [(210, 297)]
    image = manager.get(url("material_file", poster.public_id), {"format": "png"})
    assert addresses(picture(image.content)) == [words.joining_url(poster)]
    text = manager.get(url("material_file", poster.public_id), {"format": "txt"})
    assert words.joining_url(poster) in text.content.decode()


@pytest.mark.parametrize("asked", [{"format": "exe"}, {"format": "png", "page": "2"}, {"format": "png", "page": "x"}])
def test_files_that_are_not_there(manager, url, poster, asked):
    assert manager.get(url("material_file", poster.public_id), asked).status_code == 404


def test_it_says_what_it_brought(manager, url, store, poster):
    prints.record_scan(poster, visitor="v", is_bot=False, at=NOW)
    page = manager.get(url("material", poster.public_id)).content.decode()
    for said in ("What did it bring?", "Scanned it", "Got a link of their own", poster.code, "not told"):
        assert said in page


def test_while_the_program_rests_its_files_wait(manager, url, store, poster):
    pause(store)
    answer = manager.get(url("material_file", poster.public_id))
    assert answer.url == url("material", poster.public_id)
    assert "No program runs for them" in manager.get(answer.url).content.decode()


def test_without_pango_the_pages_say_so(manager, url, store, poster, monkeypatch):
    monkeypatch.setattr(drawing, "paper", None)
    for page in (url("new_material"), url("material", poster.public_id)):
        assert "the library Pango is missing" in manager.get(page).content.decode()
    assert manager.get(url("material_file", poster.public_id)).status_code == 302


def test_only_large_runs_are_drawn_again(manager, url, poster):
    assert manager.post(url("draw_again", poster.public_id)).status_code == 404


def test_a_large_run_is_stopped_and_drawn_again(manager, url, store, share_link):
    segment = audiences.save(store, name="Buyers", conditions=[{"fact": "bought_within", "value": 3650}], at=NOW)
    run = printed(store, Material.CARDS, Whom.SEGMENT, segment=segment)
    manager.post(url("stop_material", run.public_id))
    assert prints.job_of(run).state == "stopped"
    assert "There is nobody in this segment" in manager.get(url("material", run.public_id)).content.decode()
    manager.post(url("draw_again", run.public_id))
    assert prints.job_of(run).data["again"]


@pytest.mark.parametrize("language", ["fa", "fil"])
def test_the_pages_are_there_in_every_language(manager, url, poster, language):
    for page in (url(), url("new_material"), url("material", poster.public_id)):
        assert manager.get(page, {"lang": language}).status_code == 200


def test_a_stranger_finds_no_run(stranger, url, poster):
    for name in ("material", "material_file"):
        assert stranger.get(url(name, poster.public_id)).status_code == 404
