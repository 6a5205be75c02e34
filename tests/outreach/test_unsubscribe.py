from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Consent, Customer
from outreach import services
from outreach.models import Suppression
from stores import tokens
from stores.tenancy import act_for


@pytest.fixture
def customer(make_customer):
    return make_customer(
        "Sara Ahmadi", "sara@example.com", phone="+639170000001", consent={"email": True, "sms": False}
    )


@pytest.fixture
def url(store, customer):
    return f"/u/{tokens.make(tokens.Purpose.UNSUBSCRIBE, store.pk, customer)}"


def suppressed(store):
    return sorted(Suppression.objects.for_store(store).values_list("channel", "reason"))


BOTH = [("email", "unsubscribed"), ("sms", "unsubscribed")]


@pytest.mark.parametrize("agent", ["Mozilla/5.0", "Barracuda Sentinel", ""])
def test_a_get_asks_and_changes_nothing(client, store, url, customer, agent):
    page = client.get(url, headers={"user-agent": agent})
    assert page.status_code == 200
    assert "Stop messages from Rosewater Café?" in page.content.decode()
    assert suppressed(store) == []
    customer.refresh_from_db()
    assert customer.email_consent


def test_one_click_of_a_mail_program_stops_everything_at_once(store, url, customer):
    client = Client(enforce_csrf_checks=True)
    page = client.post(url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert page.status_code == 200
    assert not page.cookies
    assert suppressed(store) == BOTH
    customer.refresh_from_db()
    assert not customer.email_consent


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"anything=else", "application/x-www-form-urlencoded"),
        (b'{"no":', "application/json"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"broken", "multipart/form-data; boundary=x"),
        (b"broken", "multipart/form-data"),
        (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
        (b"x" * (6 * 1024 * 1024), "application/x-www-form-urlencoded"),
        (b"a=1", "application/x-www-form-urlencoded; charset=nonsense"),
    ],
)
def test_any_body_will_do(client, store, url, body, kind):
    assert client.generic("POST", url, body, content_type=kind).status_code == 200
    assert suppressed(store) == BOTH


def test_again_changes_nothing_more(client, store, url):
    for _ in range(3):
        assert client.post(url).status_code == 200
    assert suppressed(store) == BOTH
    assert "You get no more messages" in client.get(url).content.decode()


def test_undo_puts_everything_back_and_consents_to_nothing_new(client, store, url, customer):
    client.post(url)
    page = client.post(url, {"resubscribe": "1"})
    assert page.status_code == 200
    assert suppressed(store) == []
    customer.refresh_from_db()
    assert customer.email_consent
    assert not customer.sms_consent  # they had never agreed to texts
    assert set(Consent.objects.for_store(store).filter(granted=False).values_list("source", flat=True)) >= {
        "unsubscribe link"
    }


def test_undo_lifts_no_bounce(client, store, url, customer, now):
    services.suppress(store, "email", customer.email_norm, reason="bounced", source="provider", at=now)
    client.post(url)
    client.post(url, {"resubscribe": "1"})
    assert suppressed(store) == [("email", "bounced")]


def test_it_stops_only_this_store(client, store, other_store, url):
    client.post(url)
    act_for(other_store)
    assert suppressed(other_store) == []


def test_an_old_link_works(client, store, url, customer):
    Customer.objects.for_store(store).update(recorded_at=timezone.now() - timedelta(days=3650))
    assert client.post(url).status_code == 200
    assert suppressed(store) == BOTH


def test_a_link_signed_with_the_key_before_works(client, store, url, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "y" * 50
    assert client.post(url).status_code == 200
    assert suppressed(store) == BOTH


def test_an_erased_or_missing_person_is_unsubscribed(client, store, url, customer):
    Customer.objects.for_store(store).update(erased_at=timezone.now(), email_norm="", phone_norm="", name="")
    missing = f"/u/{tokens.make(tokens.Purpose.UNSUBSCRIBE, store.pk, customer.pk + 999)}"
    for address in (url, missing):
        for page in (client.get(address), client.post(address), client.post(address, {"resubscribe": "1"})):
            assert page.status_code == 200
            assert "You get no more messages" in page.content.decode()
    assert suppressed(store) == []


@pytest.mark.parametrize("token", ["x", "é", "A" * 4096, "A-_A"])
def test_a_broken_link_says_how_to_stop_all_the_same(client, store, token):
    page = client.get(f"/u/{token}")
    assert page.status_code == 200
    assert "This link is not whole" in page.content.decode()
    assert client.post(f"/u/{token}").status_code == 400  # a mail program must not think that it worked
    assert suppressed(store) == []


def test_the_page_shows_no_address_and_is_private(client, url):
    page = client.get(url)
    text = page.content.decode()
    assert "sara@example.com" not in text
    assert "9170000001" not in text
    assert "Sara" not in text
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"


def test_other_methods_are_refused(client, store, url):
    assert client.put(url).status_code == 405
    assert suppressed(store) == []
