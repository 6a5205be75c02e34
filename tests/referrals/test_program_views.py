from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from referrals.forms import as_typed, typed_terms
from referrals.models import Boost, Program
from referrals.services.programs import change_program, program_of
from referrals.services.terms import describe
from stores.models import AuditEvent, Membership, Store
from stores.tenancy import act_for, acting_for
from tests.conftest import NOW
from tests.editors import publish
from tests.referrals.journey_world import take_gift
from tests.referrals.program_world import FIXED, draft, terms_with

LIST = "/d/rosewater/program/"
NEW = "/stores/new/"


@pytest.fixture
def url(store):
    """Where the store's first program is edited."""
    return f"{LIST}{program_of(store).public_id}/"


@pytest.fixture
def typed(store):
    """The program as the page sends it unchanged."""
    return as_typed(program_of(store))


def terms(store):
    return describe(program_of(store))


def test_it_shows_the_program(manager, store, url):
    page = manager.get(url)
    assert page.status_code == 200
    assert page.context["coming"].changes == []


def test_unchanged_terms_make_no_new_version(manager, store, typed, url):
    assert publish(manager, url, typed).status_code == 302
    assert program_of(store).terms.number == 1
    assert not AuditEvent.objects.for_store(store).exists()


def test_it_saves_and_keeps_the_history(manager, store, typed, url):
    form = typed | {
        "value": "15",
        "minimum": "۵۰۰",
        "hold_days": "7",
        "tier-0-kind": "fixed_off",
        "tier-0-value": "1,200.50",
    }
    assert publish(manager, url, form).status_code == 302
    now = terms(store)
    assert (now["friend"]["percent"], now["friend"]["minimum_minor"], now["hold_days"]) == (15, 50_000, 7)
    assert now["tiers"][0]["amount_minor"] == 120_050
    page = manager.get(url).content.decode()
    assert "Friends get 15% off on bills from ₱500" in page
    assert str(manager.user) in page


def test_toman_is_typed_as_people_say_it(manager, store, typed, url):
    Store.objects.filter(pk=store.pk).update(currency="IRR", toman=True)
    publish(manager, url, typed | {"kind": "fixed_off", "value": "۵۰٬۰۰۰"})
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
def test_it_refuses_and_keeps_what_was_typed(manager, store, typed, change, says, url):
    before = terms(store)
    page = publish(manager, url, typed | {"claim_days": "77"} | change)
    assert page.status_code == 422
    assert says in page.content.decode()
    assert 'value="77"' in page.content.decode()
    assert terms(store) == before


def test_two_steps_at_one_number_are_refused(manager, store, typed, url):
    twin = {name.replace("tier-0", "tier-1"): value for name, value in typed.items() if name.startswith("tier-0")}
    page = publish(manager, url, typed | twin | {"tiers": "2"})
    assert page.status_code == 422
    assert "Another step begins at the same number" in page.content.decode()


def test_nothing_for_the_first_must_be_said(manager, store, typed, url):
    assert publish(manager, url, typed | {"tiers": "0", "nothing_first": "on"}).status_code == 302
    assert terms(store)["tiers"] == []


def test_a_step_is_added_and_taken_away_without_script(manager, store, typed, url):
    page = manager.post(url, typed | {"step": "add", "name": "Half typed", "value": "nonsense"})
    assert page.status_code == 200
    assert len(page.context["editor"].steps) == 2
    assert 'value="Half typed"' in page.content.decode()
    assert 'aria-invalid="true"' not in page.content.decode()
    page = manager.post(url, typed | {"step": "remove-0"})
    assert len(page.context["editor"].steps) == 0
    assert len(terms(store)["tiers"]) == 1


def test_looking_saves_nothing(manager, store, typed, url):
    page = manager.post(url, typed | {"value": "20", "step": "look"})
    assert "Friends get 20% off" in page.content.decode()
    assert terms(store)["friend"]["percent"] == 10


def test_it_advises_an_amount_for_dear_goods(manager, store, make_order, url):
    make_order()
    Store.objects.filter(pk=store.pk).update()
    type(make_order("b@example.com")).objects.all().update(placed_at=timezone.now())
    assert "₱155 off costs you about the same as 10%" in manager.get(url).content.decode()


def test_the_editor_takes_no_other_method(manager, url):
    assert manager.put(url).status_code == 405


def test_strangers_and_staff_do_not_edit(stranger, staff, store, typed, url):
    before = terms(store)
    assert stranger.post(url, typed | {"value": "99"}).status_code == 404
    assert staff.post(url, typed | {"value": "99"}).status_code == 403
    assert terms(store) == before


def test_its_queries_are_few(manager, store, typed, django_assert_max_num_queries, url):
    for percent in range(11, 14):
        publish(manager, url, typed | {"value": str(percent)})
    with django_assert_max_num_queries(55):
        manager.get(url)


# -- The preview --


def test_the_preview_speaks_the_chosen_language(manager, store, typed, url):
    page = manager.post(f"{url}preview/", typed | {"value": "25", "language": "fa"})
    assert 'dir="rtl"' in page.context["page"].html
    assert "۲۵" in page.context["page"].html
    assert terms(store)["friend"]["percent"] == 10


@pytest.mark.parametrize("change", [{"value": "x"}, {"tiers": "99999"}, {"tiers": "x"}, {"language": "../../etc"}])
def test_the_preview_bears_anything(manager, typed, change, url):
    assert manager.post(f"{url}preview/", typed | change).status_code == 200


def test_the_preview_takes_posts_only(manager, url):
    assert manager.get(f"{url}preview/").status_code == 405


def test_strangers_and_staff_get_no_preview(stranger, staff, typed, url):
    assert stranger.post(f"{url}preview/", typed).status_code == 404
    assert staff.post(f"{url}preview/", typed).status_code == 403


# -- Pause and run --


def test_it_pauses_and_runs(manager, store, url):
    assert manager.post(f"{url}status/", {"status": "paused"}).status_code == 302
    assert program_of(store).status == Program.Status.PAUSED
    assert "The program was paused." in manager.get(url).content.decode()
    manager.post(f"{url}status/", {"status": "live"})
    assert program_of(store).status == Program.Status.LIVE


def test_an_unknown_status_is_not_found(manager, store, url):
    assert manager.post(f"{url}status/", {"status": "gone"}).status_code == 404
    assert program_of(store).status == Program.Status.LIVE


def test_pausing_takes_posts_only(manager, url):
    assert manager.get(f"{url}status/").status_code == 405


def test_strangers_and_staff_do_not_pause(stranger, staff, store, url):
    assert stranger.post(f"{url}status/", {"status": "paused"}).status_code == 404
    assert staff.post(f"{url}status/", {"status": "paused"}).status_code == 403
    assert program_of(store).status == Program.Status.LIVE


# -- Currency --

CURRENCY = "/d/rosewater/settings/currency/"


def test_a_store_that_sold_nothing_changes_its_money(owner, store, manager, typed, url):
    publish(manager, url, typed | {"kind": "fixed_off", "value": "100"})
    assert owner.post(CURRENCY, {"currency": "JPY"}).status_code == 302
    assert Store.objects.get(pk=store.pk).currency == "JPY"
    assert program_of(store).terms.friend_offer.currency == "JPY"
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
    assert answer.url == "/d/cafe-azul/setup/sells/"
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


# -- The list --


def test_the_list_shows_each_program_with_its_budget(manager, store):
    draft(store, terms_with(ceiling_minor=1_000_000, places=20), audience=Program.Audience.STAFF)
    page = manager.get(LIST)
    rows = page.context["rows"]
    assert [row.state for row in rows] == ["live", "draft"]
    assert "₱10,000" in page.content.decode()
    assert "0 of 20" in page.content.decode()


def test_a_promise_is_seen_in_the_bar(manager, store, share_link, url):
    program = program_of(store)
    change_program(program, terms_with(friend=FIXED, ceiling_minor=100_000, tiers=[]), by=None, at=NOW)
    take_gift(share_link)
    (row,) = manager.get(LIST).context["rows"]
    assert [(name, amount, share) for name, amount, share in row.parts] == [
        ("paid", 0, 0),
        ("held", 0, 0),
        ("promised", 10_000, 10.0),
    ]


def test_the_list_costs_the_same_for_many(manager, store, django_assert_num_queries):
    with CaptureQueriesContext(connection) as one:
        manager.get(LIST)
    for _ in range(4):
        draft(store, terms_with())
    with django_assert_num_queries(len(one)):
        manager.get(LIST)


def test_the_list_only_reads(manager):
    assert manager.post(LIST).status_code == 405


# -- A new program, from draft to end --


def test_a_new_program_is_a_draft_until_it_is_published(manager, store):
    page = manager.get(f"{LIST}new/")
    assert page.status_code == 200
    typed = typed_terms(terms_with(), store) | {"name": "For the team", "audience": "3"}
    answer = manager.post(f"{LIST}new/", typed)
    made = Program.objects.for_store(store).get(name="For the team")
    assert (made.status, made.audience) == (Program.Status.DRAFT, Program.Audience.STAFF)
    assert answer.url.endswith(f"/program/{made.public_id}/")
    assert publish(manager, answer.url, as_typed(made)).status_code == 302
    made.refresh_from_db()
    assert made.status == Program.Status.LIVE
    assert "The program was published." in manager.get(answer.url).content.decode()


def test_a_new_program_keeps_what_was_typed_when_something_is_wrong(manager, store):
    typed = typed_terms(terms_with(), store) | {"name": "For the team", "value": "0", "claim_days": "77"}
    page = manager.post(f"{LIST}new/", typed)
    assert page.status_code == 422
    assert 'value="77"' in page.content.decode()
    assert Program.objects.for_store(store).count() == 1


def test_two_at_once_for_the_same_people_are_refused(manager, store):
    second = draft(store, terms_with())
    page = publish(manager, f"{LIST}{second.public_id}/", as_typed(second))
    assert page.status_code == 422
    assert "Another program for the same people runs at that time" in page.content.decode()
    second.refresh_from_db()
    assert second.status == Program.Status.DRAFT


def test_dates_that_overlap_are_refused_on_the_form(manager, store, url, typed):
    assert publish(manager, url, typed | {"ends": "2026-12-01 00:00"}).status_code == 302
    after = datetime(2026, 11, 30, 16, tzinfo=UTC)  # midnight in Manila
    second = draft(store, terms_with(), status=Program.Status.LIVE, starts_at=after)
    page = publish(manager, url, typed | {"ends": "2026-12-01 00:01", "claim_days": "77"})
    assert page.status_code == 422
    assert "Another program for the same people" in page.content.decode()
    assert 'value="77"' in page.content.decode()
    assert program_of(store, NOW).ends_at == second.starts_at == after


def test_dates_are_on_the_stores_clock(manager, store, url, typed):
    publish(manager, url, typed | {"starts": "2026-11-21T09:30", "ends": ""})
    assert program_of(store, NOW).starts_at == datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
    assert "Runs from: 21 Nov 2026, 09:30. Before: since ever." in manager.get(url).content.decode()


def test_only_a_draft_changes_for_whom_it_is(manager, store, url, typed):
    publish(manager, url, typed | {"audience": "3", "value": "15"})
    assert program_of(store).audience == Program.Audience.CUSTOMERS
    second = draft(store, terms_with())
    address = f"{LIST}{second.public_id}/"
    manager.post(address, as_typed(second) | {"audience": "2", "base": manager.get(address).context["base"]})
    second.refresh_from_db()
    assert second.audience == Program.Audience.PARTNERS


def test_a_step_that_is_not_allowed_changes_nothing(manager, store, url):
    manager.post(f"{url}status/", {"status": "draft"})
    assert program_of(store).status == Program.Status.LIVE
    assert not AuditEvent.objects.for_store(store).exists()


def test_an_ended_program_may_run_again(manager, store, url):
    manager.post(f"{url}status/", {"status": "ended"})
    assert "The program was ended." in manager.get(url).content.decode()
    manager.post(f"{url}status/", {"status": "live"})
    assert program_of(store).status == Program.Status.LIVE


# -- Budget and places --


def test_a_budget_below_what_is_promised_is_refused_kindly(manager, store, share_link, url):
    change_program(program_of(store), terms_with(friend=FIXED, tiers=[]), by=None, at=NOW)
    take_gift(share_link)
    typed = as_typed(program_of(store)) | {"claim_days": "77"}
    page = publish(manager, url, typed | {"ceiling": "99.99"})
    assert page.status_code == 422
    assert "₱100 are promised or spent already" in page.content.decode()
    assert 'value="77"' in page.content.decode()
    assert program_of(store).budget.ceiling_minor is None
    assert publish(manager, url, typed | {"ceiling": "100"}).status_code == 302
    assert program_of(store).budget.ceiling_minor == 10_000


def test_fewer_places_than_are_taken_are_refused_kindly(manager, store, share_link, url):
    for number in (1, 2):
        take_gift(share_link, f"Bea {number}")
    page = publish(manager, url, as_typed(program_of(store)) | {"places": "1"})
    assert page.status_code == 422
    assert "2 places are promised or taken already" in page.content.decode()


# -- Older versions --


def test_back_to_an_older_version_makes_a_new_one(manager, store, url, typed):
    publish(manager, url, typed | {"value": "15", "name": "Autumn", "places": "50"})
    page = manager.get(url)
    assert [(one.back_to, one.is_now) for one in page.context["history"]] == [("2", True), ("1", False)]
    assert manager.post(f"{url}back/", {"version": "1"}).status_code == 302
    now = program_of(store)
    assert (now.terms.number, now.terms.friend_offer.percent) == (3, 10)
    assert (now.name, now.budget.places) == (Store.objects.get(pk=store.pk).name, None)
    assert "Friends get 10% off" in manager.get(url).content.decode()


@pytest.mark.parametrize("version", ["9", "x", "", "-1", "99999999999999999999"])
def test_an_unknown_version_is_not_found(manager, store, url, version):
    assert manager.post(f"{url}back/", {"version": version}).status_code == 404
    assert program_of(store).terms.number == 1


def test_an_older_version_does_not_return_below_what_is_promised(manager, store, share_link, url, typed):
    publish(manager, url, typed | {"places": "1"})
    publish(manager, url, as_typed(program_of(store)) | {"places": ""})
    for number in (1, 2):
        take_gift(share_link, f"Bea {number}")
    page = manager.post(f"{url}back/", {"version": "2"}, follow=True)
    assert "More is promised by now" in page.content.decode()
    assert (program_of(store).terms.number, program_of(store).budget.places) == (3, None)


def test_histories_from_before_there_was_more_can_be_read(manager, store, url):
    offer = {"kind": "percent_off", "percent": 10, "amount_minor": None, "minimum_minor": 0, "valid_days": 90}
    old = {"name": "A", "hold_days": 14, "claim_days": 60, "friend": offer, "tiers": []}
    new = old | {"friend": offer | {"percent": 20}, "tiers": [offer | {"threshold": 1, "gives": "each", "name": ""}]}
    subject = program_of(store).public_id
    AuditEvent.objects.create(store=store, action="program.changed", subject=subject, before=old, after=new, at=NOW)
    page = manager.get(url)
    (version,) = page.context["history"]
    assert version.lines == [
        "Friends get 20% off, valid for 90 days. Before: 10% off, valid for 90 days.",
        "New step: for each friend from number 1 on: 10% off, valid for 90 days.",
    ]
    assert version.back_to == ""


# -- Boosts --

BOOST = {"name": "Christmas", "percent": "۲۰۰", "starts": "2026-12-20 00:00", "ends": "2026-12-27 00:00"}


def test_a_boost_is_set_stopped_and_goes_on(manager, store, url):
    far = BOOST | {"ends": "2099-12-27 00:00"}
    assert manager.post(f"{url}boost/", far).status_code == 302
    boost = Boost.objects.for_store(store).get()
    assert (boost.percent, boost.starts_at) == (200, datetime(2026, 12, 19, 16, tzinfo=UTC))
    manager.post(f"{LIST}boosts/{boost.public_id}/", {"to": "stop"})
    boost.refresh_from_db()
    assert boost.stopped_at
    manager.post(f"{LIST}boosts/{boost.public_id}/", {"to": "resume"})
    boost.refresh_from_db()
    assert boost.stopped_at is None
    page = manager.get(url).content.decode()
    assert "The boost “Christmas” was stopped." in page
    assert "Boost “Christmas”: 200% of the usual reward" in page


@pytest.mark.parametrize(
    ("change", "field"),
    [({"percent": "100"}, "percent"), ({"percent": "1001"}, "percent"), ({"ends": BOOST["starts"]}, "ends"),
     ({"starts": ""}, "starts"), ({"name": ""}, "name")],
)  # fmt: skip
def test_a_boost_that_makes_no_sense_is_refused(manager, store, url, change, field):
    page = manager.post(f"{url}boost/", BOOST | change)
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not Boost.objects.for_store(store).exists()


def test_strangers_and_staff_touch_no_version_and_no_boost(stranger, staff, store, url):
    for client, status in ((stranger, 404), (staff, 403)):
        assert client.post(f"{url}boost/", BOOST).status_code == status
        assert client.post(f"{url}back/", {"version": "1"}).status_code == status
        assert client.post(f"{LIST}new/", typed_terms(terms_with(), store)).status_code == status
    assert not Boost.objects.for_store(store).exists()
    assert program_of(store).terms.number == 1


def test_another_stores_program_is_not_found(manager, other_store, store):
    with acting_for(other_store):
        foreign = program_of(other_store).public_id
    for page in ("", "preview/", "status/", "back/", "boost/"):
        assert manager.post(f"{LIST}{foreign}/{page}", {"status": "paused"}).status_code == 404
