"""The store's own questions: list, editor, switch, delete, the code to print."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Product
from stores.models import AuditEvent, Location
from surveys.models import Response, Survey
from tests.editors import publish

LIST, NEW = "/d/rosewater/questions/", "/d/rosewater/questions/new/"


@pytest.fixture
def survey(store):
    return Survey.objects.create(store=store, name="Counter", occasion="counter")


def page_of(survey, what=""):
    return f"{LIST}{survey.public_id}/{what}"


def body(**facts):
    return {"name": "Mugs", "occasion": "counter", "question": "nps", **facts}


def surveys(store):
    return list(Survey.objects.for_store(store).values_list("name", flat=True))


def test_an_empty_list_says_what_to_do(manager):
    text = manager.get(LIST).content.decode()
    assert "Only the standard question so far" in text
    assert "occasion=counter" in text


def test_the_list_shows_what_is_asked_and_answered(manager, store, survey):
    Response.objects.create(store=store, survey=survey, score=9, at=timezone.now())
    text = manager.get(LIST).content.decode()
    assert "1 answer" in text
    assert survey.public_id in text


def test_the_list_takes_as_many_queries_for_many(manager, store, django_assert_max_num_queries):
    for number in range(15):
        Survey.objects.create(store=store, name=f"S{number}", occasion="counter")
    with django_assert_max_num_queries(12):
        manager.get(LIST)


def test_it_makes_a_question_with_its_words(manager, store):
    answer = manager.post(NEW, body(question_en=" How was it? ", promoter_fa="چه خوب بود؟"))
    survey = Survey.objects.for_store(store).get()
    assert answer.status_code == 302
    assert answer["Location"] == page_of(survey)
    assert survey.wording == {"en": {"question": "How was it?"}, "fa": {"more": {"promoter": "چه خوب بود؟"}}}
    assert AuditEvent.objects.for_store(store).filter(action="survey.made").exists()


def test_it_opens_with_the_occasion_asked_for(manager):
    assert '<option value="counter" selected>' in manager.get(NEW, {"occasion": "counter"}).content.decode()
    assert manager.get(NEW, {"occasion": "<b>"}).status_code == 200


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "counter".title()}, "You have a question of that name already."),
        ({"name": "x" * 81}, "80"),
        ({"occasion": "moon"}, "moon"),
        ({"occasion": ""}, "This field is required."),
        ({"question": "stars"}, "stars"),
        ({"occasion": "product"}, "Say which product, or choose a category."),
        ({"occasion": "product", "product": "No such thing"}, "No product has that name or SKU."),
        ({"occasion": "periodic"}, "Say how often, from 7 to 730 days."),
        ({"occasion": "periodic", "every_days": "6"}, "7"),
        ({"occasion": "periodic", "every_days": "ten"}, "whole number"),
        ({"occasion": "periodic", "every_days": "9999999999"}, "730"),
        ({"question_en": "x" * 251}, "250"),
        ({"location": "987654"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_stays_typed(manager, store, survey, facts, words):
    answer = manager.post(NEW, body(passive_fil="Manatili <b>", **facts))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Manatili &lt;b&gt;" in answer.content.decode()
    assert surveys(store) == ["Counter"]


def test_days_may_be_written_in_any_digits(manager, store):
    manager.post(NEW, body(occasion="periodic", every_days="۹۰"))
    assert Survey.objects.for_store(store).get().every_days == 90


@pytest.mark.parametrize("typed", ["MUG-1", "mug"])
def test_a_product_is_found_by_name_or_sku(manager, store, make_order, typed):
    make_order()
    manager.post(NEW, body(occasion="product", product=typed))
    assert Survey.objects.for_store(store).get().product == Product.objects.for_store(store).get()


def test_two_products_of_a_name_want_the_sku(manager, store, make_order):
    make_order()
    Product.objects.create(store=store, sku="MUG-2", name="Mug")
    assert "write the SKU" in manager.post(NEW, body(occasion="product", product="Mug")).content.decode()
    assert manager.post(NEW, body(occasion="product", product="MUG-2")).status_code == 302


def test_only_what_the_occasion_needs_is_kept(manager, store):
    makati = Location.objects.create(store=store, code="makati", name="Makati")
    manager.post(NEW, body(product="nonsense", every_days="x", location=makati.pk))
    survey = Survey.objects.for_store(store).get()
    assert (survey.product, survey.every_days, survey.location) == (None, None, makati)


def test_another_stores_branch_cannot_be_chosen(manager, store, other_store):
    from stores.tenancy import act_for

    act_for(other_store)
    theirs = Location.objects.create(store=other_store, code="theirs", name="Theirs")
    act_for(store)
    assert manager.post(NEW, body(location=theirs.pk)).status_code == 422
    assert surveys(store) == []


def test_it_can_be_changed(manager, store, survey):
    assert publish(manager, page_of(survey), body(name="Till", question="csat")).status_code == 302
    survey.refresh_from_db()
    assert (survey.name, survey.question) == ("Till", "csat")
    assert AuditEvent.objects.for_store(store).filter(action="survey.changed").count() == 1


def test_how_people_answer_stays_once_somebody_was_asked(manager, store, survey):
    Response.objects.create(store=store, survey=survey, score=9, at=timezone.now())
    publish(manager, page_of(survey), body(name="Till", question="csat", occasion="widget"))
    survey.refresh_from_db()
    assert (survey.name, survey.question, survey.occasion) == ("Till", "nps", "counter")


def test_off_and_on(manager, store, survey):
    for on, expected in (("0", False), ("0", False), ("1", True)):
        assert manager.post(page_of(survey, "switch/"), {"on": on}).status_code == 302
        survey.refresh_from_db()
        assert survey.is_on == expected
    assert AuditEvent.objects.for_store(store).filter(action="survey.changed").count() == 2


def test_one_that_was_never_asked_can_be_deleted(manager, store, survey):
    assert "Delete “Counter”" in manager.get(page_of(survey)).content.decode()
    assert manager.post(page_of(survey, "delete/")).status_code == 302
    assert surveys(store) == []


def test_one_that_was_asked_stays(manager, store, survey):
    Response.objects.create(store=store, survey=survey, score=9, at=timezone.now() - timedelta(days=900))
    assert "Delete “Counter”" not in manager.get(page_of(survey)).content.decode()
    page = manager.post(page_of(survey, "delete/"), follow=True)
    assert "Switch it off instead" in page.content.decode()
    assert surveys(store) == ["Counter"]


def test_the_preview_speaks_the_chosen_language_and_saves_nothing(manager, store):
    text = manager.post(
        f"{LIST}preview/", body(question="csat", question_fa="چطور بود؟", language="fa")
    ).content.decode()
    assert "چطور بود؟" in text
    assert "dir=&quot;rtl&quot;" in text
    assert "class=&quot;faces&quot;" in text
    assert surveys(store) == []


def test_the_preview_bears_what_cannot_be_read(manager):
    text = manager.post(f"{LIST}preview/", {"occasion": "moon", "question": "stars", "language": "xx"}).content.decode()
    assert "scores-grid" in text


def test_the_code_leads_to_the_branchs_page(manager, client, store, survey):
    Location.objects.create(store=store, code="makati", name="Makati")
    page = manager.get(page_of(survey, "print/"), {"branch": "makati", "language": "fa"})
    text = page.content.decode()
    assert 'dir="rtl"' in text
    assert "<svg" in text
    url = re.search(r'poster-url"><bdi dir="ltr">([^<]+)<', text).group(1)
    assert url.endswith("/makati")
    path = "/q/" + url.split("/q/")[1]
    assert client.get(path).status_code == 200
    client.post(path, {"score": "9"})
    assert Response.objects.for_store(store).get().location.name == "Makati"


def test_the_picture_is_an_svg_file(manager, survey):
    answer = manager.get(page_of(survey, "print/"), {"format": "svg"})
    assert answer["Content-Type"] == "image/svg+xml"
    assert "attachment" in answer["Content-Disposition"]
    assert b"<svg" in answer.content


def test_only_counter_questions_have_a_code(manager, store):
    widget = Survey.objects.create(store=store, name="Site", occasion="widget")
    assert manager.get(page_of(widget, "print/")).status_code == 404


@pytest.mark.parametrize("what", ["", "switch/", "delete/", "print/", "back/", "preview/"])
def test_strangers_staff_and_wrong_methods(store, survey, manager, stranger, staff, what):
    address = page_of(survey, what)
    for method in ("get", "post"):
        assert getattr(stranger, method)(address).status_code in (404, 405)
        assert getattr(staff, method)(address).status_code in (403, 405)
    wrong = {"": "put", "print/": "post"}.get(what, "get")
    assert getattr(manager, wrong)(address).status_code == 405
    survey.refresh_from_db()
    assert survey.is_on


def test_a_question_of_another_store_is_not_found(manager, store, other_store):
    from stores.tenancy import act_for

    act_for(other_store)
    theirs = Survey.objects.create(store=other_store, name="Theirs", occasion="counter")
    act_for(store)
    for what in ("", "print/"):
        assert manager.get(page_of(theirs, what)).status_code == 404
    assert manager.post(page_of(theirs, "delete/")).status_code == 404


def test_the_editor_takes_few_queries(manager, store, survey, django_assert_max_num_queries):
    with django_assert_max_num_queries(22):
        manager.get(page_of(survey))
