import pytest
from django.utils import timezone

from referrals.forms import as_typed
from referrals.models import Program
from referrals.services.programs import describe, program_of
from stores.models import AuditEvent, Membership, Store
from stores.tenancy import act_for

URL = "/d/rosewater/program/"
NEW = "/stores/new/"


@pytest.fixture
def typed(store):
    """The program as the page sends it unchanged."""
    return as_typed(program_of(store))


def terms(store):
    return describe(program_of(store))


def test_it_shows_the_program(manager, store):
    page = manager.get(URL)
    assert page.status_code == 200
    assert page.context["coming"]["changes"] == []


def test_unchanged_terms_make_no_new_version(manager, store, typed):
    assert manager.post(URL, typed).status_code == 302
    assert program_of(store).version == 1
    assert not AuditEvent.objects.for_store(store).exists()


def test_it_saves_and_keeps_the_history(manager, store, typed):
    form = typed | {
        "value": "15",
        "minimum": "۵۰۰",
        "hold_days": "7",
        "tier-0-kind": "fixed_off",
        "tier-0-value": "1,200.50",
    }
    assert manager.post(URL, form).status_code == 302
    now = terms(store)
    assert (now["friend"]["percent"], now["friend"]["minimum_minor"], now["hold_days"]) == (15, 50_000, 7)
    assert now["tiers"][0]["amount_minor"] == 120_050
    page = manager.get(URL).content.decode()
    assert "Friends get 15% off on bills from ₱500" in page
    assert str(manager.user) in page


def test_toman_is_typed_as_people_say_it(manager, store, typed):
    Store.objects.filter(pk=store.pk).update(currency="IRR", toman=True)
    manager.post(URL, typed | {"kind": "fixed_off", "value": "۵۰٬۰۰۰"})
    assert terms(store)["friend"]["amount_minor"] == 500_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"value": "0"}, "from 1 to 100"),
        ({"value": "101"}, "from 1 to 100"),
        ({"value": "12.5"}, "from 1 to 100"),
        ({"value": ""}, "how much"),
        ({"kind": "fixed_off", "value": "0"}, "above zero"),
        ({"kind": "fixed_off", "value": "lots"}, 'aria-invalid="true"'),
        ({"kind": "gold", "value": "1"}, "valid choice"),
        ({"minimum": "-5"}, 'aria-invalid="true"'),
        ({"valid_days": "0"}, "from 1 to 3650"),
        ({"hold_days": "x"}, "from 0 to 365"),
        ({"name": ""}, "required"),
        ({"tier-0-threshold": "0"}, "from 1 to 10000"),
        ({"tier-0-threshold": "2"}, "first friend"),
        ({"tier-0-gives": "once"}, "first friend"),
        ({"tiers": "0"}, "first friend"),
    ],
)
def test_it_refuses_and_keeps_what_was_typed(manager, store, typed, change, says):
    before = terms(store)
    page = manager.post(URL, typed | {"claim_days": "77"} | change)
    assert page.status_code == 422
    assert says in page.content.decode()
    assert 'value="77"' in page.content.decode()
    assert terms(store) == before


def test_two_steps_at_one_number_are_refused(manager, store, typed):
    twin = {name.replace("tier-0", "tier-1"): value for name, value in typed.items() if name.startswith("tier-0")}
    page = manager.post(URL, typed | twin | {"tiers": "2"})
    assert page.status_code == 422
    assert "Another step begins at the same number" in page.content.decode()


def test_nothing_for_the_first_must_be_said(manager, store, typed):
    assert manager.post(URL, typed | {"tiers": "0", "nothing_first": "on"}).status_code == 302
    assert terms(store)["tiers"] == []


def test_a_step_is_added_and_taken_away_without_script(manager, store, typed):
    page = manager.post(URL, typed | {"step": "add", "name": "Half typed", "value": "nonsense"})
    assert page.status_code == 200
    assert len(page.context["editor"].steps) == 2
    assert 'value="Half typed"' in page.content.decode()
    assert 'aria-invalid="true"' not in page.content.decode()
    page = manager.post(URL, typed | {"step": "remove-0"})
    assert len(page.context["editor"].steps) == 0
    assert len(terms(store)["tiers"]) == 1


def test_looking_saves_nothing(manager, store, typed):
    page = manager.post(URL, typed | {"value": "20", "step": "look"})
    assert "Friends get 20% off" in page.content.decode()
    assert terms(store)["friend"]["percent"] == 10


def test_it_advises_an_amount_for_dear_goods(manager, store, make_order):
    make_order()
    Store.objects.filter(pk=store.pk).update()
    type(make_order("b@example.com")).objects.all().update(placed_at=timezone.now())
    assert "₱155 off costs you about the same as 10%" in manager.get(URL).content.decode()


def test_the_editor_takes_no_other_method(manager):
    assert manager.put(URL).status_code == 405


def test_strangers_and_staff_do_not_edit(stranger, staff, store, typed):
    before = terms(store)
    assert stranger.post(URL, typed | {"value": "99"}).status_code == 404
    assert staff.post(URL, typed | {"value": "99"}).status_code == 403
    assert terms(store) == before


def test_its_queries_are_few(manager, store, typed, django_assert_max_num_queries):
    for percent in range(11, 16):
        manager.post(URL, typed | {"value": str(percent)})
    with django_assert_max_num_queries(24):
        manager.get(URL)


# -- The preview --


def test_the_preview_speaks_the_chosen_language(manager, store, typed):
    page = manager.post(f"{URL}preview/", typed | {"value": "25", "language": "fa"})
    assert 'dir="rtl"' in page.content.decode()
    assert "۲۵" in page.content.decode()
    assert terms(store)["friend"]["percent"] == 10


@pytest.mark.parametrize("change", [{"value": "x"}, {"tiers": "99999"}, {"tiers": "x"}, {"language": "../../etc"}])
def test_the_preview_bears_anything(manager, typed, change):
    assert manager.post(f"{URL}preview/", typed | change).status_code == 200


def test_the_preview_takes_posts_only(manager):
    assert manager.get(f"{URL}preview/").status_code == 405


def test_strangers_and_staff_get_no_preview(stranger, staff, typed):
    assert stranger.post(f"{URL}preview/", typed).status_code == 404
    assert staff.post(f"{URL}preview/", typed).status_code == 403


# -- Pause and run --


def test_it_pauses_and_runs(manager, store):
    assert manager.post(f"{URL}status/", {"status": "paused"}).status_code == 302
    assert program_of(store).status == Program.Status.PAUSED
    assert "The program was paused." in manager.get(URL).content.decode()
    manager.post(f"{URL}status/", {"status": "live"})
    assert program_of(store).status == Program.Status.LIVE


def test_an_unknown_status_is_not_found(manager, store):
    assert manager.post(f"{URL}status/", {"status": "gone"}).status_code == 404
    assert program_of(store).status == Program.Status.LIVE


def test_pausing_takes_posts_only(manager):
    assert manager.get(f"{URL}status/").status_code == 405


def test_strangers_and_staff_do_not_pause(stranger, staff, store):
    assert stranger.post(f"{URL}status/", {"status": "paused"}).status_code == 404
    assert staff.post(f"{URL}status/", {"status": "paused"}).status_code == 403
    assert program_of(store).status == Program.Status.LIVE


# -- Currency --

CURRENCY = "/d/rosewater/settings/currency/"


def test_a_store_that_sold_nothing_changes_its_money(owner, store, manager, typed):
    manager.post(URL, typed | {"kind": "fixed_off", "value": "100"})
    assert owner.post(CURRENCY, {"currency": "JPY"}).status_code == 302
    assert Store.objects.get(pk=store.pk).currency == "JPY"
    assert program_of(store).friend_offer.currency == "JPY"
    assert terms(store)["friend"]["amount_minor"] == 100


def test_money_is_locked_after_the_first_order(owner, store, make_order):
    make_order()
    assert "can no longer change" in owner.get(CURRENCY).content.decode()
    assert owner.post(CURRENCY, {"currency": "JPY"}).status_code == 422
    assert Store.objects.get(pk=store.pk).currency == "PHP"


def test_unknown_money_is_refused(owner, store):
    assert owner.post(CURRENCY, {"currency": "XXX"}).status_code == 422
    assert Store.objects.get(pk=store.pk).currency == "PHP"


def test_money_takes_no_other_method(owner):
    assert owner.put(CURRENCY).status_code == 405


def test_strangers_and_managers_do_not_change_money(stranger, manager, store):
    assert stranger.post(CURRENCY, {"currency": "JPY"}).status_code == 404
    assert manager.post(CURRENCY, {"currency": "JPY"}).status_code == 403
    assert Store.objects.get(pk=store.pk).currency == "PHP"


# -- A new store --

FORM = {
    "name": "Café Azul",
    "slug": "",
    "currency": "PHP",
    "timezone": "Asia/Manila",
    "locale": "fil",
    "country": "PH",
}


def test_it_opens_a_store_with_a_running_program(owner, store):
    answer = owner.post(NEW, FORM)
    assert answer.url == "/d/cafe-azul/program/"
    assert owner.get(answer.url).status_code == 200
    opened = Store.objects.get(slug="cafe-azul")
    act_for(opened)
    assert Membership.objects.for_store(opened).get().user == owner.user
    assert Membership.objects.for_store(opened).get().role == "owner"
    assert program_of(opened).status == Program.Status.LIVE


def test_a_persian_name_gets_an_address_too(owner, store):
    assert owner.post(NEW, FORM | {"name": "کافه گلاب", "currency": "IRR"}).url.startswith("/d/shop-")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"slug": "rosewater"}, "That address is taken"),
        ({"slug": "Ünter café"}, "letters a to z"),
        ({"name": ""}, "required"),
        ({"currency": "XXX"}, "valid choice"),
        ({"timezone": "Mars/Phobos"}, "valid choice"),
    ],
)
def test_a_new_store_is_refused_and_what_was_typed_stays(owner, store, change, says):
    page = owner.post(NEW, FORM | change)
    assert page.status_code == 422
    assert says in page.content.decode()
    assert 'value="fil" selected' in page.content.decode()


def test_a_new_store_asks_to_log_in(client, db):
    assert client.post(NEW, FORM).status_code == 302


def test_a_new_store_takes_no_other_method(owner):
    assert owner.put(NEW).status_code == 405
