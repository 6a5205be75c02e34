"""Every material in every language: on paper of its size, complete, and its code read back from the picture."""

import pytest
from django.conf import settings

from referrals.materials import drawing, paper, words
from referrals.models import PrintRun
from referrals.services import prints
from referrals.services.programs import change_program, program_of
from referrals.services.terms import TierTerms
from rewards.models import Tier
from stores.models import Location
from tests.conftest import NOW
from tests.referrals.print_world import (
    Material,
    Whom,
    addresses,
    page_sizes,
    picture,
    printed,
    read,
    sheet,
    text_of,
)
from tests.referrals.program_world import CREDIT, PERCENT, terms_with

LANGUAGES = [code for code, _name in settings.LANGUAGES]
PAPER = {
    Material.CARDS: (210, 297),
    Material.POSTER: (210, 297),
    Material.SMALL_POSTER: (148, 210),
    Material.TENT: (210, 297),
    Material.PARCEL: (105, 148),
    Material.RECEIPT: (80, 120),
}
SCREEN = {
    Material.SQUARE: (1080, 1080),
    Material.STORY: (1080, 1920),
    Material.BANNER: (1200, 630),
    Material.SIGNATURE: (640, 220),
}
DPMM = 300 / 25.4
LONG = "Maximiliana Wolfeschlegelsteinhausenbergerdorff de la Concepción y Villanueva"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("material", list(Material))
def test_an_invitation_is_drawn_and_its_code_read_again(store, material, language):
    run = printed(store, material, language=language)
    document = prints.document(run, NOW)
    image = picture(drawing.png(document, run))
    if material in PAPER:
        assert page_sizes(document) == [PAPER[material]]
        assert image.size == pytest.approx([side * DPMM for side in PAPER[material]], abs=3)
    else:
        assert image.size == SCREEN[material]
        assert drawing.pages(document) == 1
    number = {Material.CARDS: 8, Material.TENT: 2}.get(material, 1)
    assert addresses(image) == [words.joining_url(run)] * number


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("material", [Material.CARDS, Material.POSTER, Material.PARCEL, Material.SIGNATURE])
def test_a_customers_gift_is_drawn_and_its_code_read_again(store, share_link, material, language):
    run = printed(store, material, Whom.CUSTOMER, customer=share_link.customer, copies=1, language=language)
    (link,) = prints.links_of(run)
    document = prints.document(run, NOW)
    image = picture(drawing.png(document, run))
    assert addresses(image) == [f"{settings.SITE_URL}/r/{link.code}"]
    assert link.code in text_of(document)


def test_every_card_has_a_code_of_its_own(store, share_link):
    run = printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, copies=11)
    document = prints.document(run, NOW)
    assert page_sizes(document) == [(210, 297)] * 2
    found = [address for page in (0, 1) for address in addresses(picture(drawing.png(document, run, page=page)))]
    assert sorted(found) == sorted(f"{settings.SITE_URL}/r/{link.code}" for link in prints.links_of(run))
    assert len(set(found)) == 11


@pytest.mark.parametrize("language", ["en", "fa"])
def test_codes_on_cards_are_large_enough_and_have_room_around(store, language):
    """25 mm and more of modules; nothing dark within four modules of them."""
    image = sheet(printed(store, language=language)).convert("L")
    for one in read(image):
        corner, other = one.position.top_left, one.position.bottom_right
        side = (other.x - corner.x) / DPMM
        assert side >= 25
        modules = 4 * (other.x - corner.x) / 33  # the most modules a short address takes
        around = (corner.x - modules, corner.y - modules, other.x + modules, other.y + modules)
        ring = image.crop([round(edge) for edge in around])
        inside = [
            round(modules) - 3,
            round(modules) - 3,
            ring.width - round(modules) + 3,
            ring.height - round(modules) + 3,
        ]
        ring.paste(255, inside)
        assert ring.getextrema()[0] > 128


def test_cards_are_85_by_55_and_stand_between_crop_lines(store):
    codes = read(sheet(printed(store)))
    step = [round((codes[1].position.top_left.x - codes[0].position.top_left.x) / DPMM)]
    step.append(round((codes[2].position.top_left.y - codes[0].position.top_left.y) / DPMM))
    assert step == [85, 55]
    page = sheet(printed(store)).convert("L")
    margin = round(20 * DPMM)
    for cut in (20, 105, 190):  # seen above the first row, where nothing but a crop line stands
        strip = page.crop((round(cut * DPMM) - 6, round(31 * DPMM), round(cut * DPMM) + 6, round(37 * DPMM)))
        assert strip.getextrema()[0] < 200
    assert page.crop((0, 0, margin - 100, page.height)).resize((1, 1)).getextrema()[0] > 250


@pytest.mark.parametrize(
    ("language", "words_on_it"), [("en", "Bring a friend"), ("fa", ""), ("fil", "")], ids=["en", "fa", "fil"]
)
def test_the_text_of_a_poster_can_be_copied(store, language, words_on_it):
    run = printed(store, Material.POSTER, language=language)
    text = text_of(prints.document(run, NOW))
    assert words_on_it in text
    assert run.code in text


def test_persian_digits_and_the_jalali_day_stand_on_persian_paper(store, share_link):
    run = printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, language="fa", days=30)
    (piece, *_) = prints.pieces_of(run, NOW)
    assert "۱۰٪" in piece.headline
    assert "۱۴۰۵" in piece.until
    assert not any(digit in piece.headline + piece.line + piece.until for digit in "0123456789")


@pytest.mark.parametrize("material", [Material.CARDS, Material.POSTER, Material.SMALL_POSTER, Material.SIGNATURE])
def test_long_names_leave_the_code_readable(store, make_customer, material):
    store.name = LONG
    customer = make_customer(LONG)
    customer.store = store
    run = printed(store, material, Whom.CUSTOMER, customer=customer, copies=1)
    assert len(addresses(sheet(run))) == 1


def test_a_name_is_text_and_nothing_else(store, make_customer, monkeypatch):
    """No markup of a name is obeyed, and nothing is fetched but our fonts."""
    asked: list[str] = []
    fetch = paper.OwnFiles.fetch
    monkeypatch.setattr(paper.OwnFiles, "fetch", lambda self, url, headers=None: asked.append(url) or fetch(self, url))
    customer = make_customer('<img/src="file:///etc/passwd"> Ahmadi')
    run = printed(store, Material.POSTER, Whom.CUSTOMER, customer=customer, copies=1)
    assert "<img" in text_of(prints.document(run, NOW))
    assert set(asked) <= {"font:regular", "font:bold"}


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/", "font:../../config/settings.py", "font:x"])
def test_nothing_else_is_fetched(url):
    with pytest.raises(ValueError, match="not ours"):
        paper.OwnFiles().fetch(url)


def test_a_branchs_paper_says_which(store):
    branch = Location.objects.create(store=store, code="makati", name="Makati")
    run = printed(store, Material.POSTER, Whom.LOCATION, location=branch)
    assert "Makati" in text_of(prints.document(run, NOW))


def test_receipts_fit_the_narrowest_paper(store):
    run = printed(store, Material.RECEIPT)
    (piece,) = prints.pieces_of(run, NOW)
    lines = words.as_text(run, piece).splitlines()
    assert piece.url in lines
    assert all(len(line) <= 32 for line in lines if line != piece.url)


def test_without_pango_it_says_so(store, monkeypatch):
    monkeypatch.setattr(drawing, "paper", None)
    with pytest.raises(drawing.CannotDraw):
        prints.document(printed(store), NOW)


def test_a_page_that_is_not_there(store):
    run = printed(store)
    with pytest.raises(IndexError):
        drawing.png(prints.document(run, NOW), run, page=1)


def test_every_material_has_a_shape():
    assert set(drawing.SHAPES) == set(PrintRun.Material)


def test_nothing_that_must_be_said_is_cut_off_a_crowded_card(store, make_customer):
    """Who passes on a gift and gains by it says so (RELIABILITY section 4), however long the names are."""
    store.name = LONG
    terms = terms_with(friend=PERCENT, tiers=[TierTerms(1, Tier.Gives.EACH, CREDIT)])
    change_program(program_of(store), terms, by=None, at=NOW)
    customer = make_customer(LONG)
    customer.store = store
    run = printed(store, Material.CARDS, Whom.CUSTOMER, customer=customer, copies=1, days=30)
    (piece,) = prints.pieces_of(run, NOW)
    assert piece.is_crowded
    page = sheet(run).convert("L")
    left, top = drawing.MARGIN_MM
    below = (left + 5, top + 49.5, left + 47, top + 54)  # the words end above the card's edge
    assert page.crop([round(edge * DPMM) for edge in below]).getextrema()[0] > 128
    text = text_of(prints.document(run, NOW))
    for said in (*piece.notes, piece.how, piece.until):
        assert said.split()[-1] in text
