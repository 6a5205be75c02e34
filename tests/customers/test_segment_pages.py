"""The pages of segments: made with a look at who it is, changed, deleted, brought back, downloaded."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers import tagging
from customers.models import Segment
from outreach.kinds import Kind, Trigger
from outreach.models import Journey
from referrals import audiences
from tests.conftest import NOW

LATELY = {"row-0-fact": "bought_within", "row-0-value": "3650"}
NAMED = {"name": "Buyers", **LATELY}


@pytest.fixture
def urls(store):
    names = ("segments", "new_segment", "segment_preview", "restore_segment")
    return {name: reverse(f"referrals:{name}", args=[store.slug]) for name in names}


@pytest.fixture
def segment(store, make_customer):
    make_customer("Sara Ahmadi")
    return audiences.save(store, name="Buyers", conditions=[{"fact": "bought_within", "value": 3650}], at=NOW)


@pytest.fixture
def url(store, segment):
    return reverse("referrals:segment", args=[store.slug, segment.public_id])


def names_of(segment):
    return sorted(segment.members.values_list("customer__name", flat=True))


def test_nothing_yet(manager, urls):
    assert "No segment yet" in manager.get(urls["segments"]).content.decode()


def test_the_list_says_who_how_many_and_what_for(manager, urls, segment, store):
    Journey.objects.create(store=store, kind=Kind.OWN, trigger=Trigger.MANUAL, name="Spring", segment=segment)
    page = manager.get(urls["segments"]).content.decode()
    for words in ("Buyers", "Bought within the last 3,650 days", "Spring"):
        assert words in page


def test_it_is_made_and_its_members_with_it(manager, urls, store, make_customer):
    make_customer("Sara Ahmadi")
    answer = manager.post(urls["new_segment"], NAMED)
    made = Segment.objects.for_store(store).get()
    assert answer.url == reverse("referrals:segment", args=[store.slug, made.public_id])
    assert (made.name, made.conditions) == ("Buyers", [{"fact": "bought_within", "value": 3650}])
    assert names_of(made) == ["Sara Ahmadi"]


def test_the_preview_counts_before_anything_is_saved(manager, urls, store, make_customer):
    for number in range(11):
        make_customer(f"Number {number:02}")
    part = manager.post(urls["segment_preview"], LATELY).content.decode()
    assert "11 customers" in part
    assert part.count("Number ") == 10
    assert "<html" not in part
    assert not Segment.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("post", "words"),
    [
        ({}, "Add a condition"),
        ({"row-0-fact": "bought_within", "row-0-value": "x"}, "cannot be read yet"),
        ({"row-0-fact": "tag", "row-0-value": ""}, "cannot be read yet"),
        ({"row-0-fact": "bought_within", "row-0-value": "۷"}, "Bought within the last 7 days"),
    ],
)
def test_the_preview_of_what_is_half_typed(manager, urls, post, words):
    assert words in manager.post(urls["segment_preview"], post).content.decode()


def test_conditions_come_and_go_without_a_script(manager, urls, store):
    page = manager.post(urls["new_segment"], {**NAMED, "step": "add", "add": "recency"}).content.decode()
    assert 'name="row-0-value" value="3650"' in page
    assert 'name="row-1-fact" value="recency"' in page
    assert 'value="Buyers"' in page
    page = manager.post(
        urls["new_segment"],
        {**NAMED, "row-1-fact": "recency", "row-1-lowest": "2", "row-1-highest": "5", "step": "remove-0"},
    ).content.decode()
    assert 'name="row-0-fact" value="recency"' in page
    assert "row-1-fact" not in page
    assert '<option value="2" selected>' in page
    assert not Segment.objects.for_store(store).exists()


@pytest.mark.parametrize("fact", list(audiences.FACTS))
def test_every_fact_can_be_added_and_looked_at(manager, urls, store, fact, make_customer):
    customer = make_customer("Sara")
    tagging.tag(store, [customer.pk], "vip")
    page = manager.post(urls["new_segment"], {"name": "x", "step": "add", "add": fact})
    assert page.status_code == 200
    assert f'name="row-0-fact" value="{fact}"' in page.content.decode()


def test_every_fact_is_kept_as_it_was_typed(manager, urls, store, make_customer):
    """Round trip through the form: what the editor shows again is what was saved."""
    customer = make_customer("Sara")
    tagging.tag(store, [customer.pk], "vip")
    typed = {
        "name": "Much",
        "row-0-fact": "spent_at_least",
        "row-0-value": "1,500.50",
        "row-1-fact": "spend",
        "row-1-lowest": "1",
        "row-1-highest": "5",
        "row-2-fact": "tag",
        "row-2-value": "vip",
        "row-3-fact": "tier",
        "row-3-value": "1",
        "row-4-fact": "language",
        "row-4-value": "en",
    }
    assert manager.post(urls["new_segment"], typed).status_code == 302
    segment = Segment.objects.for_store(store).get()
    before = segment.conditions
    assert [one["value"] for one in before] == [150_050, [1, 5], "vip", "1", "en"]
    url = reverse("referrals:segment", args=[store.slug, segment.public_id])
    page = manager.get(url).content.decode()
    assert 'value="1500.50"' in page
    tagging.untag(store, [customer.pk], "vip")  # gone from the list to choose from, kept in the segment
    assert '<option value="vip" selected>' in manager.get(url).content.decode()
    assert manager.post(url, {**typed, "row-0-value": "1500.50"}).status_code == 302
    segment.refresh_from_db()
    assert segment.conditions == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"row-0-value": "0"},
        {"row-0-value": "x"},
        {"row-0-fact": "nonsense"},
        {"row-0-fact": ""},
        {"row-1-fact": "recency", "row-1-lowest": "4", "row-1-highest": "2"},
        {"row-1-fact": "spent_at_least", "row-1-value": "-5"},
        {"row-1-fact": "score", "row-1-value": "delighted"},
        {"row-1-fact": "tag", "row-1-value": "x" * 41},
    ],
)
def test_a_refusal_keeps_what_was_typed_and_saves_nothing(manager, urls, store, wrong):
    answer = manager.post(urls["new_segment"], {**NAMED, **wrong})
    assert answer.status_code == 422
    assert ("field-error" in answer.content.decode()) or ("alert-danger" in answer.content.decode())
    if "name" not in wrong:
        assert 'value="Buyers"' in answer.content.decode()
    assert not Segment.objects.for_store(store).exists()


def test_a_name_is_taken_once(manager, urls, segment, store):
    answer = manager.post(urls["new_segment"], NAMED)
    assert answer.status_code == 422
    assert "Another segment has this name." in answer.content.decode()
    assert Segment.objects.for_store(store).count() == 1


def test_a_changed_segment_has_other_members_at_once(manager, url, segment):
    assert manager.post(url, {"name": "Nobody", "row-0-fact": "tag", "row-0-value": "vip"}).status_code == 302
    segment.refresh_from_db()
    assert (segment.name, names_of(segment)) == ("Nobody", [])


def test_deleting_can_be_undone(manager, url, urls, segment, store):
    page = manager.post(url, {"step": "delete"}, follow=True)
    assert not Segment.objects.for_store(store).exists()
    ticket = page.context["ticket"]
    assert "Undo" in page.content.decode()
    manager.post(urls["restore_segment"], {"ticket": ticket})
    back = Segment.objects.for_store(store).get()
    assert (back.public_id, names_of(back)) == (segment.public_id, ["Sara Ahmadi"])
    assert (
        "has this name by now"
        in manager.post(urls["restore_segment"], {"ticket": ticket}, follow=True).content.decode()
    )  # pressed twice
    assert manager.post(urls["restore_segment"], {"ticket": ticket + "x"}).status_code == 404


def test_what_is_used_stays_and_says_by_what(manager, url, segment, store):
    Journey.objects.create(store=store, kind=Kind.OWN, trigger=Trigger.MANUAL, name="Spring", segment=segment)
    assert "Spring" in manager.post(url, {"step": "delete"}, follow=True).content.decode()
    assert names_of(segment) == ["Sara Ahmadi"]


def test_the_file_has_the_members(manager, store, segment):
    content = manager.get(reverse("referrals:segment_csv", args=[store.slug, segment.public_id])).content
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["Sara Ahmadi"]


def test_the_list_of_customers_is_cut_to_a_segment_and_a_tag(manager, store, segment, make_customer):
    paolo, url = make_customer("Paolo Reyes"), reverse("customers:list", args=[store.slug])
    tagging.tag(store, [paolo.pk], "vip")

    def shown(**query):
        return sorted(one.name for one in manager.get(url, query).context["page"].rows)

    assert shown(segment=segment.public_id) == ["Sara Ahmadi"]
    assert shown(tag="vip") == ["Paolo Reyes"]
    assert shown(tag="vip", segment=segment.public_id) == []
    assert shown(tag="nonsense", segment="nonsense") == ["Paolo Reyes", "Sara Ahmadi"]
    rows = manager.get(url, {"tag": "vip", "format": "csv"}).content.decode()
    assert "Paolo" in rows
    assert "Sara" not in rows


def test_strangers_and_staff_see_and_change_nothing(stranger, staff, client, url, urls, segment, store):
    download = reverse("referrals:segment_csv", args=[store.slug, segment.public_id])
    for who, status in ((stranger, 404), (staff, 403), (client, 302)):
        for page in (urls["segments"], urls["new_segment"], url, download):
            assert who.get(page).status_code == status
        for page in (urls["new_segment"], urls["segment_preview"], urls["restore_segment"]):
            assert who.post(page, {"name": "Theirs", **LATELY}).status_code == status
        assert who.post(url, {"step": "delete"}).status_code == status
    assert [one.name for one in Segment.objects.for_store(store)] == ["Buyers"]


def test_another_stores_ticket_brings_nothing_back(manager, stranger, url, other_store, segment):
    ticket = manager.post(url, {"step": "delete"}, follow=True).context["ticket"]
    restore = reverse("referrals:restore_segment", args=[other_store.slug])
    assert stranger.post(restore, {"ticket": ticket}).status_code == 404


def test_wrong_methods(manager, urls, url, store, segment):
    assert manager.post(urls["segments"]).status_code == 405
    assert manager.get(urls["segment_preview"]).status_code == 405
    assert manager.get(urls["restore_segment"]).status_code == 405
    assert manager.put(url).status_code == 405
    assert manager.post(reverse("referrals:segment_csv", args=[store.slug, segment.public_id])).status_code == 405


def test_queries_do_not_grow_with_segments(manager, urls, store, segment):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            manager.get(urls["segments"])
        return len(queries)

    manager.get(urls["segments"])
    few = cost()
    for number in range(6):
        conditions = [{"fact": "tier", "value": "1"}, {"fact": "location", "value": "mall"}]
        audiences.save(store, name=f"S{number}", conditions=conditions, at=NOW)
    assert cost() <= few + 2  # the names of steps and branches, once
