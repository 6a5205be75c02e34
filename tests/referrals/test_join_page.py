"""Where a poster's code leads: a link of one's own, for whoever is not anybody's friend yet."""

import pytest
from django.test import Client

from customers.models import Customer
from referrals.fraud import blocks
from referrals.models import Block, Claim, Device, PrintScan, ShareLink
from referrals.public import limits
from referrals.services import erasing, prints
from tests.conftest import NOW
from tests.referrals.journey_world import pause
from tests.referrals.print_world import Material, printed

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"
GONE = "Nothing to see here right now"
NINA = {"name": "Nina Reyes", "contact": "nina@example.com"}


@pytest.fixture
def client():
    return Client(headers={"user-agent": PHONE})


@pytest.fixture
def poster(store):
    return printed(store, Material.POSTER)


@pytest.fixture
def url(poster):
    return f"/j/{poster.code}"


def joined(store) -> ShareLink:
    return ShareLink.objects.for_store(store).get(run__isnull=False)


def test_it_says_what_both_get(client, url):
    page = client.get(url).content.decode()
    for said in ("Bring a friend", "10% off", "Get my link", "The terms"):
        assert said in page


def test_it_opens_however_the_code_is_typed(client, poster):
    assert client.get(f"/j/{poster.code.lower().replace('-', '')}/").status_code == 200


def test_joining_shows_the_link_and_how_to_send_it(client, url, store):
    answer = client.post(url, NINA, follow=True)
    page, link = answer.content.decode(), joined(store)
    assert link.code in page
    assert "wa.me" in page
    assert "Nina" not in page
    assert link.customer.name == "Nina Reyes"


def test_the_link_works_for_a_friend(client, url, store):
    client.post(url, NINA)
    assert "A gift for you from Nina" in client.get(f"/r/{joined(store).code}").content.decode()


def test_the_same_address_again_gives_the_same_page(client, url):
    first, second = (client.post(url, NINA).url for _ in "ab")
    assert first == second


def test_a_known_address_and_a_new_one_look_alike(client, url, share_link):
    known = client.post(url, {"name": "X", "contact": "sara@example.com"}, follow=True).content.decode()
    fresh = client.post(url, {"name": "X", "contact": "new@example.com"}, follow=True).content.decode()
    codes = [link.code for link in ShareLink.objects.filter(run__isnull=False)]
    publics = [link.public_id for link in ShareLink.objects.filter(run__isnull=False)]

    def bare(page: str) -> list[str]:
        for one in (*codes, *publics):
            page = page.replace(one, "")
        return [line for line in page.splitlines() if "<svg" not in line]

    assert bare(known) == bare(fresh)
    assert "Sara" not in known
    assert share_link.code not in known


def test_what_was_typed_stays(client, url):
    answer = client.post(url, {"name": "Nina", "contact": "not an address"})
    assert answer.status_code == 400
    assert 'value="not an address"' in answer.content.decode()
    assert not Customer.objects.exists()


def test_openings_are_counted_once_and_bots_apart(client, url, store):
    client.get(url), client.get(url)
    Client(headers={"user-agent": "WhatsApp/2.0"}).get(url)
    scans = PrintScan.objects.for_store(store)
    assert (scans.filter(is_bot=False).count(), scans.filter(is_bot=True).count()) == (1, 1)


def test_a_form_that_is_sent_is_no_opening(client, url, store):
    client.post(url, NINA)
    assert not PrintScan.objects.for_store(store).exists()


@pytest.mark.parametrize("case", ["unknown", "paused", "over", "a share code"])
def test_what_leads_nowhere_shows_one_friendly_page(client, url, store, share_link, case):
    if case == "paused":
        pause(store)
    if case == "over":
        url = f"/j/{printed(store, Material.POSTER, days=1, at=NOW.replace(year=2020)).code}"
    url = {"unknown": "/j/NOBODY-22222", "a share code": f"/j/{share_link.code}"}.get(case, url)
    for answer in (client.get(url), client.post(url, NINA)):
        assert answer.status_code == 404
        assert GONE in answer.content.decode()
    assert not ShareLink.objects.filter(run__isnull=False).exists()


def test_the_blocked_get_a_friendly_no(client, url, store):
    blocks.block(store, blocks.Suspect(Block.What.EMAIL, "nina@example.com", "n…"), reason="", by=None, at=NOW)
    page = client.post(url, NINA).content.decode()
    assert "This cannot be done here" in page
    assert not ShareLink.objects.exists()


def test_too_many_are_asked_to_come_back(client, url, monkeypatch):
    monkeypatch.setattr(limits, "PER_ADDRESS", 1)
    client.post(url, NINA)
    answer = client.post(url, {"name": "Bo", "contact": "bo@example.com"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert 'value="bo@example.com"' in answer.content.decode()
    assert Customer.objects.count() == 1


def test_a_tap_on_a_share_button_is_noted(client, url, store):
    page = client.post(url, NINA).url
    assert client.post(f"{page}/shared").status_code == 204
    assert joined(store).shared_at
    assert client.post(f"{url}/another/shared").status_code == 404


def test_who_takes_their_own_gift_with_the_same_phone_is_looked_at(client, url, store):
    client.post(url, NINA, follow=True)
    client.post(f"/r/{joined(store).code}", {"name": "N", "contact": "other@example.com"})
    claim = Claim.objects.for_store(store).get()
    assert Device.objects.for_store(store).filter(customer=joined(store).customer, device=claim.device).exists()


def test_whoever_is_forgotten_has_no_page(client, url, store):
    page = client.post(url, NINA).url
    erasing.erase(joined(store).customer, by=None, at=NOW)
    assert client.get(page).status_code == 404


def test_it_asks_for_no_cookie(client, url):
    client.get(url)
    assert not client.cookies


@pytest.mark.parametrize("language", ["en", "fa", "fil"])
def test_it_speaks_the_language_of_the_paper(client, store, language):
    run = printed(store, Material.POSTER, language=language)
    assert f'lang="{language}"' in client.get(f"/j/{run.code}").content.decode()


def test_the_page_costs_the_same_for_everybody(client, url, store, django_assert_max_num_queries):
    prints.join(printed(store, Material.POSTER), prints.Person("A", "a@example.com"), at=NOW)
    with django_assert_max_num_queries(16):
        client.get(url)
