import pytest

from stores.models import AuditEvent, Store

URL = "/d/rosewater/settings/"


@pytest.fixture
def typed(store):
    """The settings as the page sends them unchanged."""
    return {
        "name": store.name,
        "website": "",
        "phone": "",
        "postal_address": "",
        "brand_color": store.brand_color,
        "locale": store.locale,
        "timezone": store.timezone,
        "country": store.country,
        "time_to_value_days": "7",
        "delivers": "on",
        "late_after_days": "21",
        "cooldown_days": "30",
        "silent_ask_days": "7",
    }


def now_is(store):
    return Store.objects.get(pk=store.pk)


def test_it_shows_the_settings(owner):
    page = owner.get(URL)
    assert page.status_code == 200
    assert "Rosewater Café" in page.content.decode()


def test_it_saves_what_changed_and_writes_it_down(owner, store, typed):
    assert owner.post(URL, typed | {"name": "Rose", "time_to_value_days": "۱۴"}).status_code == 302
    assert (now_is(store).name, now_is(store).time_to_value_days) == ("Rose", 14)
    event = AuditEvent.objects.for_store(store).get(action="settings.changed")
    assert (event.user, event.before) == (owner.user, {"name": "Rosewater Café", "time_to_value_days": 7})


def test_it_writes_nothing_down_when_nothing_changed(owner, store, typed):
    assert owner.post(URL, typed).status_code == 302
    assert not AuditEvent.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("brand_color", "#ffee00", "White words cannot be read"),
        ("brand_color", "red", "six digits"),
        ("phone", "call me", "in digits"),
        ("late_after_days", "0", "greater than or equal to 1"),
        ("cooldown_days", "400", "less than or equal to 365"),
        ("timezone", "Mars/Phobos", "valid choice"),
        ("website", "javascript:alert(1)", "valid URL"),
        ("name", "", "required"),
    ],
)
def test_it_refuses_and_keeps_what_was_typed(owner, store, typed, field, value, says):
    page = owner.post(URL, typed | {"postal_address": "12 Mabini Street", field: value})
    assert page.status_code == 422
    assert says in page.content.decode()
    assert "12 Mabini Street" in page.content.decode()
    assert now_is(store).postal_address == ""


def test_its_header_keeps_the_true_name_after_a_refusal(owner, store, typed):
    page = owner.post(URL, typed | {"name": "Rose", "brand_color": "#ffffff"})
    assert page.context["store"].name == "Rosewater Café"


def test_a_suggested_colour_passes(owner, store, typed):
    from stores.rules import readable_shade

    assert owner.post(URL, typed | {"brand_color": readable_shade("#ffee00")}).status_code == 302


def test_toman_is_offered_to_rial_stores_only(owner, store):
    assert b'name="toman"' not in owner.get(URL).content
    Store.objects.filter(pk=store.pk).update(currency="IRR")
    assert b'name="toman"' in owner.get(URL).content


def test_it_takes_no_other_method(owner):
    assert owner.put(URL).status_code == 405


def test_it_hides_the_store_from_strangers(stranger, store, typed):
    assert stranger.post(URL, typed | {"name": "Mine"}).status_code == 404
    assert now_is(store).name == "Rosewater Café"


def test_a_manager_may_not(manager, store, typed):
    assert manager.get(URL).status_code == 403
    assert manager.post(URL, typed | {"name": "Mine"}).status_code == 403
    assert now_is(store).name == "Rosewater Café"


def test_it_asks_to_log_in_first(client, store):
    assert client.get(URL).status_code == 302
