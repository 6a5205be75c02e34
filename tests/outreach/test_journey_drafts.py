"""Messages from draft to publication: a draft sends nothing, who publishes sees what it changes, versions return."""

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Segment
from outreach import journey_changes, journey_history, journeys, own_words, publishing
from outreach.journeys import Plan, create_own, journey_of
from outreach.kinds import Kind, Trigger
from outreach.models import Template
from outreach.words import PIECES, Wording, our_words
from stores import drafts
from stores.models import AuditEvent, Draft, Role
from tests.conftest import NOW
from tests.editors import looked_at, publish
from tests.outreach.test_journey_views import LANGUAGES, sent, url
from tests.planned import plan_message


@pytest.fixture
def ask(store):
    """Where the ask is edited."""
    return url("journey", store, "ask")


def said(response):
    return html.unescape(response.content.decode())


def subject_of(store, language="en"):
    """What the next ask would say above."""
    row = Template.objects.for_store(store).filter(journey__kind=Kind.ASK, language=language).first()
    return (row and row.subject) or our_words(Kind.ASK, language).subject


def mine(subject, **more):
    return sent(Kind.ASK, **{"words-en-subject": subject}, **more)


# -- A draft --


def test_a_draft_sends_nothing_new(manager, store, ask):
    before = publishing.facts_of(journey_of(store, Kind.ASK))
    assert manager.post(ask, mine("Mine", step="save", begun="")).status_code == 302
    assert publishing.facts_of(journey_of(store, Kind.ASK)) == before
    assert subject_of(store) == our_words(Kind.ASK, "en").subject
    page = manager.get(ask)
    assert page.context["editor"].words("en").typed("subject") == "Mine"
    assert "nobody sees it until it is published" in said(page)
    assert page.context["coming"].changes == ["Subject, English: “Mine”. Before: our words."]
    assert manager.get(url("journeys", store)).content.decode().count("draft not published") == 1
    assert publish(manager, ask, mine("Mine")).status_code == 302
    assert subject_of(store) == "Mine"


def test_publishing_from_the_draft_ends_it(manager, store, ask):
    manager.post(ask, mine("Mine", step="save", begun=""))
    page = manager.get(ask)
    marks = {name: page.context[name] for name in ("base", "begun")}
    manager.post(ask, mine("Mine", step="publish", seal=page.context["coming"].seal, **marks))
    assert not Draft.objects.for_store(store).exists()


def test_a_draft_keeps_what_cannot_be_read_yet(manager, store, ask):
    assert manager.post(ask, mine("Hello {{ nmae }}", step="save", begun="")).status_code == 302
    page = manager.get(ask)
    assert "did you mean {{ name }}?" in said(page)
    assert page.context["editor"].words("en").typed("subject") == "Hello {{ nmae }}"
    assert page.context["coming"] is None


def test_a_draft_is_thrown_away_and_comes_back(manager, store, ask):
    manager.post(ask, mine("Mine", step="save", begun=""))
    gone = manager.post(ask, {"step": "drop"}, follow=True)
    assert gone.context["editor"].words("en").typed("subject") == our_words(Kind.ASK, "en").subject
    manager.post(ask, {"step": "undrop", "event": str(gone.context["dropped"].pk)})
    assert manager.get(ask).context["editor"].words("en").typed("subject") == "Mine"


def test_a_draft_of_somebody_else_is_not_overwritten_unseen(manager, login, store, ask):
    login(Role.MANAGER).post(ask, mine("Theirs", step="save", begun=""))
    page = manager.post(ask, mine("Mine", step="save", begun=""))
    assert page.status_code == 409
    assert "saved a draft of this" in said(page)
    assert page.context["editor"].words("en").typed("subject") == "Mine"
    manager.post(ask, mine("Mine", step="save", begun=page.context["begun"]))
    assert Draft.objects.for_store(store).get().typed["words-en-subject"] == "Mine"


# -- Publishing --


@pytest.mark.parametrize("seal", ["", "0" * 32])
def test_nobody_publishes_what_they_were_not_shown(manager, store, ask, seal):
    base = manager.get(ask).context["base"]
    page = manager.post(ask, mine("Mine", step="publish", seal=seal, base=base))
    assert page.status_code == 422
    assert "Nothing is published yet. Look" in said(page)
    assert subject_of(store) == our_words(Kind.ASK, "en").subject
    assert not AuditEvent.objects.for_store(store).exists()


def test_the_second_of_two_managers_is_told(manager, login, store, ask):
    other = login(Role.MANAGER)
    forms = looked_at(manager, ask, mine("Mine")), looked_at(other, ask, mine("Theirs"))
    assert other.post(ask, forms[1]).status_code == 302
    page = manager.post(ask, forms[0])
    assert page.status_code == 409
    assert str(other.user) in said(page)
    assert page.context["coming"].changes == ["Subject, English: “Mine”. Before: “Theirs”."]
    assert subject_of(store) == "Theirs"


def test_it_tells_what_waits_and_what_went_out(manager, store, make_customer, ask):
    at = timezone.now()
    for number in range(3):
        plan_message(make_customer(), Kind.ASK, key=f"a:{number}", due_at=at + timedelta(days=1), context={}, at=at)
    shown = manager.post(url("journey_preview", store, "ask"), mine("Mine")).context["coming"]
    assert shown.gets[0].startswith("3 messages are waiting: they go out in the new words")
    off = manager.post(url("journey_preview", store, "ask"), mine("Mine", is_on="")).context["coming"]
    assert off.gets == ["It is switched off: nobody gets it until you switch it on."]


def test_the_preview_brings_what_publishing_changes(manager, store):
    page = manager.post(url("journey_preview", store, "ask"), mine("Mine"))
    assert 'id="coming" hx-swap-oob="true"' in page.content.decode()
    assert "Subject, English: “Mine”" in said(page)


def test_a_long_letter_is_told_by_the_place_that_differs():
    was, says = "Hello. " * 40 + "Old end.", "Hello. " * 40 + "New end."
    (line,) = journey_changes._words({"en": {"body": was}}, {"en": {"body": says}})
    assert "New end.”" in line
    assert len(line) < 150


# -- Older versions --


def test_versions_are_named_looked_at_and_return(manager, store, ask):
    for subject in ("One", "Two"):
        publish(manager, ask, mine(subject, **{"words-fa-subject": f"{subject} fa"}))
    page = manager.get(ask)
    steps = page.context["history"]
    assert [one.is_now for one in steps] == [True, False, False]
    assert steps[0].by == str(manager.user)
    assert sorted(steps[0].lines) == [
        "Subject, English: “Two”. Before: “One”.",
        "Subject, Persian: “Two fa”. Before: “One fa”.",
    ]
    assert steps[2].lines == ["As it came."]
    older = manager.get(ask, {"version": steps[1].back_to})
    assert older.context["editor"].words("en").typed("subject") == "One"
    assert "This is an older version" in said(older)
    assert subject_of(store) == "Two"
    back = manager.post(url("journey_back", store, "ask"), {"version": steps[1].back_to}, follow=True)
    assert (subject_of(store), subject_of(store, "fa")) == ("One", "One fa")
    manager.post(url("journey_back", store, "ask"), {"version": back.context["undo_to"]})
    assert subject_of(store) == "Two"
    manager.post(url("journey_back", store, "ask"), {"version": "0"})
    assert not Template.objects.for_store(store).exists()


def test_publishing_can_be_undone_at_once(manager, store, ask):
    page = publish(manager, ask, mine("Mine"), follow=True)
    assert page.context["undo_to"] == "0"
    manager.post(url("journey_back", store, "ask"), {"version": "0"})
    assert subject_of(store) == our_words(Kind.ASK, "en").subject


@pytest.mark.parametrize("version", ["x", "", "-1", "987654321", "9" * 30])
def test_an_unknown_version_is_not_found(manager, store, ask, version):
    assert manager.post(url("journey_back", store, "ask"), {"version": version}).status_code == 404


def test_going_back_switches_nothing_on_and_widens_no_audience(store):
    journey = create_own(store, "Mine", by=None, at=NOW)
    regulars = Segment.objects.create(store=store, name="Regulars")
    journeys.save_journey(journey, plan(segment=regulars), by=None, at=NOW)
    then = journey_history.events_of(journey).first().pk
    journeys.save_journey(journey, plan(is_on=False, wait_minutes=5), by=None, at=NOW + timedelta(days=1))
    others = Segment.objects.create(store=store, name="Others")
    fresh = journeys.named(store, journey.public_id)
    journeys.save_journey(fresh, plan(is_on=False, wait_minutes=5, segment=others), by=None, at=NOW)
    facts = journey_history.facts_of_version(fresh, str(then))
    gone = facts["plan"]["segment_id"]
    assert gone == regulars.pk
    facts["plan"]["segment_id"] = gone + 10_000  # no longer there
    publishing.go_back(journeys.named(store, journey.public_id), facts, by=None, at=NOW)
    back = journeys.named(store, journey.public_id)
    assert (back.is_on, back.segment, back.wait_minutes) == (False, others, 60)


def plan(**changes):
    facts = {"is_on": True, "wait_minutes": 60, "ways": ["email"], "name": "Mine", "trigger": Trigger.ORDER}
    return Plan(**{**facts, **changes})


plans = st.builds(
    plan,
    is_on=st.booleans(),
    wait_minutes=st.sampled_from([0, 60, 1440, 90]),
    ways=st.lists(st.sampled_from(["email", "sms", "call"]), min_size=1, unique=True),
    name=st.sampled_from(["Mine", "Other"]),
    trigger=st.sampled_from([Trigger.ORDER, Trigger.DELIVERED, Trigger.BIRTHDAY]),
    number=st.none() | st.integers(1, 9),
)
pieces = st.sampled_from(["", "Hello {{ name }}", "سلام", "Two\n\nparagraphs"])
words = st.dictionaries(st.sampled_from(LANGUAGES), st.fixed_dictionaries(dict.fromkeys(PIECES, pieces)))
steps = st.lists(st.one_of(st.tuples(plans, words), st.integers(0, 9)), min_size=2, max_size=7)


def worded(kind, own):
    """Wordings by language: what is said, ours where nothing is."""
    return {
        language: Wording(**{name: said.get(name) or our_words(kind, language).piece(name) for name in PIECES})
        for language, said in own.items()
    }


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps=steps, kind=st.sampled_from([Kind.OWN, Kind.ASK]))
def test_any_older_version_returns_exactly(store, steps, kind):
    """Published and put back in any order, each press at a moment of its own: every version is what it was."""
    journey = create_own(store, "Mine", by=None, at=NOW) if kind is Kind.OWN else journey_of(store, kind)
    was = {"0": publishing.facts_of(journey)} if kind is Kind.OWN else {}
    for number, step in enumerate(steps):
        at = NOW + timedelta(minutes=number)
        row = journeys.named(store, journeys.slug_of(journey))
        if isinstance(step, int):
            if not was:
                continue
            version = sorted(was)[step % len(was)]
            publishing.go_back(row, journey_history.facts_of_version(row, version), by=None, at=at)
            expected = without_switch(was[version])
            assert without_switch(publishing.facts_of(named_again(store, row))) == expected
        else:
            wished = publishing.wished(row, step[0], worded(kind, step[1]))
            seal = drafts.seal(publishing.facts_of(row), wished)
            publishing.publish(row, step[0], worded(kind, step[1]), seal=seal, by=None, at=at)
        row = named_again(store, row)
        event = journey_history.events_of(row).first()
        if event:
            was[str(event.pk)] = publishing.facts_of(row)
    row = named_again(store, journey)
    for version, facts in was.items():
        assert journey_history.facts_of_version(row, version) == facts
    own_words.forget(store.pk)


def named_again(store, journey):
    return journeys.named(store, journeys.slug_of(journey))


def without_switch(facts):
    return {**facts, "plan": {**facts["plan"], "is_on": None}}


# -- Cost --


def test_the_editor_costs_the_same_with_a_long_history(manager, store, ask):
    def cost():
        with CaptureQueriesContext(connection) as page:
            manager.get(ask)
        with CaptureQueriesContext(connection) as part:
            manager.post(url("journey_preview", store, "ask"), mine("Else"))
        return len(page), len(part)

    publish(manager, ask, mine("First"))
    few = cost()
    for number in range(12):
        publish(manager, ask, mine(f"No {number}"))
    assert cost() == few
    assert max(few) <= 30
