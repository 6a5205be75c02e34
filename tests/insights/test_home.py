from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from insights.agenda import agenda
from insights.home import advice, bars
from insights.numbers.feelings import feelings, trend
from insights.numbers.leaders import leaders
from insights.numbers.money import brought
from insights.numbers.people import Step, funnel, share_rate
from insights.numbers.period import Period
from insights.numbers.scope import Scope
from insights.numbers.todo import todo
from insights.plots import score_plot, sparkline
from outreach.complaints import State
from outreach.models import Message
from referrals.models import Referral
from rewards.models import Account, Entry, Fulfilment, Offer, Recount
from stores.models import Role
from surveys.models import RecoveryCase
from tests.insights.report_world import grow
from tests.rewards.books_world import earn

QUERIES = 50


@pytest.fixture
def url(store):
    return reverse("insights:home", args=[store.slug])


@pytest.fixture
def month():
    return Period(30, timezone.now())


def test_a_new_store_is_told_how_to_begin(manager, owner, url):
    page = manager.get(url).content.decode()
    assert "Your first friend will show up here" in page
    assert "Connect your shop" not in page  # keys are the owner's
    assert "Connect your shop" in owner.get(url).content.decode()
    assert "From the ask to a new customer" not in page


def test_with_the_first_order_the_page_is_the_usual_one(manager, url, play):
    play.buy("Nina Cruz", timezone.now())
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
    best = leaders(store, Scope(month), sort="friends")[0]
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


def test_no_line_is_drawn_through_few_answers(manager, url, play):
    play(friends=0)
    page = manager.get(url).content.decode()
    assert "1 answer so far" in page
    assert "plot-dot" not in page
    for _ in range(19):
        play(friends=0)
    assert "plot-dot" in manager.get(url).content.decode()


def test_the_period_comes_from_the_url(manager, url, play):
    play(days_ago=45)
    assert ">0</a>" in manager.get(url).content.decode()
    assert manager.get(url, {"days": "90"}).context["board"].brought.friends.total == 1
    assert manager.get(url, {"days": "7; DROP"}).context["period"].days == 30


def test_queries_do_not_grow_with_rows(
    store, manager, url, play, held, django_assert_num_queries, django_assert_max_num_queries
):
    play(score=3)
    with django_assert_num_queries(QUERIES):
        manager.get(url)
    grow(store)
    for score in (9, 3, 2):
        play(score=score, friends=3)
    Referral.objects.for_store(store).filter(status="pending").update(status="flagged")
    with django_assert_max_num_queries(QUERIES):  # one less: a score stands where the last answers stood
        manager.get(url)


# -- What needs a person --


@pytest.fixture
def held(store, play):
    """A friend's purchase that waits for a look."""
    play(friends=2, days_ago=9)
    held, _other = Referral.objects.for_store(store).order_by("pk")
    Referral.objects.filter(pk=held.pk).update(status="flagged", reason="household")
    held.refresh_from_db()
    return held


def things(manager, url):
    return manager.get(url).context["board"].agenda


def test_the_oldest_promise_comes_first_with_its_call(store, play, manager, url):
    late, other = play("Mina Karimi", score=2, days_ago=20), play("Nina Cruz", score=5, days_ago=9)
    Customer.objects.filter(pk=late.pk).update(phone="+63 917 123 4567")
    (item,) = things(manager, url)
    assert (item.title, item.late) == ("2 unhappy customers are waiting", "2 wait longer than promised")
    assert "Mina Karimi" in item.detail
    assert item.detail.startswith("First: ")
    assert "gave 2 of 10" in item.detail
    assert (item.act.label, item.act.url) == ("Call", "tel:+639171234567")
    RecoveryCase.objects.for_store(store).filter(customer=late).update(status=RecoveryCase.Status.SOLVED)
    (item,) = things(manager, url)
    case = RecoveryCase.objects.for_store(store).get(customer=other)
    assert item.url.endswith(f"/unhappy/{case.public_id}/")
    assert item.act.url == f"{item.url}#letter"  # no number is known


def test_a_held_friend_is_counted_with_one_tap(store, manager, url, held):
    (item,) = things(manager, url)
    assert item.title == "1 friend’s purchase needs a look"
    assert "Bea Cruz" in item.detail
    assert "Quicker than people are" in item.detail  # the first of its signs
    assert item.act.is_post
    assert manager.post(item.act.url).status_code == 302
    held.refresh_from_db()
    assert held.status == "approved"
    page = manager.get(url)
    assert page.context["board"].agenda == []
    assert "1 friend’s purchase counts by itself" in page.content.decode()


def test_three_things_stand_on_the_page_and_the_others_behind_a_tap(store, play, manager, url, held):
    play(score=2)
    Message.objects.for_store(store).filter(kind="survey").update(status=Message.Status.UNKNOWN)
    Recount.objects.create(store=store, at=timezone.now(), problems=["account 1"])
    board = manager.get(url).context["board"]
    assert [item.title for item in board.first_items] == [
        "The books do not add up",
        "1 unhappy customer is waiting",
        "1 friend’s purchase needs a look",
    ]
    assert [item.title for item in board.later_items] == ["2 messages may or may not have arrived"]
    assert "1 more thing, less urgent" in manager.get(url).content.decode()


def test_what_is_late_comes_before_what_is_not(store, play, manager, url, held):
    play(score=2)
    RecoveryCase.objects.for_store(store).update(promise_at=timezone.now() + timedelta(days=1))
    task = earn(held.advocate, Offer.Kind.CUSTOM).fulfilment
    Fulfilment.objects.filter(pk=task.pk).update(due_at=timezone.now() - timedelta(days=1))
    first, *others = things(manager, url)
    assert (first.title, first.late) == ("1 reward to hand over or give", "1 waits longer than it should")
    assert len(others) == 2
    assert manager.post(first.act.url).status_code == 302
    task.refresh_from_db()
    assert task.status == Fulfilment.Status.DONE


def test_an_appeal_and_an_invitation_need_an_answer(store):
    waiting = replace(todo(store, timezone.now()), appeals=2, invited=1)
    titles = [item.title for item in agenda(store, waiting, Role.MANAGER, timezone.now())]
    assert titles == ["2 customers ask about a friend", "1 store would like to send you customers"]


def test_complaints_lead_the_owner_to_the_channels_and_nobody_else(store):
    waiting = replace(todo(store, timezone.now()), complaints=State.STOP, complained=1)
    for role, leads in ((Role.OWNER, True), (Role.MANAGER, False)):
        (item,) = agenda(store, waiting, role, timezone.now())
        assert item.title == "1 person marked your mail as spam"
        assert bool(item.url) == leads
        assert item.is_urgent


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
        "materials": 0,
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
