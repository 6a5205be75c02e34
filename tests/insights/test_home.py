from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from insights.home import advice, bars
from insights.numbers.feelings import feelings, trend
from insights.numbers.money import brought
from insights.numbers.people import Step, funnel, share_rate, top_advocates
from insights.numbers.period import Period
from insights.numbers.todo import todo
from insights.plots import score_plot, sparkline
from outreach.models import Message
from rewards.models import Account, Entry
from surveys.models import RecoveryCase


@pytest.fixture
def url(store):
    return reverse("insights:home", args=[store.slug])


@pytest.fixture
def month():
    return Period(30, timezone.now())


def test_it_greets_an_empty_store_kindly(manager, url):
    page = manager.get(url).content.decode()
    assert "All clear" in page
    assert "No friend has bought" in page


def test_it_shows_what_friends_brought(manager, url, played):
    page = manager.get(url).content.decode()
    assert "Who brought the most friends" in page
    assert "Sara Ahmadi" in page


def test_the_numbers_are_those_of_the_loop(store, played, month):
    sums = brought(store, month)
    assert (sums.friends.total, sums.friends.before, sums.sales.total) == (1, 0, 80_000)
    assert [(step.what, step.people) for step in funnel(store, month)] == [
        ("asked", 1),
        ("shared", 1),
        ("visits", 1),
        ("claims", 1),
        ("bought", 1),
        ("counted", 1),
    ]
    assert (share_rate(store, month).asked, share_rate(store, month).shared) == (1, 1)
    best = top_advocates(store, month)[0]
    assert (best.customer, best.friends, best.sales_minor, best.tier.threshold) == (played, 1, 80_000, 1)


def test_the_cost_is_what_the_books_say(store, played, month):
    cost = Account.objects.for_store(store).get(kind=Account.Kind.COST)
    booked = -sum(Entry.objects.for_store(store).filter(account=cost).values_list("amount_minor", flat=True))
    assert brought(store, month).cost_minor == booked == 10_00


def test_other_currencies_are_left_out_of_sales(store, played, month):
    store.currency = "USD"
    assert brought(store, month).sales.total == 0
    assert brought(store, month).friends.total == 1


def test_a_longer_ago_loop_is_the_period_before(store, play, month):
    play(days_ago=45)
    sums = brought(store, month)
    assert (sums.friends.total, sums.friends.before, sums.friends.change) == (0, 1, -1)


def test_unhappy_people_and_waiting_referrals_need_you(store, play, manager, url):
    play(score=2)
    play("Nina Cruz", days_ago=10)
    waiting = todo(store, timezone.now())
    assert (waiting.unhappy, waiting.referrals, waiting.at_stake_minor) == (1, 1, 80_000)
    page = manager.get(url).content.decode()
    assert "1 unhappy customer is waiting" in page
    assert "All clear" not in page


def test_a_message_in_doubt_needs_you(store, play, manager, url):
    play()
    Message.objects.for_store(store).filter(kind="survey").update(status=Message.Status.UNKNOWN)
    assert "1 message may or may not have arrived" in manager.get(url).content.decode()


def test_few_answers_are_printed_instead_of_a_score(store, play, month):
    for _ in range(19):
        play(friends=0)
    assert not feelings(store, month).is_enough
    play(friends=0, score=3)
    felt = feelings(store, month)
    assert felt.is_enough
    assert (felt.promoters, felt.detractors, round(felt.now.score)) == (19, 1, 90)
    assert sum(point.score.answers for point in trend(store, month) if point.score) == 20


def test_the_period_comes_from_the_url(manager, url, play):
    play(days_ago=45)
    assert ">0</a>" in manager.get(url).content.decode()
    assert manager.get(url, {"days": "90"}).context["board"].brought.friends.total == 1
    assert manager.get(url, {"days": "7; DROP"}).context["period"].days == 30


def test_queries_do_not_grow_with_rows(manager, url, play, django_assert_max_num_queries):
    play(friends=2)
    with django_assert_max_num_queries(42):
        manager.get(url)
    for score in (10, 9, 3, 2):
        play(score=score, friends=3)
    play.approve()
    with django_assert_max_num_queries(42):
        manager.get(url)


def test_it_refuses_a_post(manager, url):
    assert manager.post(url).status_code == 405


def test_it_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, client, url):
    assert stranger.get(url).status_code == 404
    assert staff.get(url).status_code == 403
    assert client.get(url).status_code == 302


def test_the_side_bar_counts_what_waits(manager, url, play, store):
    play(score=1)
    play(friends=2)
    counts = {item["key"]: item["count"] for item in manager.get(url).context["nav"]}
    assert counts == {
        "home": 0,
        "customers": 0,
        "unhappy": 1,
        "approvals": 2,
        "messages": 0,
        "program": 0,
        "rewards": 0,
        "reports": 0,
        "testimonials": 0,
        "settings": 0,
    }
    RecoveryCase.objects.for_store(store).update(status=RecoveryCase.Status.SOLVED)
    assert manager.get(url).context["nav"][2]["count"] == 0


def test_a_bar_compares_with_the_step_above():
    drawn = bars([Step("asked", 100), Step("shared", 40), Step("visits", 92), Step("claims", 0)])
    assert [(bar.rate, bar.per) for bar in drawn] == [(None, None), (0.4, None), (None, 2.3), (0, None)]
    assert [bar.width for bar in drawn] == [100, 40, 92, 0]


def test_advice_names_the_weakest_step_once_there_are_enough_people():
    steps = {"asked": 100, "shared": 30, "visits": 80, "claims": 2, "bought": 1, "counted": 1}
    assert "leave without the gift" in advice([Step(what, people) for what, people in steps.items()])
    assert advice([Step(what, people // 10) for what, people in steps.items()]) == ""


def test_plots_break_where_nothing_is_known(store, play, month):
    play(friends=0, days_ago=75)
    play(friends=0, days_ago=20)
    plot = score_plot(trend(store, month))
    assert len(plot.segments) == len(plot.dots) == 2
    assert all(0 <= dot.y <= 100 and 0 <= dot.x <= 100 for dot in plot.dots)
    assert sparkline([0, 0]) == ""
    assert sparkline([0, 1]).split()[0] == "0.0,28.0"


def test_a_period_has_a_before_of_equal_length():
    month = Period(30, timezone.now())
    assert month.start - month.earlier.start == timedelta(days=30)
