import gzip
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from customers.services import Person
from referrals.models import Program, Referral, ShareLink
from referrals.services import attribution, claims, deciding, links, programs
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Tier, Voucher
from stores import tokens

AMOUNT = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=150_00)


@pytest.fixture
def url(store, share_link):
    return f"/me/{tokens.make(tokens.Purpose.SHARE, store.pk, share_link.customer)}"


@pytest.fixture
def befriend(store, share_link, make_order, now):
    """A function that makes a friend of Sara's who bought; counted when `counted`."""

    def make(name, *, counted=True):
        email = f"{name.split()[0].lower()}@example.com"
        claims.claim(share_link, Person(name, email), at=now)
        order = make_order(email, name=name, days_ago=-0.1, recorded=now)
        referral = attribution.attribute_order(order, at=now)
        if counted:
            deciding.approve_referral(referral, at=now + timedelta(days=20))
        return referral

    return make


def text_of(client, url):
    page = client.get(url)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", page.content.decode())


def test_it_shows_both_gifts_the_code_and_the_buttons(client, url, share_link):
    text = text_of(client, url)
    assert "Sara, give your friends a gift, and get one too" in text
    assert share_link.code in text
    for start in ("https://wa.me/?text=", "https://t.me/share/url?url=", "sms:?&amp;body=", "mailto:?subject="):
        assert f'href="{start}' in text, start
    assert "<svg" in text
    assert "javascript:" not in text
    assert "onclick" not in text


def test_the_prefilled_words_give_first_and_say_that_the_sender_gains(client, url, share_link):
    words = unquote(re.search(r'href="https://wa.me/\?text=([^"]+)"', client.get(url).content.decode())[1])
    assert words.index("10% off on your first order") < words.index("I get 10% off too")
    assert words.endswith(f"http://testserver/r/{share_link.code}")


def test_no_friends_yet(client, url):
    text = text_of(client, url)
    assert "Nobody yet" in text
    assert "Nothing yet" in text
    assert "1 friend to go: 10% off" in text


def test_friends_are_shown_by_short_name_with_their_state(client, store, url, befriend, share_link, now):
    befriend("Bea Cruz")
    befriend("Arash Nik", counted=False)
    claims.claim(share_link, Person("Jun Reyes", "jun@example.com"), at=timezone.now())
    text = text_of(client, url)
    for words in ("Bea C.", "Counted", "Arash N.", "Bought", "counts on", "Jun R.", "Took your gift"):
        assert words in text, words
    for hidden in ("Cruz", "bea@example.com", "Reyes"):
        assert hidden not in text, hidden


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("refunded", "Order returned"),
        ("cancelled", "Order cancelled"),
        ("known_customer", "Already knew the shop"),
        ("own_code", "Your own order"),
        ("undone", "Order taken back"),
        ("paused", "Program was paused"),
        ("staff", "Did not count"),
        ("full", "All places taken"),
        ("too_small", "A smaller purchase"),
        ("other_products", "Other products"),
        ("household", "Same household"),
        ("checks", "Did not count"),
        ("blocked", "Did not count"),
        ("limit", "Above the limit"),
        ("merged", "Same person"),
        ("replaced", "Somebody else&#x27;s friend"),
    ],
)
def test_a_friend_who_did_not_count_says_why(client, store, url, befriend, reason, words):
    befriend("Bea Cruz", counted=False)
    Referral.objects.for_store(store).update(status="voided", reason=reason)
    assert words in text_of(client, url)


def test_a_guest_and_an_erased_friend_have_no_name(client, store, url, befriend):
    befriend("Bea Cruz")
    Customer.objects.for_store(store).filter(name="Bea Cruz").update(name="", erased_at=timezone.now())
    assert "A friend" in text_of(client, url)


def test_rewards_have_code_and_end(client, store, url, befriend):
    befriend("Bea Cruz")
    voucher = Voucher.objects.for_store(store).get(reward__side="advocate")
    code = f"{voucher.code[:4]}-{voucher.code[4:8]}-{voucher.code[8:]}"
    assert code in text_of(client, url)
    assert "until " in text_of(client, url)
    Voucher.objects.for_store(store).filter(pk=voucher.pk).update(status="redeemed")
    text = text_of(client, url)
    assert code not in text  # a used code is no use to anybody
    assert "used" in text


def test_store_credit_shows_balance_and_code(client, store, url, befriend, now):
    terms = ProgramTerms(
        "P", AMOUNT, [TierTerms(1, Tier.Gives.EACH, AMOUNT), TierTerms(3, Tier.Gives.ONCE, AMOUNT, "Gold")]
    )
    change_program(program_of(store), terms, by=None, at=now)
    befriend("Bea Cruz")
    text = text_of(client, url)
    assert "Store credit" in text
    assert "150" in text
    assert Voucher.objects.for_store(store).get(kind="credit", customer__name="Sara Ahmadi").code[:4] in text
    assert "2 friends to go" in text
    assert "Gold" in text


def test_it_shows_nobody_elses_friends_or_codes(client, store, url, make_customer, now, make_order):
    other = links.share_link_of(make_customer("Nina Other", "nina@example.com"), at=now)
    claims.claim(other, Person("Zoe Hidden", "zoe@example.com"), at=now)
    text = text_of(client, url)
    assert "Zoe" not in text
    assert other.code not in text
    assert Voucher.objects.for_store(store).get().code[:4] not in text


def test_openings_are_counted_without_bots(client, store, url, share_link):
    now = timezone.now()
    links.record_visit(share_link, visitor="a", is_bot=False, at=now)
    links.record_visit(share_link, visitor="b", is_bot=True, at=now)
    assert "Your link was opened 1 time" in text_of(client, url)


def test_a_paused_program_keeps_what_was_earned(client, store, url, befriend, now):
    befriend("Bea Cruz")
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=now)
    text = text_of(client, url)
    assert "The program is resting" in text
    assert "https://wa.me/" not in text
    assert "Bea C." in text


def test_the_terms_and_the_way_out_are_there(client, url):
    text = text_of(client, url)
    assert "The terms" in text
    assert "14 days after it was placed" in text
    assert "/u/" in text


@pytest.mark.parametrize("token", ["x", "é", "A" * 4096, "A-_A"])
def test_a_bad_token_is_a_friendly_404(client, store, token):
    assert client.get(f"/me/{token}").status_code == 404
    assert client.post(f"/me/{token}/shared").status_code == 404


def test_a_survey_or_unsubscribe_token_does_not_open_it(client, store, share_link):
    for purpose in (tokens.Purpose.SURVEY, tokens.Purpose.UNSUBSCRIBE):
        assert client.get(f"/me/{tokens.make(purpose, store.pk, share_link.customer)}").status_code == 404


def test_another_stores_customer_is_not_found(client, store, other_store, share_link):
    assert (
        client.get(f"/me/{tokens.make(tokens.Purpose.SHARE, other_store.pk, share_link.customer)}").status_code == 404
    )


def test_an_erased_person_has_no_page(client, store, url):
    Customer.objects.for_store(store).update(erased_at=timezone.now())
    assert client.get(url).status_code == 404
    assert client.post(f"{url}/shared").status_code == 404


def test_the_page_is_private(client, url):
    page = client.get(url)
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"


def test_a_tap_is_noted_once_without_any_cookie(store, url):
    client = Client(enforce_csrf_checks=True)
    assert client.post(f"{url}/shared", b"", content_type="text/plain").status_code == 204
    first = ShareLink.objects.for_store(store).get().shared_at
    assert first
    client.post(f"{url}/shared")
    assert ShareLink.objects.for_store(store).get().shared_at == first


def test_looking_is_not_sharing(client, store, url):
    client.get(url)
    assert client.get(f"{url}/shared").status_code == 405
    assert client.post(url).status_code == 405
    assert ShareLink.objects.for_store(store).get().shared_at is None


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u202eevil", "🎁" * 200, "A" * 200, ""])
def test_odd_names_do_no_harm(client, store, url, befriend, name):
    befriend("Bea Cruz")
    Customer.objects.for_store(store).update(name=name)
    text = text_of(client, url)
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "A" * 30 not in text


def test_queries_do_not_grow_with_friends(client, url, befriend, django_assert_max_num_queries):
    befriend("Bea Cruz")
    with django_assert_max_num_queries(21) as few:
        client.get(url)
    for number in range(8):
        befriend(f"Friend{number} Last")
    with django_assert_max_num_queries(len(few)):
        client.get(url)


def test_the_first_load_stays_under_60_kb(client, url, befriend):
    """Everything a phone fetches for the Persian page, as WhiteNoise and the page itself compress it."""
    for number in range(5):
        befriend(f"Friend{number} Last")
    page = client.get(f"{url}?lang=fa", headers={"accept-encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    html = gzip.decompress(page.content).decode()
    files = set(re.findall(r'(?:src|href)="/static/([^"#]+)', html)) | {"vendor/vazirmatn.woff2"}
    sizes = {name: Path(finders.find(name)).read_bytes() for name in files}
    total = len(page.content) + sum(
        len(body) if name.endswith(".woff2") else len(gzip.compress(body)) for name, body in sizes.items()
    )
    assert total <= 60 * 1024, {name: len(gzip.compress(body)) for name, body in sizes.items()}
    assert len(re.findall(r'<link rel="stylesheet"', html)) == 1  # the page and this: two requests before paint
    assert not re.findall(r"<script(?![^>]* defer)", html)
