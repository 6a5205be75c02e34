import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from outreach.models import Message
from referrals.models import Claim, Program, ShareLink, Visit
from referrals.public import limits
from referrals.services import links, programs
from referrals.services.programs import program_of
from referrals.services.terms import OfferTerms, terms_of
from rewards.models import Offer, Voucher
from stores.codes import spaced
from stores.models import Store

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"
GONE = "Nothing to see here right now"


@pytest.fixture
def client():
    return Client(headers={"user-agent": PHONE})


@pytest.fixture
def url(share_link):
    return f"/r/{share_link.code}"


def visits(store, *, bots=False):
    return Visit.objects.for_store(store).filter(is_bot=bots).count()


def claims_of(store):
    return Claim.objects.for_store(store).count()


def test_it_says_who_sent_what_until_when_and_how(client, url, share_link):
    text = client.get(url).content.decode()
    assert "A gift for you from Sara" in text
    assert "Ahmadi" not in text
    assert "sara@example.com" not in text
    assert "10% off" in text
    assert share_link.code in text
    assert "Take the gift" in text


def test_it_previews_well(client, url, share_link):
    text = client.get(url).content.decode()
    assert f'property="og:url" content="http://testserver/r/{share_link.code}"' in text
    assert "Sara sends you a gift: 10% off at Rosewater Café" in text


def spellings(code):
    plain = code.replace("-", "")
    return [
        code.lower(),
        plain,
        f" {code} ",
        "%20".join(plain),
        code.replace("-", "%2D").replace("A", "%41"),
        code.replace("-", "–"),
        plain.translate(str.maketrans("23456789", "۲۳۴۵۶۷۸۹")),
        plain.translate(str.maketrans("23456789", "٢٣٤٥٦٧٨٩")),
        f"{code}/",
        f"{code}?utm_source=x&next=//evil.example",
    ]


def test_spelling_never_matters(client, share_link):
    for spelling in spellings(share_link.code):
        assert client.get(f"/r/{spelling}").status_code == 200, spelling


def test_look_alikes_never_matter(client, store, make_customer, now):
    link = links.share_link_of(make_customer("Lilo Oi", "lilo@example.com"), at=now)
    assert link.code.startswith("LILO-")
    for spelling in (link.code.replace("O", "0", 1), link.code.replace("I", "1", 1), link.code.replace("L", "1", 1)):
        assert client.get(f"/r/{spelling}").status_code == 200, spelling


def unavailable(client, path):
    """The whole page without what the visitor typed."""
    page = client.get(path)
    assert page.status_code == 404, path
    text = page.content.decode()
    assert GONE in text
    return re.sub(r'href="[^"]*lang=[^"]*"', "", text), dict(page.headers).get("Content-Language")


def test_unknown_malformed_paused_and_erased_look_the_same(client, store, url, share_link, now):
    store_wide = Store.objects.filter(pk=store.pk)
    store_wide.update(locale="fa")
    seen = [unavailable(client, path) for path in ("/r/NOBODY-22222", "/r/x", "/r/%00", "/r/" + "A" * 4096, "/r/a/b/c")]
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=now)
    seen.append(unavailable(client, url))
    programs.set_status(program_of(store), Program.Status.LIVE, by=None, at=now)
    Customer.objects.for_store(store).update(erased_at=timezone.now())
    seen.append(unavailable(client, url))
    assert len({repr(page) for page in seen}) == 1
    assert "Rosewater" not in seen[0][0]


def test_nothing_is_counted_or_claimed_on_a_closed_link(client, store, url, now):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=now)
    client.get(url)
    assert client.post(url, {"contact": "bea@example.com"}).status_code == 404
    assert (visits(store), visits(store, bots=True), claims_of(store)) == (0, 0, 0)
    assert not Customer.objects.for_store(store).filter(email_norm="bea@example.com").exists()


def test_a_visit_counts_once_a_person_and_hour(client, store, url):
    for _ in range(3):
        client.get(url)
    client.head(url)
    assert visits(store) == 1
    client.get(url, headers={"user-agent": "Mozilla/5.0 (Android)"})
    client.get(url, REMOTE_ADDR="10.9.8.7")
    assert visits(store) == 3


@pytest.mark.parametrize(
    "agent", ["WhatsApp/2.24", "TelegramBot (like TwitterBot)", "facebookexternalhit/1.1", "", "curl/8"]
)
def test_link_previews_are_no_people(client, store, url, agent):
    assert client.get(url, headers={"user-agent": agent}).status_code == 200
    assert (visits(store), visits(store, bots=True)) == (0, 1)


def test_fetching_ahead_is_no_visit_of_a_person(client, store, url):
    client.get(url, headers={"sec-purpose": "prefetch;prerender"})
    assert visits(store) == 0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "people"),
    [
        (0, ["1.1.1.1", "2.2.2.2"], 1),  # without a proxy of ours the header is the visitor's own invention
        (1, ["9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1"], 1),  # only the last is seen by our proxy
        (1, ["1.1.1.1", "2.2.2.2"], 2),
        (2, ["9.9.9.9, 1.1.1.1, 5.5.5.5", "8.8.8.8, 1.1.1.1, 6.6.6.6"], 1),
        (1, ["nonsense", "<script>"], 1),
    ],
)
def test_the_visitors_address_comes_from_our_proxies(client, store, url, settings, proxies, forwarded, people):
    settings.TRUSTED_PROXIES = proxies
    for value in forwarded:
        client.get(url, headers={"x-forwarded-for": value})
    assert visits(store) == people


@pytest.mark.parametrize(
    ("typed", "column", "value"),
    [
        ("Bea@Example.com ", "email_norm", "bea@example.com"),
        ("0917 000 0002", "phone_norm", "+639170000002"),
        ("۰۹۱۷۰۰۰۰۰۰۲", "phone_norm", "+639170000002"),
        ("+63 (917) 000-0002", "phone_norm", "+639170000002"),
    ],
)
def test_a_friend_takes_the_gift(client, store, url, typed, column, value):
    page = client.post(url, {"name": "Bea", "contact": typed}, follow=True)
    assert page.status_code == 200
    voucher = Voucher.objects.for_store(store).get()
    assert spaced(voucher.code) in page.content.decode()
    assert getattr(Claim.objects.for_store(store).get().friend, column) == value
    assert Message.objects.for_store(store).filter(kind="gift").count() == 1


def test_no_cookie_and_no_name_are_needed(store, url):
    blocked = Client(enforce_csrf_checks=True, headers={"user-agent": PHONE, "origin": "null"})
    page = blocked.post(url, {"contact": "bea@example.com"})
    assert page.status_code == 302
    assert not page.cookies
    assert claims_of(store) == 1


def test_the_same_friend_again_gets_the_same(client, store, url):
    places = {client.post(url, {"contact": "bea@example.com"})["Location"] for _ in range(3)}
    assert len(places) == 1
    assert claims_of(store) == 1


@pytest.mark.parametrize(
    "contact", ["", "bea@", "@", "12", "hello", "9.63E+11", "a@b@c.de", "x" * 300, "bea@exam\x00ple.com"]
)
def test_a_contact_that_cannot_be_read_keeps_the_form(client, store, url, contact):
    page = client.post(url, {"name": "<i>Bea</i>", "contact": contact})
    assert page.status_code == 400
    assert "&lt;i&gt;Bea&lt;/i&gt;" in page.content.decode()
    assert 'role="alert"' in page.content.decode()
    assert claims_of(store) == 0


def test_a_known_customer_is_kindly_told(client, store, url, make_customer):
    make_customer("Bea Cruz", "bea@example.com")
    page = client.post(url, {"contact": "bea@example.com"})
    assert page.status_code == 200
    assert "people who are new" in page.content.decode()
    assert (claims_of(store), Voucher.objects.for_store(store).count()) == (0, 0)


def test_the_own_link_works_without_offer_or_accusation(client, store, url, make_customer):
    make_customer("Bea Cruz", "bea@example.com")
    known = client.post(url, {"contact": "bea@example.com"}).content.decode()
    own = client.post(url, {"contact": "sara@example.com"}).content.decode()
    assert own == known  # one page for both
    assert "Take the gift" not in own
    assert "10% off" not in own
    assert claims_of(store) == 0


def test_the_gift_page_is_private_and_not_to_be_guessed(client, store, url, share_link):
    place = client.post(url, {"contact": "bea@example.com"})["Location"]
    page = client.get(place)
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"
    assert "bea@example.com" not in page.content.decode()
    assert len(place.rsplit("/", 1)[-1]) == 20
    assert client.get(f"{url}/taken/{'a' * 20}").status_code == 404
    assert client.get(place.replace(share_link.code, "NOBODY-22222")).status_code == 404
    assert client.post(place).status_code == 405


def test_the_gift_page_says_used_and_expired(client, store, url):
    place = client.post(url, {"contact": "bea@example.com"})["Location"]
    Voucher.objects.for_store(store).update(status="redeemed")
    assert "has been used" in client.get(place).content.decode()
    Voucher.objects.for_store(store).update(status="issued", expires_at=timezone.now() - timedelta(days=1))
    assert "has run out" in client.get(place).content.decode()


@pytest.mark.parametrize("limit", ["network", "link"])
def test_too_many_claims_are_slowed_down(client, store, url, limit, monkeypatch):
    tries = 4
    monkeypatch.setattr(limits, "PER_ADDRESS" if limit == "network" else "PER_LINK", tries)
    answers = [
        client.post(url, {"contact": "12"}, REMOTE_ADDR="10.0.0.1" if limit == "network" else f"10.0.1.{number}")
        for number in range(tries + 1)
    ]
    assert {page.status_code for page in answers[:-1]} == {400}
    last = answers[-1]
    assert last.status_code == 429
    assert last["Retry-After"]
    assert "say the code in the shop" in last.content.decode()
    assert claims_of(store) == 0


def test_other_peoples_network_is_not_slowed_down(client, store, url, monkeypatch):
    monkeypatch.setattr(limits, "PER_ADDRESS", 4)
    for _ in range(5):
        client.post(url, {"contact": "12"}, REMOTE_ADDR="10.0.0.1")
    assert client.post(url, {"contact": "bea@example.com"}, REMOTE_ADDR="10.0.0.2").status_code == 302


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u202eevil", "🎁" * 200, "A" * 200, ""])
def test_names_are_escaped_stripped_and_cut(client, store, share_link, url, name):
    Customer.objects.for_store(store).update(name=name)
    page = client.get(url)
    text = page.content.decode()
    assert page.status_code == 200
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "A" * 30 not in text
    assert "🎁" * 30 not in text


def test_credit_and_least_bill_are_said(client, store, url, now):
    credit = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00, minimum_minor=500_00)
    program = program_of(store)
    programs.change_program(program, replace(terms_of(program), friend=credit), by=None, at=now)
    text = client.get(url).content.decode()
    assert "store credit" in text
    assert "as soon as your first order counts" in text
    assert "500" in text


def test_a_foreign_next_or_script_address_leads_nowhere(client, url):
    text = client.get(url, {"next": "https://evil.example", "utm_source": "javascript:alert(1)"}).content.decode()
    assert "evil.example" not in re.sub(r'href="[^"]*lang=[^"]*"', "", text)


def test_other_methods_are_refused(client, store, url):
    assert client.put(url).status_code == 405
    assert visits(store) == 0


def test_it_speaks_the_advocates_language(client, store, url):
    Customer.objects.for_store(store).update(locale="fil")
    assert client.get(url)["Content-Language"] == "fil"


def test_another_stores_code_opens_that_store(client, store, other_store, url):
    assert ShareLink.objects.for_store(other_store).count() == 0
    assert "Rosewater" in client.get(url).content.decode()


def test_few_queries(client, url, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        client.get(url)
