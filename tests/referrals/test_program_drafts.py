"""Programs from draft to publication: the page beside the form, what a draft does to nobody, older versions."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.services import Person
from outreach.fields import FIELDS
from referrals import changes, previews, program_history
from referrals.forms import as_typed, typed_terms
from referrals.models import Program, ShareLink
from referrals.services import claims, drafting, programs
from referrals.services.links import share_link_of, share_page_url
from referrals.services.programs import program_of
from referrals.services.terms import describe, terms_from, terms_of
from rewards.models import Budget, Ladder, Offer, Terms, Voucher
from stores import drafts
from stores.codes import normalise
from stores.models import AuditEvent, Draft, Role
from tests.conftest import NOW, make_order_of
from tests.editors import looked_at, publish
from tests.referrals.journey_world import take_gift
from tests.referrals.program_world import EVERYTHING, FIXED, draft, terms_with
from tests.referrals.test_program_editor import programs as any_terms

LIST = "/d/rosewater/program/"
LANGUAGES = ("en", "fil", "fa")
# Tokens name rows, and the rehearsal's rows are gone.
TOKEN = re.compile(r"/(me|terms|u|r)/[\w-]{12,}")


@pytest.fixture
def url(store):
    """Where the store's first program is edited."""
    return f"{LIST}{program_of(store).public_id}/"


@pytest.fixture
def typed(store):
    """The program as the page sends it unchanged."""
    return as_typed(program_of(store))


@pytest.fixture
def goods(make_order):
    """The store sells mugs: product MUG-1 of the category "kitchen"."""
    return make_order("goods@example.com")


def terms(store):
    return describe(program_of(store))


def said(response):
    return html.unescape(response.content.decode())


# -- The page beside the form --


def main_of(page: str) -> str:
    """What stands on a page, without what names single rows."""
    found = re.search(r"<main.*?</main>", page, re.DOTALL)
    assert found
    text = re.sub(r'action="[^"]*"', "", previews.previews.SCRIPT.sub("", found.group()))
    return TOKEN.sub(r"/\1/-", text)


def example(store, language):
    """The link of a customer as the preview makes one up: the same name, language and code."""
    at = timezone.now()
    person = Person(name=FIELDS["name"].sample(language, at), email=f"{language}@example.com", locale=language)
    customer = make_order_of(store, person, at=NOW - timedelta(days=3)).customer
    link = share_link_of(customer, at=at)
    ShareLink.objects.filter(pk=link.pk).update(code=previews.CODE, code_norm=normalise(previews.CODE))
    return ShareLink.objects.select_related("customer").get(pk=link.pk)


def path_of(link, view):
    return f"/r/{link.code}" if view == "friend" else share_page_url(link.customer).partition("//")[2].partition("/")[2]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", ["advocate", "friend"])
def test_the_page_beside_the_form_is_the_public_page_after_publishing(manager, store, goods, url, view, language):
    whole = typed_terms(EVERYTHING, store) | {"audience": "1", "ends": "2099-12-01 00:00"}
    shown = manager.post(f"{url}preview/", whole | {"view": view, "language": language})
    page = shown.context["page"]
    assert (page.view, page.language) == (view, language)
    assert f'lang="{language}"' in page.html
    assert ('dir="rtl"' in page.html) == (language == "fa")
    link = example(store, language)
    before = Client().get("/" + path_of(link, view).lstrip("/"), headers={"User-Agent": "Googlebot"})
    assert main_of(page.html) != main_of(before.content.decode())
    assert publish(manager, url, whole).status_code == 302
    public = Client().get("/" + path_of(link, view).lstrip("/"), headers={"User-Agent": "Googlebot"})
    assert public.status_code == 200
    assert main_of(page.html) == main_of(public.content.decode())


def test_a_look_leaves_nothing_behind(manager, store, url, typed):
    tables = (Terms, Offer, Ladder, Budget, AuditEvent, Draft, ShareLink)
    before = [table.objects.for_store(store).count() for table in tables]
    for view in ("advocate", "friend"):
        manager.post(f"{url}preview/", typed | {"value": "25", "view": view})
        manager.post(f"{LIST}new/preview/", typed | {"value": "25", "view": view, "name": ""})
    manager.get(url)
    assert [table.objects.for_store(store).count() for table in tables] == before


def test_the_frame_runs_no_script_and_leads_nowhere(manager, url):
    page = manager.get(url).context["page"].html
    assert "<script" not in page
    assert '<base target="_blank">' in page
    assert 'sandbox="allow-same-origin"' in manager.get(url).content.decode()


def test_the_frame_shows_no_message_of_the_dashboard(manager, store, url, typed):
    answer = publish(manager, url, typed | {"value": "15"}, follow=True)
    assert "Published: it holds from now on." in said(answer)
    assert "Published: it holds" not in answer.context["page"].html


def test_what_cannot_be_read_leaves_the_page_as_it_is(manager, url, typed):
    answer = manager.post(f"{url}preview/", typed | {"value": "lots"})
    assert "page-frame" not in answer.content.decode()
    assert "Something cannot be read yet" in said(answer)


def test_a_new_program_is_seen_before_it_has_a_name(manager):
    assert manager.get(f"{LIST}new/").context["page"] is not None


def test_fewer_places_than_are_taken_can_be_looked_at(manager, store, share_link, url):
    for number in (1, 2):
        take_gift(share_link, f"Bea {number}")
    shown = manager.post(f"{url}preview/", as_typed(program_of(store)) | {"places": "1", "view": "friend"})
    assert "All gifts are taken" in shown.context["page"].html


# -- A draft --


def test_a_draft_changes_nothing_for_anybody(manager, store, share_link, url, typed):
    claim = take_gift(share_link)
    paths = [share_page_url(share_link.customer).partition("//")[2].partition("/")[2], f"r/{share_link.code}"]
    bot = {"User-Agent": "Googlebot"}

    def seen():
        pages = [Client().get(f"/{path}", headers=bot).content.decode() for path in paths]
        return [terms(store), *map(main_of, pages), Terms.objects.for_store(store).count()]

    before = seen()
    answer = manager.post(url, typed | {"step": "save", "value": "99", "hold_days": "1", "places": "5", "begun": ""})
    assert answer.status_code == 302
    assert seen() == before
    friend = claims.claim(share_link, Person("Cleo", "cleo@example.com"), at=timezone.now())
    assert friend.terms_id == claim.terms_id
    page = manager.get(url)
    assert page.context["editor"].form["value"].value() == "99"
    assert "99% off" in said(page)
    assert f"A draft that {manager.user}" in re.sub(r"</?bdi>", "", said(page))
    assert publish(manager, url, as_typed(program_of(store)) | {"value": "99"}).status_code == 302
    claim.refresh_from_db()
    assert claim.terms.friend_offer.percent == 10
    assert terms(store)["friend"]["percent"] == 99
    assert drafting.draft_of(program_of(store)) is None


def test_a_draft_keeps_what_cannot_be_read_yet(manager, store, url, typed):
    assert manager.post(url, typed | {"step": "save", "value": "lots", "name": "Half typed"}).status_code == 302
    page = manager.get(url)
    assert 'value="lots"' in page.content.decode()
    assert 'value="Half typed"' in page.content.decode()
    assert 'aria-invalid="true"' in page.content.decode()
    assert terms(store)["version"] == 1
    assert "draft not published" in manager.get(LIST).content.decode()
    assert publish(manager, url, typed | {"value": "lots"}).status_code == 422


def test_a_draft_is_thrown_away_and_comes_back(manager, store, url, typed):
    manager.post(url, typed | {"step": "save", "value": "33"})
    answer = manager.post(url, {"step": "drop"}, follow=True)
    assert drafting.draft_of(program_of(store)) is None
    assert answer.context["editor"].form["value"].value() == "10"
    event = answer.context["dropped"].pk
    manager.post(url, {"step": "undrop", "event": str(event)})
    assert manager.get(url).context["editor"].form["value"].value() == "33"
    assert "There is a newer draft" in said(manager.post(url, {"step": "undrop", "event": str(event)}, follow=True))
    assert manager.post(url, {"step": "undrop", "event": "x"}).status_code == 404


def test_a_draft_of_somebody_else_is_not_overwritten_unseen(manager, login, store, url, typed):
    other = login(Role.MANAGER)
    mine, theirs = manager.get(url).context["begun"], other.get(url).context["begun"]
    assert other.post(url, typed | {"step": "save", "value": "20", "begun": theirs}).status_code == 302
    page = manager.post(url, typed | {"step": "save", "value": "30", "begun": mine})
    assert page.status_code == 409
    assert "saved a draft of this" in said(page)
    assert "Friends get 30% off, valid for 90 days. Before: 20% off" in said(page)
    assert 'value="30"' in page.content.decode()
    assert drafting.draft_of(program_of(store)).typed["value"] == "20"
    manager.post(url, typed | {"step": "save", "value": "30", "begun": page.context["begun"]})
    assert drafting.draft_of(program_of(store)).typed["value"] == "30"


def test_an_unpublished_program_is_not_overwritten_unseen(manager, store):
    made = draft(store, terms_with())
    address, typed = f"{LIST}{made.public_id}/", as_typed(made)
    base = manager.get(address).context["base"]
    assert manager.post(address, typed | {"value": "20", "base": base}).status_code == 302
    page = manager.post(address, typed | {"value": "30", "base": base})
    assert page.status_code == 409
    assert 'value="30"' in page.content.decode()
    made.refresh_from_db()
    assert terms_of(made).friend.percent == 20


def test_a_draft_that_nobody_saw_outlives_anothers_publishing(manager, login, store, url, typed):
    other = login(Role.MANAGER)
    form = looked_at(manager, url, typed | {"value": "15"})
    other.post(url, typed | {"step": "save", "value": "20"})
    assert manager.post(url, form).status_code == 302
    page = other.get(url)
    assert page.context["editor"].form["value"].value() == "20"
    assert page.context["is_draft_outdated"]
    assert "Since it was begun something else was published" in said(page)


# -- Publishing --


@pytest.mark.parametrize("seal", ["", "0" * 32])
def test_nobody_publishes_what_they_were_not_shown(manager, store, url, typed, seal):
    base = manager.get(url).context["base"]
    page = manager.post(url, typed | {"step": "publish", "value": "15", "seal": seal, "base": base})
    assert page.status_code == 422
    assert "Nothing is published yet. Look at what publishing changes" in said(page)
    assert "Friends get 15% off" in said(page)
    assert terms(store)["version"] == 1
    again = {"step": "publish", "value": "15", "seal": page.context["coming"].seal, "base": page.context["base"]}
    assert manager.post(url, typed | again).status_code == 302
    assert terms(store)["friend"]["percent"] == 15


def test_the_seal_of_one_change_publishes_no_other(manager, store, url, typed):
    form = looked_at(manager, url, typed | {"value": "15"})
    assert manager.post(url, form | {"value": "90"}).status_code == 422
    assert terms(store)["friend"]["percent"] == 10


def test_the_second_of_two_managers_is_told(manager, login, store, url, typed):
    other = login(Role.MANAGER)
    mine, theirs = looked_at(manager, url, typed | {"value": "15"}), looked_at(other, url, typed | {"hold_days": "3"})
    assert other.post(url, theirs).status_code == 302
    page = manager.post(url, mine)
    assert page.status_code == 409
    assert "changed this" in said(page)
    assert str(other.user) in said(page)
    assert 'value="15"' in page.content.decode()
    assert "A friend's purchase counts after 14 days. Before: 3." in said(page)
    assert (terms(store)["friend"]["percent"], terms(store)["hold_days"]) == (10, 3)


def test_a_new_program_can_be_published_at_once(manager, store):
    typed = typed_terms(terms_with(), store) | {"name": "For the team", "audience": "3"}
    answer = publish(manager, f"{LIST}new/", typed)
    assert answer.status_code == 302
    made = Program.objects.for_store(store).get(name="For the team")
    assert (made.status, made.terms.number) == (Program.Status.LIVE, 1)


def test_publishing_a_new_program_beside_another_leaves_nothing_behind(manager, store):
    typed = typed_terms(terms_with(), store) | {"name": "A second", "claim_days": "77"}
    page = publish(manager, f"{LIST}new/", typed)
    assert page.status_code == 422
    assert "Another program for the same people" in said(page)
    assert 'value="77"' in page.content.decode()
    assert Program.objects.for_store(store).count() == 1


def test_a_program_is_published_in_its_editor_alone(manager, store):
    made = draft(store, terms_with(), audience=Program.Audience.STAFF)
    page = manager.post(f"{LIST}{made.public_id}/status/", {"status": "live"}, follow=True)
    assert "Look at it first, then press Publish." in said(page)
    made.refresh_from_db()
    assert made.status == Program.Status.DRAFT


def test_publishing_an_unchanged_draft_program_makes_no_second_version_of_it(manager, store):
    made = draft(store, terms_with(), audience=Program.Audience.STAFF)
    publish(manager, f"{LIST}{made.public_id}/", as_typed(made))
    made.refresh_from_db()
    assert (made.status, made.terms.number) == (Program.Status.LIVE, 1)


def test_it_tells_who_keeps_the_old_and_who_gets_the_new(manager, store, share_link, make_order, url):
    programs.change_program(program_of(store), terms_with(friend=FIXED), by=None, at=NOW)
    take_gift(share_link)
    page = manager.post(f"{url}preview/", as_typed(program_of(store)) | {"value": "50"})
    assert page.context["coming"].keeps == ["1 friend has a gift and has not used it: it keeps what it promised."]
    assert page.context["coming"].gets == [
        "1 customer has a link: their page, and what a new friend gets, are the new ones."
    ]
    assert "For whom the old goes on" in said(page)


def test_what_does_not_run_is_seen_by_nobody(manager, store, url, typed):
    manager.post(f"{url}status/", {"status": "paused"})
    (line,) = manager.post(f"{url}preview/", typed | {"value": "50"}).context["coming"].gets
    assert "nobody sees the new terms until it does" in line


# -- Older versions --


def test_every_version_is_named_with_who_and_when_and_can_be_looked_at(manager, store, url, typed):
    publish(manager, url, typed | {"value": "15"})
    publish(manager, url, as_typed(program_of(store)) | {"value": "20", "hold_days": "3"})
    page = manager.get(url)
    steps = page.context["history"]
    assert [(one.back_to, one.is_now) for one in steps] == [("3", True), ("2", False), ("1", False)]
    assert steps[0].by == str(manager.user)
    assert steps[2].lines == ["The program was made."]
    older = manager.get(url, {"version": "2"})
    assert older.context["editor"].form["value"].value() == "15"
    assert "This is version 2, to look at" in said(older)
    assert older.context["coming"].changes[0] == "A friend's purchase counts after 14 days. Before: 3."
    assert terms(store)["version"] == 3
    assert manager.get(url, {"version": "7"}).status_code == 404


def test_publishing_can_be_undone_at_once(manager, store, url, typed):
    before = terms(store)
    page = publish(manager, url, typed | {"value": "15", "name": "Autumn", "ends": "2099-01-01 00:00"}, follow=True)
    assert page.context["undo_to"] == 1
    manager.post(f"{url}back/", {"version": "1"})
    assert {**terms(store), "version": 1} == before


def test_a_version_in_another_currency_does_not_return(manager, store, url, typed):
    publish(manager, url, typed | {"kind": "fixed_off", "value": "100"})
    programs.change_currency(store, "JPY", toman=False, by=None, at=timezone.now())
    page = manager.post(f"{url}back/", {"version": "2"}, follow=True)
    assert "another currency" in said(page)
    assert program_of(store).terms.number == 3


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(terms=any_terms)
def test_terms_are_read_back_from_the_history_as_they_were(store, goods, terms):
    made = draft(store, terms)
    facts = describe(made)
    assert programs.wished(terms_from(facts), programs.schedule_from(facts), "PHP") == {
        name: value for name, value in facts.items() if name != "version"
    }


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.one_of(any_terms, st.integers(0, 9)), min_size=2, max_size=6))
def test_any_older_version_returns_exactly(store, goods, steps):
    """Changed and put back in any order: each version says what it said, and history words say every step."""
    made = draft(store, terms_with())
    was = {1: describe(made)}
    for step in steps:
        if isinstance(step, int):
            number = 1 + step % len(was)
            facts = program_history.facts_of_version(made, str(number))
            made = drafting.go_back(made, facts, by=None, at=NOW)
            expected = was[number]
        else:
            made = programs.change_program(made, step, by=None, at=NOW)
            expected = describe(made)
        was[made.terms.number] = describe(made)
        assert {**describe(made), "version": 0} == {**expected, "version": 0}
    for number, facts in was.items():
        found = program_history.facts_of_version(made, str(number))
        assert changes.in_words(found, facts, store) == []
        assert {**found, "limits": None, "version": 0} == {**facts, "limits": None, "version": 0}


# -- Cost --


def test_the_editor_costs_the_same_for_many(manager, store, share_link, url, typed):
    def cost(view):
        with CaptureQueriesContext(connection) as page:
            manager.get(url)
        with CaptureQueriesContext(connection) as part:
            manager.post(f"{url}preview/", typed | {"value": "44", "view": view})
        return len(page), len(part)

    take_gift(share_link)
    publish(manager, url, typed | {"value": "11"})
    few = [cost(view) for view in ("advocate", "friend")]
    for number in range(10):
        publish(manager, url, typed | {"value": str(20 + number)})
        take_gift(share_link, f"Bea {number}")
    assert [cost(view) for view in ("advocate", "friend")] == few
    print("queries of the editor and of its preview:", few)
    assert max(max(pair) for pair in few) <= 60
    assert Voucher.objects.for_store(store).count() > 5


def test_a_draft_has_bounds():
    long = drafts.fields_of({f"field-{number}": "x" * 30_000 for number in range(600)})
    assert len(long) == drafts.MOST_FIELDS
    assert max(map(len, long.values())) == drafts.LONGEST
