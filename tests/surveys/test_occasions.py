"""Questions besides the one about each order: whose, when, once."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Category, Customer, Product, Segment, SegmentMember
from outreach.kinds import Kind
from outreach.models import Hold, Journey, Message
from surveys.models import Invitation, RecoveryCase, Survey
from surveys.services import answering, inviting, occasions, recovery

DAY = timedelta(days=1)


def switch_on(store, kind, **facts):
    spec = kind.spec
    facts = {"wait_minutes": spec.wait // timedelta(minutes=1), **facts}
    return Journey.objects.create(
        store=store, kind=kind, trigger=spec.trigger, ways=["email", "sms"], is_on=True, **facts
    )


def messages(store, kind):
    return Message.objects.for_store(store).filter(kind=kind)


@pytest.fixture
def asked(store, make_order, now):
    """A function: somebody bought and was asked about it; their invitation, and its message sent."""

    def ask(email="sara@example.com", *, sent_at=None, **facts):
        order = make_order(email, days_ago=9, **facts)
        inviting.plan_invitations(store, now, since=now - 60 * DAY)
        inviting.invite_due(store, now)
        invitation = Invitation.objects.for_store(store).select_related("customer__store", "message").get(order=order)
        if invitation.message:
            Message.objects.for_store(store).filter(pk=invitation.message_id).update(
                status="sent", sent_at=sent_at or now, channel="email"
            )
        return Invitation.objects.for_store(store).select_related("customer__store", "message").get(pk=invitation.pk)

    return ask


# -- About what was bought --


def survey_about(store, name="Mugs", **facts):
    return Survey.objects.create(store=store, name=name, occasion="product", **facts)


def test_a_product_has_its_own_question(store, asked, make_order):
    make_order("other@example.com")
    survey = survey_about(
        store, product=Product.objects.for_store(store).get(), question="csat",
        wording={"en": {"question": "How is your mug?"}},
    )  # fmt: skip
    invitation = asked()
    assert invitation.survey == survey
    assert invitation.message.context["question"] == "csat"
    assert invitation.message.context["asks"] == "How is your mug?"


def test_the_standard_question_says_nothing_more(store, asked):
    invitation = asked()
    assert invitation.survey is None
    assert "asks" not in invitation.message.context


def test_a_product_goes_before_its_category_and_newer_before_older(store, asked, make_order):
    make_order("other@example.com")
    product, category = Product.objects.for_store(store).get(), Category.objects.for_store(store).get()
    survey_about(store, "older", product=product)
    wanted = survey_about(store, "newer", product=product)
    survey_about(store, "category", category=category)
    assert asked().survey == wanted


def test_a_category_has_its_own_question(store, asked, make_order):
    make_order("other@example.com")
    survey = survey_about(store, category=Category.objects.for_store(store).get())
    assert asked().survey == survey


def test_one_that_is_off_is_not_asked(store, asked, make_order):
    make_order("other@example.com")
    survey_about(store, product=Product.objects.for_store(store).get(), is_on=False)
    assert asked().survey is None


def test_choosing_takes_as_many_queries_for_many_orders(store, make_order, now, django_assert_max_num_queries):
    for number in range(12):
        make_order(f"p{number}@example.com", days_ago=9)
    survey_about(store, product=Product.objects.for_store(store).get())
    inviting.plan_invitations(store, now, since=now - 60 * DAY)
    due = list(Invitation.objects.for_store(store))
    with django_assert_max_num_queries(3):
        occasions_of(store, due)
    assert Invitation.objects.for_store(store).exclude(survey=None).count() == 12


def occasions_of(store, due):
    from surveys.services.choosing import choose_surveys

    choose_surveys(store, due)


def test_a_store_that_switched_the_question_off_asks_nobody(store, asked):
    journey = switch_on(store, Kind.SURVEY)
    journey.is_on = False
    journey.save()
    invitation = asked()
    assert (invitation.status, invitation.reason) == ("skipped", "switched_off")
    assert not messages(store, Kind.SURVEY).exists()


# -- The reminder --


def test_no_reminder_by_default(store, asked, now):
    asked()
    assert occasions.remind_silent(store, now) == 0


def test_one_reminder_waits_for_its_day(store, asked, now):
    switch_on(store, Kind.SURVEY_REMINDER)
    invitation = asked()
    assert occasions.remind_silent(store, now) == 1
    assert occasions.remind_silent(store, now + timedelta(minutes=5)) == 0
    reminder = messages(store, Kind.SURVEY_REMINDER).get()
    assert reminder.due_at == now + 4 * DAY
    assert reminder.context["links"]["survey"] == invitation.message.context["links"]["survey"]


def test_the_answer_cancels_the_reminder(store, asked, now):
    switch_on(store, Kind.SURVEY_REMINDER)
    invitation = asked()
    occasions.remind_silent(store, now)
    answering.respond(invitation, score=8, comment="", at=now + DAY)
    reminder = messages(store, Kind.SURVEY_REMINDER).get()
    assert (reminder.status, reminder.reason) == ("skipped", "answered")


def test_a_programs_answer_does_not_cancel_it(store, asked, now):
    switch_on(store, Kind.SURVEY_REMINDER)
    invitation = asked()
    occasions.remind_silent(store, now)
    answering.respond(invitation, score=8, comment="", at=now, trapped=True)
    assert messages(store, Kind.SURVEY_REMINDER).get().status == "pending"


def test_who_answered_or_was_never_reached_gets_none(store, asked, now):
    switch_on(store, Kind.SURVEY_REMINDER)
    answering.respond(asked("a@example.com"), score=9, comment="", at=now)
    unsent = asked("b@example.com")
    Message.objects.for_store(store).filter(pk=unsent.message_id).update(status="skipped", sent_at=None)
    waiting = asked("c@example.com")
    Hold.objects.create(store=store, customer=waiting.customer, key="case:1", reason="open_case", at=now)
    assert occasions.remind_silent(store, now) == 0


def test_the_nightly_repair_finds_what_was_missed(store, asked, now):
    switch_on(store, Kind.SURVEY_REMINDER)
    asked(sent_at=now - 2 * DAY)
    assert occasions.remind_silent(store, now) == 0
    assert occasions.remind_silent(store, now, since=now - 7 * DAY) == 1
    assert messages(store, Kind.SURVEY_REMINDER).get().due_at == now + 2 * DAY


# -- After a solved case --


@pytest.fixture
def case(asked, now, store):
    """Somebody answered 3."""
    response = answering.respond(asked(), score=3, comment="It broke", at=now)
    return RecoveryCase.objects.for_store(store).select_related("customer__store", "store").get(response=response)


def end(case, at, *, solved=True):
    return recovery.end_case(case, solved=solved, note="", at=at, by=None)


def test_nobody_is_asked_before_it_is_solved(store, case, now):
    assert occasions.ask_after_solved(store, now) == 0
    end(case, now, solved=False)
    assert occasions.ask_after_solved(store, now) == 0
    assert not messages(store, Kind.FOLLOW_UP).exists()


def test_after_it_was_solved_they_are_asked_once(store, case, now):
    end(case, now)
    assert not Hold.objects.for_store(store).exists()
    assert occasions.ask_after_solved(store, now) == 1
    assert occasions.ask_after_solved(store, now) == 0
    invitation = Invitation.objects.for_store(store).get(key=f"follow_up:{case.pk}")
    message = messages(store, Kind.FOLLOW_UP).get()
    assert invitation.message == message
    assert message.due_at == invitation.due_at == now + 5 * DAY
    assert "After what we did about it" in message.context["asks"]


def test_who_waits_for_help_elsewhere_is_not_asked_yet(store, case, now):
    end(case, now)
    Hold.objects.create(store=store, customer=case.customer, key="case:999", reason="open_case", at=now)
    assert occasions.ask_after_solved(store, now) == 0
    Hold.objects.for_store(store).delete()
    assert occasions.ask_after_solved(store, now + 3 * DAY, since=now - DAY) == 1


def test_opened_again_nothing_goes_out_and_solved_again_it_does(store, case, now):
    end(case, now)
    occasions.ask_after_solved(store, now)
    recovery.reopen_case(case, at=now + DAY, by=None)
    occasions.ask_after_solved(store, now + DAY)
    assert [row.status for row in messages(store, Kind.FOLLOW_UP)] == ["skipped"]
    end(case, now + 2 * DAY)
    assert occasions.ask_after_solved(store, now + 2 * DAY) == 1
    waiting = messages(store, Kind.FOLLOW_UP).get(status="pending")
    assert waiting.due_at == now + 7 * DAY
    assert Invitation.objects.for_store(store).get(key=f"follow_up:{case.pk}").message == waiting


@pytest.mark.parametrize("score", range(11))
def test_the_answer_says_whether_they_were_won_back(store, case, now, score):
    end(case, now)
    occasions.ask_after_solved(store, now)
    invitation = Invitation.objects.for_store(store).select_related("customer__store").get(key=f"follow_up:{case.pk}")
    response = answering.respond(invitation, score=score, comment="", at=now + 6 * DAY)
    assert RecoveryCase.objects.for_store(store).filter(response=response).exists() == (score <= 6)


def test_a_question_that_is_off_is_not_asked(store, case, now):
    journey = switch_on(store, Kind.FOLLOW_UP)
    journey.is_on = False
    journey.save()
    end(case, now)
    assert occasions.ask_after_solved(store, now) == 0


def test_cases_solved_before_it_was_switched_on_are_left_alone(store, case, now):
    end(case, now)
    switch_on(store, Kind.FOLLOW_UP, started_at=now + timedelta(minutes=1))
    assert occasions.ask_after_solved(store, now + timedelta(minutes=2)) == 0
    assert not Invitation.objects.for_store(store).filter(order=None).exists()


# -- Every so often --


@pytest.fixture
def periodic(store):
    switch_on(store, Kind.PERIODIC)
    return Survey.objects.create(store=store, name="How are we", occasion="periodic", every_days=30)


ONCE = 28  # days: with the two that the first sweep catches up, everybody's own day once, whatever their number


def play(store, start, days):
    """Every day's sweep; how many were asked."""
    return sum(occasions.ask_periodically(store, start + day * DAY) for day in range(days))


def test_everybody_who_bought_is_asked_once_a_period(store, periodic, make_customer, now):
    for number in range(5):
        make_customer(email=f"p{number}@example.com", at=now)
    assert play(store, now, ONCE) == 5
    assert play(store, now + 30 * DAY, ONCE) == 5
    per_person = [row.customer_id for row in Invitation.objects.for_store(store).filter(survey=periodic)]
    assert sorted(per_person) == sorted(list(Customer.objects.for_store(store).values_list("pk", flat=True)) * 2)


def test_the_same_hour_twice_asks_nobody_twice(store, periodic, make_customer, now):
    make_customer(email="p@example.com", at=now)
    play(store, now, ONCE)
    before = Invitation.objects.for_store(store).count()
    for day in range(ONCE):
        occasions.ask_periodically(store, now + day * DAY + timedelta(hours=1))
    assert Invitation.objects.for_store(store).count() == before == 1


def test_days_without_a_server_are_caught_up(store, periodic, make_customer, now):
    for number in range(6):
        make_customer(email=f"p{number}@example.com", at=now)
    days = range(0, 30, 3)  # with what each catches up, everybody's own day once
    assert sum(occasions.ask_periodically(store, now + day * DAY) for day in days) == 6


def test_a_segment_is_asked_and_nobody_else(store, periodic, make_customer, now):
    inside, _outside = make_customer(email="in@example.com", at=now), make_customer(email="out@example.com", at=now)
    segment = Segment.objects.create(store=store, name="Regulars")
    SegmentMember.objects.create(store=store, segment=segment, customer=inside)
    Survey.objects.for_store(store).update(segment=segment)
    play(store, now, ONCE)
    assert [row.customer for row in Invitation.objects.for_store(store).filter(survey=periodic)] == [inside]


def test_who_is_unhappy_or_was_just_asked_is_passed_over_with_the_reason(store, periodic, make_customer, asked, now):
    held = make_customer(email="held@example.com", at=now)
    Hold.objects.create(store=store, customer=held, key="case:1", reason="open_case", at=now)
    resting = asked("resting@example.com").customer
    occasions_before = Message.objects.for_store(store).filter(kind=Kind.PERIODIC).count()
    play(store, now, ONCE)
    reasons = dict(Invitation.objects.for_store(store).filter(survey=periodic).values_list("customer", "reason"))
    assert reasons == {held.pk: "open_case", resting.pk: "cooldown"}
    assert Message.objects.for_store(store).filter(kind=Kind.PERIODIC).count() == occasions_before == 0


def test_a_failure_is_logged_without_the_persons_name(store, periodic, make_customer, now, monkeypatch, caplog):
    person = make_customer("Sara Ahmadi", "sara@example.com", at=now)
    monkeypatch.setattr(occasions, "_ask_periodic", lambda *_, **__: 1 // 0)
    play(store, now, ONCE)
    assert f"Customer {person.pk}: no question planned" in caplog.text
    assert "Sara" not in caplog.text


def test_off_asks_nobody(store, periodic, make_customer, now):
    make_customer(email="p@example.com", at=now)
    Journey.objects.for_store(store).update(is_on=False)
    assert play(store, now, 30) == 0
    Journey.objects.for_store(store).update(is_on=True)
    Survey.objects.for_store(store).update(is_on=False)
    assert play(store, now, 30) == 0


def test_the_message_carries_its_own_words(store, periodic, make_customer, now):
    Survey.objects.for_store(store).update(wording={"en": {"question": "How are we doing?"}})
    make_customer(email="p@example.com", at=now)
    play(store, now, ONCE)
    message = messages(store, Kind.PERIODIC).get()
    assert message.context["asks"] == "How are we doing?"
    assert "/s/" in message.context["links"]["survey"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(every=st.integers(7, 730), customer=st.integers(1, 10**9), day=st.integers(700_000, 760_000))
def test_a_period_has_one_own_day_for_everybody(every, customer, day):
    survey = Survey(every_days=every)
    own_days = [one for one in range(day, day + every) if one % every == customer % every]
    assert len(own_days) == 1
    own = own_days[0]
    # The days looked back on belong to the same period, the day before to the one before.
    assert {occasions.period_of(survey, customer, own + back) for back in range(occasions.CATCH_UP + 1)} == {
        occasions.period_of(survey, customer, own)
    }
    assert occasions.period_of(survey, customer, own - 1) == occasions.period_of(survey, customer, own) - 1
    assert occasions.period_of(survey, customer, own + every) == occasions.period_of(survey, customer, own) + 1


@pytest.mark.parametrize("gaps", [(1, 1, 2, 1, 3), (2, 2, 2), (1, 3, 3, 1)])
def test_whatever_days_the_server_runs_nobody_is_asked_twice_in_a_period(store, periodic, make_customer, now, gaps):
    Survey.objects.for_store(store).update(every_days=9)
    store.cooldown_days = 0
    store.save()
    for number in range(4):
        make_customer(email=f"p{number}@example.com", at=now)
    at, number = now, 0
    while at < now + 40 * DAY:
        occasions.ask_periodically(store, at)
        at += gaps[number % len(gaps)] * DAY
        number += 1
    for customer in Customer.objects.for_store(store):
        asked = Invitation.objects.for_store(store).filter(customer=customer, survey=periodic).order_by("due_at")
        days = [invitation.due_at for invitation in asked]
        assert len(days) >= 4
        assert all(later - earlier >= 7 * DAY for earlier, later in pairwise(days))
