"""A question's words from draft to publication: the real page beside the form, a draft asks nobody, versions return."""

import html
import re

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Segment
from stores import tokens
from stores.models import Draft, Role
from surveys import publishing
from surveys.models import Response, Survey
from surveys.services import editing
from tests.conftest import NOW
from tests.editors import looked_at, publish
from tests.surveys.test_survey_editor import LIST, body, page_of


@pytest.fixture
def survey(store):
    return Survey.objects.create(store=store, name="Counter", occasion="counter")


@pytest.fixture
def url(survey):
    return page_of(survey)


def said(response):
    return html.unescape(response.content.decode())


def words_of(survey):
    return Survey.objects.get(pk=survey.pk).wording


def mine(text, **more):
    return body(name="Counter", question_en=text, **more)


def main_of(page):
    text = re.search(r"<main.*?</main>", page, re.DOTALL).group()
    return re.sub(r'(action|name="name" value)="[^"]*"', "", text)


@pytest.mark.parametrize("language", ["en", "fil", "fa"])
@pytest.mark.parametrize("question", ["nps", "csat"])
def test_the_page_beside_the_form_is_the_public_page_after_publishing(manager, survey, url, language, question):
    typed = body(question=question, **{f"question_{language}": "How? چطور؟", f"promoter_{language}": "And why?"})
    page = manager.post(f"{url}preview/", typed | {"language": language}).context["page"]
    assert "<script" not in page.html
    assert publish(manager, url, typed).status_code == 302
    path = f"/q/{tokens.make(tokens.Purpose.COUNTER, survey.store_id, survey)}"
    public = Client().get(path, headers={"Accept-Language": language})
    assert main_of(page.html) == main_of(public.content.decode())


def test_a_draft_asks_nobody_until_it_is_published(manager, survey, url):
    assert manager.post(url, mine("Mine?", step="save", begun="")).status_code == 302
    assert words_of(survey) == {}
    page = manager.get(url)
    assert 'value="Mine?"' in page.content.decode()
    assert page.context["coming"].changes == ["Question, English: “Mine?”. Before: our words."]
    assert "draft not published" in manager.get(LIST).content.decode()
    marks = {name: page.context[name] for name in ("base", "begun")}
    manager.post(url, mine("Mine?", step="publish", seal=page.context["coming"].seal, **marks))
    assert words_of(survey) == {"en": {"question": "Mine?"}}
    assert not Draft.objects.for_store(survey.store).exists()


def test_a_draft_keeps_what_cannot_be_read_and_comes_back_when_thrown_away(manager, survey, url):
    manager.post(url, mine("x" * 251, step="save", begun=""))
    page = manager.get(url)
    assert "x" * 251 in page.content.decode()
    assert page.context["coming"] is None
    gone = manager.post(url, {"step": "drop"}, follow=True)
    assert "x" * 251 not in gone.content.decode()
    manager.post(url, {"step": "undrop", "event": str(gone.context["dropped"].pk)})
    assert Draft.objects.for_store(survey.store).get().typed["question_en"] == "x" * 251


def test_the_second_of_two_managers_is_told(manager, login, survey, url):
    other = login(Role.MANAGER)
    forms = looked_at(manager, url, mine("Mine?")), looked_at(other, url, mine("Theirs?"))
    assert other.post(url, forms[1]).status_code == 302
    page = manager.post(url, forms[0])
    assert page.status_code == 409
    assert str(other.user) in said(page)
    assert page.context["coming"].changes == ["Question, English: “Mine?”. Before: “Theirs?”."]
    assert words_of(survey) == {"en": {"question": "Theirs?"}}
    draft = other.post(url, mine("A draft", step="save", begun=""))
    assert draft.status_code == 302
    assert manager.post(url, mine("Over it", step="save", begun="")).status_code == 409


def test_nobody_publishes_what_they_were_not_shown(manager, survey, url):
    page = manager.post(url, mine("Mine?", step="publish", base=manager.get(url).context["base"]))
    assert page.status_code == 422
    assert "Nothing is published yet. Look" in said(page)
    assert words_of(survey) == {}


def test_versions_are_named_looked_at_and_return(manager, survey, url):
    for text in ("One?", "Two?"):
        page = publish(manager, url, mine(text), follow=True)
    steps = page.context["history"]
    assert [(one.is_now, one.by) for one in steps] == [
        (True, str(manager.user)),
        (False, str(manager.user)),
        (False, ""),
    ]
    older = manager.get(url, {"version": steps[1].back_to})
    assert 'value="One?"' in older.content.decode()
    assert older.context["coming"].changes == ["Question, English: “One?”. Before: “Two?”."]
    assert manager.post(f"{url}back/", {"version": page.context["undo_to"]}).status_code == 302
    assert words_of(survey) == {"en": {"question": "One?"}}
    manager.post(f"{url}back/", {"version": steps[2].back_to})
    assert words_of(survey) == {}
    assert manager.post(f"{url}back/", {"version": "7"}).status_code == 404


def test_the_first_change_can_be_undone_at_once(manager, survey, url):
    page = publish(manager, url, mine("Mine?"), follow=True)
    manager.post(f"{url}back/", {"version": page.context["undo_to"]})
    assert words_of(survey) == {}


def test_going_back_asks_as_they_answered_and_does_not_switch(store, survey):
    was = editing.facts_of(survey)
    Survey.objects.filter(pk=survey.pk).update(is_on=False)
    Response.objects.create(store=store, survey=survey, score=9, at=NOW)
    survey.refresh_from_db()
    editing.go_back(survey, was | {"question": "csat", "name": "Till"}, by=None, at=NOW)
    survey.refresh_from_db()
    assert (survey.name, survey.question, survey.is_on) == ("Till", "nps", False)


def test_what_is_not_there_any_more_does_not_return(manager, store, survey, url):
    segment = Segment.objects.create(store=store, name="Regulars")
    facts = editing.facts_of(survey) | {"segment_id": segment.pk + 1000}
    with pytest.raises(editing.NotThere):
        editing.go_back(survey, facts, by=None, at=NOW)
    Survey.objects.create(store=store, name="Taken", occasion="counter")
    with pytest.raises(editing.NotThere):
        editing.go_back(survey, editing.facts_of(survey) | {"name": "Taken"}, by=None, at=NOW)


texts = st.sampled_from(["", "How?", "چطور؟", "Ano?"])
typed = st.fixed_dictionaries({
    "name": st.sampled_from(["Counter", "Till"]), "question": st.sampled_from(["nps", "csat"]),
    "wording": st.dictionaries(st.sampled_from(["en", "fa", "fil"]), st.fixed_dictionaries({"question": texts})),
    "is_on": st.booleans(),
})  # fmt: skip


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.one_of(typed, st.integers(0, 9)), min_size=2, max_size=7))
def test_any_older_version_returns_exactly(store, changes):
    found = Survey.objects.create(store=store, name=f"S{Survey.objects.for_store(store).count()}", occasion="counter")
    was = {}
    for change in changes:
        before = editing.facts_of(found)
        if isinstance(change, int):
            if not was:
                continue
            version = sorted(was)[change % len(was)]
            editing.go_back(found, publishing.facts_of_version(found, version), by=None, at=NOW)
            found.refresh_from_db()
            assert {**editing.facts_of(found), "is_on": 0} == {**was[version], "is_on": 0}
        else:
            for name, value in {**change, "name": f"{change['name']} {found.pk}"}.items():
                setattr(found, name, value)
            editing.save_survey(found, before=before, by=None, at=NOW)
        event = publishing.latest(found)
        if event:
            was[str(event.pk)] = editing.facts_of(found)
    for version, facts in was.items():
        assert publishing.facts_of_version(found, version) == facts


def test_a_new_question_needs_no_look(manager, store):
    assert manager.post(f"{LIST}new/", body(question_en="How was it?")).status_code == 302
    assert Survey.objects.for_store(store).get().wording == {"en": {"question": "How was it?"}}
