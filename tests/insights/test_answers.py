"""The answers page: numbers against calculations of their own, filters, lists, files."""

import csv
import re
from datetime import timedelta
from io import StringIO
from random import Random

import pytest
from django.http import QueryDict
from django.utils import timezone

from customers.services import Line, OrderData, Person, record_order
from insights import answers
from insights.numbers import answers as numbers
from insights.numbers.feelings import feelings
from insights.numbers.period import Period
from outreach.models import Message
from stores.models import Location
from surveys.models import Invitation, Response, Survey

URL = "/d/rosewater/answers/"
THINGS = {"MUG": ("Mug", "kitchen"), "PAN": ("Pan", "kitchen"), "LAMP": ("Lamp", "light")}


@pytest.fixture
def world(store):
    """Some 140 answers of all kinds in 80 days, by a seeded generator, and what was made of them, as plain dicts."""
    luck, at = Random(7), timezone.now()
    makati = Location.objects.create(store=store, code="makati", name="Makati")
    cebu = Location.objects.create(store=store, code="cebu", name="Cebu")
    walk_in = Survey.objects.create(store=store, name="Counter", occasion="counter")
    faces = Survey.objects.create(store=store, name="Faces", occasion="counter", question="csat")
    facts = []
    for number in range(100):
        said_at = at - timedelta(days=luck.uniform(0.1, 80))
        skus = luck.sample(sorted(THINGS), luck.choice([1, 1, 2, 3]))
        place = luck.choice([None, makati, cebu])
        lines = tuple(Line(sku, *THINGS[sku], 1, 100) for sku in skus)
        person = Person(name=f"P {number}", email=f"p{number}@example.com")
        data = OrderData("api", f"o{number}", "PHP", 100, said_at - timedelta(days=9), person=person, lines=lines,
                         location=place.code if place else "")  # fmt: skip
        order = record_order(store, data, at=said_at)[0]
        sent = said_at - timedelta(hours=2)
        via = luck.choice(["email", "email", "sms"])
        message = Message.objects.create(
            store=store, customer=order.customer, kind="survey", key=f"s{number}", status="sent", channel=via,
            due_at=sent, sent_at=sent,
        )  # fmt: skip
        invitation = Invitation.objects.create(
            store=store,
            order=order,
            customer=order.customer,
            status="invited",
            due_at=sent,
            decided_at=sent,
            message=message,
        )
        fact = {"at": said_at, "skus": set(skus), "place": place, "via": via, "survey": "orders", "score": None,
                "suspect": False, "question": "nps", "invited": True}  # fmt: skip
        if luck.random() < 0.7:
            fact |= {"score": luck.choice([10, 10, 9, 9, 8, 7, 5, 2]), "suspect": luck.random() < 0.06}
            Response.objects.create(
                store=store, invitation=invitation, customer=order.customer, score=fact["score"], at=said_at, via=via,
                is_suspect=fact["suspect"],
            )  # fmt: skip
        facts.append(fact)
    for _ in range(40):
        said_at, place = at - timedelta(days=luck.uniform(0.1, 80)), luck.choice([makati, cebu])
        survey = luck.choice([walk_in, faces])
        score = luck.randint(1, 5) if survey is faces else luck.randint(0, 10)
        Response.objects.create(
            store=store, survey=survey, question=survey.question, score=score, at=said_at, via="counter", location=place
        )
        facts.append({"at": said_at, "skus": set(), "place": place, "via": "counter", "survey": survey.public_id,
                      "score": score, "suspect": False, "question": survey.question, "invited": False})  # fmt: skip
    return {"facts": facts, "at": at, "makati": makati, "walk_in": walk_in, "faces": faces}


def chosen(store, at, **asked):
    query = QueryDict(mutable=True)
    query.update(asked)
    return answers.chosen_by(store, query, at)


def told(world, keep=lambda fact: True, question="nps"):
    """The scores of the facts that count and fit."""
    return [
        fact["score"]
        for fact in world["facts"]
        if fact["score"] is not None and not fact["suspect"] and fact["question"] == question and keep(fact)
    ]


def points_of(scores):
    return 100 * (sum(score >= 9 for score in scores) - sum(score <= 6 for score in scores)) / len(scores)


def test_the_score_is_that_of_the_answers_that_count(store, world):
    found = numbers.tally(store, chosen(store, world["at"]))
    scores = told(world)
    assert found.answers == len(scores) > 60
    assert found.score.score == pytest.approx(points_of(scores))
    assert feelings(store, Period(90, world["at"])).now.score == pytest.approx(points_of(scores))


def test_satisfaction_is_counted_by_itself(store, world):
    found = numbers.tally(store, chosen(store, world["at"], question="csat"))
    scores = told(world, question="csat")
    assert found.answers == len(scores)
    assert found.estimate.score == pytest.approx(100 * sum(score >= 4 for score in scores) / len(scores))


def test_the_trend_adds_up(store, world):
    for months in (False, True):
        points = numbers.trend(store, chosen(store, world["at"]), months=months)
        assert len(points) == 12
        assert sum(point.tally.answers for point in points) == len(told(world))
        for point in points:
            scores = told(world, lambda fact, p=point: p.start <= fact["at"] < p.end)
            assert point.tally.answers == len(scores)
            assert (point.score is None) == (len(scores) < 20)
            if point.score:
                assert point.score.score == pytest.approx(points_of(scores))


@pytest.mark.parametrize("by", ["survey", "via", "location", "category", "product"])
def test_every_breakdown_row_has_the_answers_that_it_opens(store, world, by):
    base = chosen(store, world["at"])
    found = numbers.breakdown(store, base, by, words=answers.words)
    fits = {
        "survey": lambda fact, key: fact["survey"] == key,
        "via": lambda fact, key: fact["via"] == key,
        "location": lambda fact, key: fact["place"] and fact["place"].public_id == key,
        "category": lambda fact, key: any(THINGS[sku][1] == label for sku in fact["skus"]),
        "product": lambda fact, key: any(THINGS[sku][0] == label for sku in fact["skus"]),
    }[by]
    assert found.parts
    for part in found.parts:
        label = part.label
        scores = told(world, lambda fact, p=part: fits(fact, p.key))
        assert sorted(score for score, _group in part.tally.each) == sorted(scores)
        opened = numbers.answers(store, chosen(store, world["at"], **{by: part.key}))
        assert sorted(opened.values_list("score", flat=True)) == sorted(scores)


def test_the_rate_has_a_named_denominator(store, world, manager):
    rate = numbers.response_rate(store, chosen(store, world["at"]))
    invited = [fact for fact in world["facts"] if fact["invited"]]
    assert rate.delivered == len(invited) == 100
    assert rate.answered == sum(fact["score"] is not None and not fact["suspect"] for fact in invited)
    assert f"{rate.answered} answered of 100 delivered invitations" in manager.get(URL).content.decode()


def test_what_bounced_was_not_delivered(store, world):
    Message.objects.for_store(store).filter(key__in=["s1", "s2"]).update(bounced_at=world["at"])
    Message.objects.for_store(store).filter(key="s3").update(status="skipped")
    assert numbers.response_rate(store, chosen(store, world["at"])).delivered == 97


def test_filters_hold_for_numbers_and_list_alike(store, world):
    at = world["at"]
    asked = {"via": "email", "location": world["makati"].public_id}
    scores = told(world, lambda fact: fact["via"] == "email" and fact["place"] == world["makati"])
    assert numbers.tally(store, chosen(store, at, **asked)).answers == len(scores)
    listed = numbers.answers(store, chosen(store, at, **asked, group="detractor"))
    assert sorted(listed.values_list("score", flat=True)) == sorted(score for score in scores if score <= 6)


def test_a_step_of_the_trend_opens_its_answers(store, world):
    point = max(numbers.trend(store, chosen(store, world["at"]), months=False), key=lambda one: one.tally.answers)
    asked = {"since": point.start.isoformat(), "until": point.end.isoformat()}
    assert numbers.answers(store, chosen(store, world["at"], **asked)).count() == point.tally.answers > 0


def test_suspects_are_left_out_and_can_be_seen(store, world, manager):
    wanted = sum(bool(fact["suspect"]) for fact in world["facts"])
    assert wanted > 1
    page = manager.get(URL, {"suspect": "1"})
    assert f"{wanted} answers look automatic and are left out" in page.content.decode()
    assert len(page.context["rows"]) == wanted
    assert not {row.is_suspect for row in numbers.answers(store, chosen(store, world["at"]))} & {True}


def test_under_20_answers_there_is_no_score(manager, store):
    for number in range(19):
        Response.objects.create(store=store, score=10, at=timezone.now() - timedelta(minutes=number))
    page = manager.get(URL).content.decode()
    assert "19 answers" in page
    assert "A score is shown from 20 answers on." in page
    assert "±" not in page
    assert page.count('<span class="score score-good">10</span>') >= 19
    Response.objects.create(store=store, score=10, at=timezone.now())
    page = manager.get(URL).content.decode()
    assert "+100" in page
    assert "±" in page


def test_an_empty_page_says_why(manager):
    text = manager.get(URL).content.decode()
    assert "No answers in this time" in text
    assert "No invitation was delivered in this time" in text


def test_few_satisfaction_answers_are_shown_themselves_and_many_have_an_interval(manager, store):
    survey = Survey.objects.create(store=store, name="Faces", occasion="counter", question="csat")
    for number in range(19):
        Response.objects.create(store=store, survey=survey, question="csat", score=5 - number % 2, at=timezone.now())
    text = manager.get(URL, {"question": "csat"}).content.decode()
    assert "19 answers" in text
    assert "100%" not in text
    Response.objects.create(store=store, survey=survey, question="csat", score=1, at=timezone.now())
    text = manager.get(URL, {"question": "csat"}).content.decode()
    assert "95%" in text
    assert "76% to 99%" in text  # Wilson, 19 of 20: 0.764 to 0.991


def test_the_file_has_exactly_the_rows_shown(manager, store, world):
    asked = {"via": "counter", "group": "promoter"}
    shown = manager.get(URL, asked).context["rows"]
    content = manager.get(URL, {**asked, "format": "csv"}).content.decode("utf-8-sig")
    lines = list(csv.reader(StringIO(content)))
    assert len(lines) - 1 == len(shown)
    assert lines[0][:4] == ["When", "Customer", "Score", "Comment"]
    assert [line[2] for line in lines[1:]] == [str(row[2].value) for row in shown]


def test_a_formula_in_a_comment_is_harmless_and_a_tag_is_text(manager, store):
    Response.objects.create(store=store, score=3, comment="=1+1 <b>", at=timezone.now())
    assert "'=1+1 <b>" in manager.get(URL, {"format": "csv"}).content.decode("utf-8-sig")
    assert "=1+1 &lt;b&gt;" in manager.get(URL).content.decode()


def test_who_was_asked_is_listed_with_and_without_answer(manager, store, world):
    page = manager.get(URL, {"show": "invited"})
    assert len(page.context["rows"]) == 50
    assert "no answer yet" in page.content.decode()
    assert "Next 50" in page.content.decode()


def test_pages_go_through_every_answer_once(manager, store, world):
    found, cursor = [], ""
    while True:
        page = manager.get(URL, {"after": cursor, "days": "365"})
        found += [(row[0].value, row[2].value) for row in page.context["rows"]]
        cursor = page.context["page"].next
        if not cursor:
            break
    assert len(found) == len(told(world)) == len(set(found))
    assert found == sorted(found, key=lambda one: one[0], reverse=True)


@pytest.mark.parametrize(
    "asked",
    [
        {"via": "pigeon"}, {"question": "stars"}, {"group": "none"}, {"survey": "x"}, {"product": "x"},
        {"category": "x"}, {"category": "9" * 30}, {"category": "1"}, {"location": "x"}, {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"}, {"until": "2026-13-45T99:00:00Z"}, {"product": "x\x00"},
    ],
)  # fmt: skip
def test_a_filter_that_names_nothing_is_not_found(manager, asked):
    assert manager.get(URL, asked).status_code == 404


@pytest.mark.parametrize("asked", [{"days": "9"}, {"days": "x"}, {"by": "x"}, {"show": "x"}, {"after": "x"}])
def test_other_nonsense_is_the_usual_page(manager, asked):
    assert manager.get(URL, asked).status_code == 200


def test_people_without_a_name_are_shown_without_a_link(manager, store):
    Response.objects.create(store=store, score=9, at=timezone.now(), via="counter")
    assert "gave no name" in manager.get(URL).content.decode()
    assert manager.get("/d/rosewater/").status_code == 200
    assert manager.get("/d/rosewater/rows/answers/").status_code == 200


def test_home_counts_only_answers_of_people_to_the_0_to_10_question(manager, store):
    for number, facts in enumerate([{"score": 9}, {"score": 0, "is_suspect": True}, {"score": 1, "question": "csat"}]):
        Response.objects.create(store=store, at=timezone.now() - timedelta(seconds=number), **facts)
    felt = feelings(store, Period(30, timezone.now()))
    assert (felt.promoters, felt.passives, felt.detractors) == (1, 0, 0)
    text = manager.get("/d/rosewater/").content.decode()
    assert "1 answer" in text
    page = manager.get("/d/rosewater/rows/answers/")
    assert [row[1].value for row in page.context["rows"]] == [9]


def test_every_plot_has_a_table(manager, world):
    text = manager.get(URL, {"by": "month", "days": "365"}).content.decode()
    assert text.count("View as table") == 1
    assert text.count('class="plot-dot"') >= 1
    assert re.search(r'<a class="plot-dot" href="[^"]*since=', text)


def test_as_many_queries_for_140_answers_as_for_three(manager, store, django_assert_max_num_queries, request):
    for score in (10, 8, 3):
        Response.objects.create(store=store, score=score, at=timezone.now())
    with django_assert_max_num_queries(30) as few:
        manager.get(URL)
    request.getfixturevalue("world")
    with django_assert_max_num_queries(30) as many:
        manager.get(URL)
    assert len(many) == len(few)
    assert len(many) <= 22


def test_strangers_staff_and_wrong_methods(store, manager, stranger, staff):
    assert stranger.get(URL).status_code == 404
    assert staff.get(URL).status_code == 403
    assert manager.post(URL).status_code == 405


def test_another_stores_product_is_not_found(manager, store, other_store):
    from customers.models import Product
    from stores.tenancy import act_for

    act_for(other_store)
    theirs = Product.objects.create(store=other_store, sku="T", name="Theirs")
    act_for(store)
    assert manager.get(URL, {"product": theirs.public_id}).status_code == 404
