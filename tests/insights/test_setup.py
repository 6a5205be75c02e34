"""Setting up: each step writes what its own page elsewhere would write, keeps what was typed, and may be skipped."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.services import Person
from insights.setup import forms, steps
from insights.setup.steps import State, Step
from outreach import own_words
from referrals.materials import drawing
from referrals.models import PrintRun
from referrals.services import programs
from referrals.services.terms import terms_of
from rewards.models import Offer
from stores import directory
from stores.models import ApiKey, AuditEvent, Membership, Role, Store
from tests.conftest import NOW, make_order_of
from tests.referrals.print_world import addresses, picture

WHO = {
    "name": "Café Azul", "country": "PH", "timezone": "Asia/Manila", "locale": "fil", "website": "azul.example.com",
    "currency": "USD",
}  # fmt: skip
GIFTS = {
    "friend-kind": "percent_off", "friend-value": "15", "mine-kind": "store_credit", "mine-value": "100",
    "average": "900", "margin": "40",
}  # fmt: skip
LOOK = {"program": "Azul friends", "brand_color": "#1d4ed8", "phone": "+63 2 8555 0134", "postal_address": "24 Kalye"}
EVERY = {
    "who": WHO, "sells": {"kind": "beauty", "days": "", "arrives": ""}, "gifts": GIFTS, "look": LOOK,
    "team": {"email": "ana@example.com", "role": "staff"}, "orders": {},
}  # fmt: skip


@pytest.fixture
def begun(store) -> Store:
    """A store that was opened by its owner just now."""
    Store.objects.filter(pk=store.pk).update(setup={"open": True, "saved": ["who"]})
    return fresh(store)


def fresh(store: Store) -> Store:
    return Store.objects.get(pk=store.pk)


def at(step: str) -> str:
    return reverse("insights:setup_step", args=["rosewater", step])


def states(store: Store) -> list[str]:
    return [place.state.value for place in steps.board(fresh(store)).places]


# -- Going through --


def test_it_goes_on_where_one_stopped(owner, begun):
    begin = reverse("insights:setup", args=["rosewater"])
    assert owner.get(begin).url == at("sells")
    steps.skip(begun, Step.SELLS)
    assert owner.get(begin).url == at("gifts")
    for step in Step:
        steps.skip(begun, step)
    assert owner.get(begin).url == reverse("insights:setup_done", args=["rosewater"])


@pytest.mark.parametrize("step", Step.values)
def test_each_step_is_there_and_leads_back(owner, begun, step):
    page = owner.get(at(step))
    assert page.status_code == 200
    before = Step(step).before
    assert (before is None) or at(before.value) in page.content.decode()


@pytest.mark.parametrize("step", Step.values)
def test_each_step_may_be_skipped_and_changes_nothing(owner, begun, step):
    before = Store.objects.filter(pk=begun.pk).values().get() | {"setup": None}
    answer = owner.post(reverse("insights:setup_skip", args=["rosewater", step]), EVERY[step])
    after = Step(step).after
    assert answer.url == (at(after.value) if after else reverse("insights:setup_done", args=["rosewater"]))
    assert Store.objects.filter(pk=begun.pk).values().get() | {"setup": None} == before
    assert programs.program_of(begun).terms.number == 1
    assert not Membership.objects.for_store(begun).filter(role=Role.STAFF).exists()
    place = steps.board(fresh(begun)).places[Step(step).number - 1]
    assert place.state == (State.DONE if step == "who" else State.SKIPPED)


def test_six_steps_saved_are_six_done(owner, begun, make_order):
    for step, typed in EVERY.items():
        assert owner.post(at(step), typed).status_code == 302
    make_order(currency="USD")
    assert states(begun) == ["done"] * 6


def test_what_was_skipped_is_done_once_it_is_saved(owner, begun):
    steps.skip(begun, Step.SELLS)
    owner.post(at("sells"), EVERY["sells"])
    assert states(begun)[1] == "done"


def test_facts_speak_for_themselves(begun, make_user, make_order):
    assert states(begun) == ["done", *["open"] * 5]
    make_user(Role.STAFF, begun)
    make_order()
    Store.objects.filter(pk=begun.pk).update(brand_color="#1d4ed8", time_to_value_days=3)
    programs.change_program(programs.program_of(begun), terms_of(programs.program_of(begun)), by=None, at=NOW)
    assert states(begun) == ["done"] * 6


def test_a_key_is_a_way_for_orders_and_a_stopped_one_is_not(begun):
    key = ApiKey.objects.create(store=begun, prefix="gw_x", hash="x", scopes=[])
    assert states(begun)[-1] == "done"
    ApiKey.objects.filter(pk=key.pk, store=begun).update(revoked_at=NOW)
    assert states(begun)[-1] == "open"


# -- What each writes --


def test_who_you_are(owner, begun):
    owner.post(at("who"), WHO)
    store = fresh(begun)
    assert (store.name, store.locale, store.currency) == ("Café Azul", "fil", "USD")
    assert store.website == "https://azul.example.com"
    assert AuditEvent.objects.for_store(store).filter(action="settings.changed", user=owner.user).count() == 2


def test_money_stays_once_there_are_orders(owner, begun, make_order):
    make_order()
    assert owner.post(at("who"), WHO).status_code == 302
    assert fresh(begun).currency == "PHP"
    assert "there are orders in it" in owner.get(at("who")).content.decode()


@pytest.mark.parametrize(
    ("typed", "days", "delivers"),
    [
        ({"kind": "food"}, 1, False),
        ({"kind": "beauty"}, 21, True),
        ({"kind": "beauty", "days": "۱۰"}, 10, True),
        ({"kind": "food", "days": "0", "arrives": "yes"}, 0, True),
        ({"kind": "home", "arrives": "no"}, 14, False),
    ],
)
def test_what_you_sell_says_when_to_ask(owner, begun, typed, days, delivers):
    assert owner.post(at("sells"), typed).url == at("gifts")
    store = fresh(begun)
    assert (store.time_to_value_days, store.delivers) == (days, delivers)
    assert states(begun)[1] == "done"
    page = owner.get(at("sells"))
    assert page.context["chosen"] == typed["kind"]


def test_days_of_ones_own_are_shown_again_and_usual_ones_are_not(owner, begun):
    owner.post(at("sells"), {"kind": "food", "days": "5"})
    assert owner.get(at("sells")).context["form"]["days"].value() == 5
    owner.post(at("sells"), {"kind": "food"})
    assert owner.get(at("sells")).context["form"]["days"].value() == ""


def test_both_gifts(owner, begun):
    assert owner.post(at("gifts"), GIFTS).url == at("look")
    terms = terms_of(programs.program_of(begun))
    assert (terms.friend.kind, terms.friend.percent) == (Offer.Kind.PERCENT_OFF, 15)
    assert (terms.tiers[0].offer.kind, terms.tiers[0].offer.amount_minor) == (Offer.Kind.STORE_CREDIT, 10_000)
    assert fresh(begun).setup["average_minor"] == 90_000
    assert fresh(begun).setup["margin"] == 40
    assert AuditEvent.objects.for_store(begun).filter(action="program.changed", user=owner.user).count() == 1


def test_equal_gifts_make_no_new_terms(owner, begun):
    same = GIFTS | {"friend-value": "10", "mine-kind": "percent_off", "mine-value": "10"}
    owner.post(at("gifts"), same)
    assert programs.program_of(begun).terms.number == 1
    assert states(begun)[2] == "done"


def test_more_steps_of_the_program_stay(owner, begun):
    program = programs.program_of(begun)
    terms = terms_of(program)
    more = [*terms.tiers, forms.replace(terms.tiers[0], threshold=5)]
    programs.change_program(program, forms.replace(terms, tiers=more, hold_days=21), by=None, at=NOW)
    owner.post(at("gifts"), GIFTS)
    terms = terms_of(programs.program_of(begun))
    assert [tier.threshold for tier in terms.tiers] == [1, 5]
    assert terms.tiers[1].offer.percent == 10
    assert terms.hold_days == 21


def test_the_cost_is_worked_out_on_what_was_typed(owner, begun):
    """Friend 15 % of 900, customer 100: 235 of the 360 that are left."""
    page = owner.post(at("gifts"), GIFTS | {"action": "look"})
    assert page.status_code == 200
    words = page.content.decode()
    assert "₱360" in words
    assert "₱235" in words
    assert "₱125" in words
    assert programs.program_of(begun).terms.number == 1
    part = owner.post(at("gifts"), GIFTS, headers={"HX-Request": "true"}).content.decode()
    assert "₱235" in part
    assert "<html" not in part


def test_without_a_number_it_asks_for_one(owner, begun):
    assert "Write what a usual purchase comes to" in owner.get(at("gifts")).content.decode()


def test_orders_know_better_than_what_was_typed(owner, begun):

    make_order_of(begun, Person("Sara", "sara@example.com"), at=timezone.now(), total_minor=200_000)
    assert "₱2,000" in owner.post(at("gifts"), GIFTS | {"action": "look"}).content.decode()


def test_with_a_budget_percentages_are_left_to_the_editor(owner, begun):
    program = programs.program_of(begun)
    capped = forms.replace(terms_of(program).friend, most_minor=50_000)
    tier = forms.replace(terms_of(program).tiers[0], offer=capped)
    limited = forms.replace(terms_of(program), friend=capped, tiers=[tier], ceiling_minor=1_000_000)
    programs.change_program(program, limited, by=None, at=NOW)
    assert owner.post(at("gifts"), GIFTS).status_code == 302  # its upper limit stays
    credit = GIFTS | {"friend-kind": "store_credit", "friend-value": "50"}
    owner.post(at("gifts"), credit)
    answer = owner.post(at("gifts"), GIFTS)
    assert answer.status_code == 422
    assert "Your program has a budget" in answer.content.decode()


def test_the_look_follows_what_is_typed_and_saves_nothing(owner, begun):
    before = Store.objects.filter(pk=begun.pk).values().get()
    part = owner.post(at("look"), LOOK, headers={"HX-Request": "true"}).content.decode()
    assert "--brand: #1d4ed8" in part
    assert "24 Kalye" in part  # under the letter
    bright = owner.post(at("look"), LOOK | {"brand_color": "red;}"}, headers={"HX-Request": "true"}).content.decode()
    assert f"--brand: {begun.brand_color}" in bright
    assert Store.objects.filter(pk=begun.pk).values().get() == before


def test_words_and_look(owner, begun):
    assert owner.post(at("look"), LOOK).url == at("team")
    store = fresh(begun)
    assert (store.brand_color, store.postal_address) == ("#1d4ed8", "24 Kalye")
    assert programs.program_of(store).name == "Azul friends"


def test_your_staff_one_after_the_other(owner, begun, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.post(at("team"), EVERY["team"]).url == at("team")
    page = owner.get(at("team")).content.decode()
    assert "ana@example.com" in page
    assert [letter.to for letter in mailoutbox] == [["ana@example.com"]]
    assert states(begun)[4] == "done"


@pytest.mark.parametrize(
    ("step", "typed", "says", "kept"),
    [
        ("who", WHO | {"name": "", "website": "azul"}, "required", "azul"),
        ("who", WHO | {"currency": "XXX"}, "valid choice", "Café Azul"),
        ("sells", {"kind": "", "days": "12"}, "Choose what comes closest", "12"),
        ("sells", {"kind": "food", "days": "999"}, "from 0 to 365", "999"),
        ("gifts", GIFTS | {"friend-value": "150"}, "from 1 to 100", "150"),
        ("gifts", GIFTS | {"average": "a lot"}, "Nothing was saved yet", "a lot"),
        ("gifts", GIFTS | {"margin": "101"}, "from 1 to 100", "101"),
        ("look", LOOK | {"brand_color": "#ffff00"}, "Take a darker one", "#ffff00"),
        ("look", LOOK | {"phone": "call me"}, "in digits", "call me"),
        ("team", {"email": "ana@", "role": "staff"}, "valid email", "ana@"),
    ],
)
def test_what_is_refused_stays_as_it_was_typed(owner, begun, step, typed, says, kept):
    before = Store.objects.filter(pk=begun.pk).values().get()
    answer = owner.post(at(step), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page
    assert kept in page
    assert Store.objects.filter(pk=begun.pk).values().get() == before
    assert programs.program_of(begun).terms.number == 1


# -- The card for the counter --


def test_the_card_is_made_once_a_language_and_fetched_as_often_as_wanted(owner, begun):
    card = reverse("insights:setup_card", args=["rosewater"])
    first = owner.post(card, {"language": "fil"})
    assert owner.post(card, {"language": "fil"}).url == first.url
    run = PrintRun.objects.for_store(begun).get()
    assert (run.material, run.language, run.by) == (PrintRun.Material.TENT, "fil", owner.user)
    answer = owner.get(first.url)
    assert answer["Content-Type"] == "application/pdf"
    found = addresses(picture(drawing.png(answer.content, run)))
    assert found
    assert all(one.endswith(f"/j/{run.code}") for one in found)
    owner.post(card, {"language": "fa"})
    assert PrintRun.objects.for_store(begun).count() == 2


def test_a_paused_program_prints_nothing(owner, begun):
    programs.set_status(programs.program_of(begun), "paused", by=None, at=NOW)
    answer = owner.post(reverse("insights:setup_card", args=["rosewater"]), {"language": "en"}, follow=True)
    assert "Your program does not run" in answer.content.decode()
    assert not PrintRun.objects.for_store(begun).exists()


def test_an_unknown_language_is_none(owner, begun):
    assert owner.post(reverse("insights:setup_card", args=["rosewater"]), {"language": "xx"}).status_code == 404


# -- Home --


def home(client) -> str:
    return client.get(reverse("insights:home", args=["rosewater"])).content.decode()


def test_home_says_what_is_next_until_it_is_done(owner, manager, begun):
    assert "Go on: What you sell" in home(owner)
    assert "Go on:" not in home(manager)
    for step in Step:
        steps.skip(begun, step)
    assert "Print the counter card" in home(owner)
    owner.post(reverse("insights:setup_close", args=["rosewater"]))
    assert "setup-title" not in home(owner)
    owner.post(reverse("insights:setup_close", args=["rosewater"]), {"action": "reopen"})
    assert "setup-title" in home(owner)


def test_it_is_over_once_all_is_done_and_the_card_printed(owner, begun):
    for step in Step:
        steps.save(begun, step)
    assert "setup-title" in home(owner)
    owner.post(reverse("insights:setup_card", args=["rosewater"]), {"language": "en"})
    assert "setup-title" not in home(owner)


def test_a_store_that_came_by_a_command_is_left_alone(owner, store):
    assert "setup-title" not in home(owner)


def test_two_pages_at_once_lose_nothing(begun):
    twin = fresh(begun)
    steps.skip(begun, Step.TEAM)
    steps.save(twin, Step.SELLS, kind="food")
    kept = fresh(begun).setup
    assert (kept["skipped"], kept["saved"], kept["kind"]) == (["team"], ["who", "sells"], "food")


# -- Who may --


@pytest.mark.parametrize("step", Step.values)
def test_only_owners_set_up(manager, staff, stranger, client, begun, step):
    skip = reverse("insights:setup_skip", args=["rosewater", step])
    assert [one.post(at(step), EVERY[step]).status_code for one in (manager, staff, stranger)] == [403, 403, 404]
    assert [one.post(skip).status_code for one in (manager, staff, stranger)] == [403, 403, 404]
    assert client.post(at(step), EVERY[step]).status_code == 302
    assert fresh(begun).setup == begun.setup


def test_there_is_no_seventh_step(owner, begun):
    assert owner.get(at("seventh")).status_code == 404
    assert owner.post(reverse("insights:setup_skip", args=["rosewater", "seventh"])).status_code == 404


def test_wrong_methods(owner, begun):
    for name in ("setup", "setup_done"):
        assert owner.post(reverse(f"insights:{name}", args=["rosewater"])).status_code == 405
    for name in ("setup_card", "setup_close", "remove_sample"):
        assert owner.get(reverse(f"insights:{name}", args=["rosewater"])).status_code == 405
    assert owner.put(at("who")).status_code == 405


def test_the_pages_ask_as_much_of_a_large_store(owner, begun, make_order):
    def counts() -> list[int]:
        found = []
        for step in Step.values:
            own_words.forget(begun.pk)  # they are remembered for a while
            with CaptureQueriesContext(connection) as queries:
                owner.get(at(step))
            found.append(len(queries))
        return found

    make_order()
    few = counts()
    for number in range(10):
        make_order(email=f"p{number}@example.com")
    assert counts() == few
    print("queries of the steps:", dict(zip(Step.values, few, strict=True)))


@pytest.mark.parametrize("width", ["new", "skip"])
def test_a_new_store_begins_with_what_the_browser_says(login, store, width):
    somebody = login(None)
    page = somebody.get("/stores/new/", headers={"Accept-Language": "en-PH,en;q=0.8"})
    form = page.context["form"]
    assert (form["currency"].value(), form["country"].value(), form["timezone"].value()) == ("PHP", "PH", "Asia/Manila")
    typed = {"new": {"name": "Nook", **form.initial}, "skip": {"action": "skip", "name": ""}}[width]
    answer = somebody.post("/stores/new/", typed, headers={"Accept-Language": "en-PH,en;q=0.8"})
    slug = answer.url.split("/")[2]
    assert answer.url == f"/d/{slug}/setup/sells/"
    opened = directory.named(slug)
    assert (opened.currency, opened.country) == ("PHP", "PH")
    assert opened.setup == {"open": True, {"new": "saved", "skip": "skipped"}[width]: ["who"]}
    assert opened.name == {"new": "Nook", "skip": "My shop"}[width]


@pytest.mark.parametrize("accepted", ["", "xx-ZZ", "en-QO,*", "en-EU;q=0.1", "-PH", "fa"])
def test_whatever_the_browser_says_the_form_opens(login, store, accepted):
    page = login(None).get("/stores/new/", headers={"Accept-Language": accepted})
    form = page.context["form"]
    assert form["currency"].value() in dict(form.fields["currency"].choices)
    assert form["country"].value() in dict(form.fields["country"].choices)
    assert form["timezone"].value() in dict(form.fields["timezone"].choices)


def test_who_counts_in_rial_may_count_in_toman(owner, begun):
    owner.post(at("who"), WHO | {"currency": "IRR"})
    assert fresh(begun).toman
    assert owner.post(at("who"), WHO | {"currency": "IRR"}).status_code == 302
    assert not fresh(begun).toman  # the box was there, and empty


def test_the_end_shows_the_card(owner, begun):
    page = owner.get(reverse("insights:setup_done", args=["rosewater"])).content.decode()
    assert "data:image/png;base64," in page
    assert not PrintRun.objects.for_store(begun).exists()
