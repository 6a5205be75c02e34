"""Asking again: fewer and fewer reminders to who has not shared, and everybody after a long rest."""

import pytest

from outreach.kinds import Kind, Way
from outreach.models import Message, Task
from outreach.services import hold, release, suppress
from referrals.models import Visit
from referrals.services import journeying, links, stopping
from referrals.services.links import note_shared, share_link_of
from surveys.models import RecoveryCase, Response
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, HOUR, MINUTE, messages, pause, sweep, switch, take_gift

pytestmark = pytest.mark.django_db


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi", "sara@example.com", at=NOW - 10 * DAY)


@pytest.fixture
def ask(store):
    """A function that asks somebody at a time: by mail."""

    def asked(customer, at=NOW, kind=Kind.ASK, status=Message.Status.SENT, key=""):
        return Message.objects.create(
            store=store,
            customer=customer,
            kind=kind,
            key=key or f"{kind}:{customer.pk}:{at:%Y%m%d}",
            due_at=at,
            status=status,
            sent_at=at if status == Message.Status.SENT else None,
        )

    return asked


@pytest.fixture
def ask_on_page(store):
    """A function that shows somebody the ask on the answer page."""

    def shown(customer, at=NOW):
        return Response.objects.create(store=store, customer=customer, score=10, at=at, ask_shown_at=at)

    return shown


def send(message, at):
    """As the dispatcher would."""
    Message.objects.filter(pk=message.pk).update(status=Message.Status.SENT, sent_at=at)


def reminders(store):
    return messages(store, Kind.SHARE_REMINDER)


class TestReminders:
    def test_their_gaps_grow_and_they_stop(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        moment = NOW
        for number, days in enumerate((7, 14, 28)):
            moment += days * DAY
            assert not sweep(store, moment - MINUTE, since=moment - 5 * DAY)
            sweep(store, moment)
            told = reminders(store)[number]
            assert told.key == f"share_reminder:{sara.pk}:{number}"
            assert told.due_at == moment
            send(told, moment)
        for week in range(1, 60):
            sweep(store, moment + 7 * week * DAY, since=moment + 7 * (week - 1) * DAY)
        assert len(reminders(store)) == 3

    def test_they_bring_the_code_and_both_sides_gain(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        sweep(store, NOW + 7 * DAY)
        context, link = reminders(store)[0].context, share_link_of(sara, at=NOW)
        assert (context["code"], context["friend_gets"], context["you_get"]) == (link.code, "10% off", "10% off")
        assert context["links"]["landing"] == f"http://testserver/r/{link.code}"
        assert context["links"]["action"] == context["links"]["share"]

    @pytest.mark.parametrize(
        ("fields", "days"),
        [({"wait": 5 * DAY}, (5, 10, 20)), ({"options": {"spacing": [3, 9]}}, (3, 9))],
        ids=["by the wait", "as written"],
    )
    def test_the_owner_sets_the_gaps(self, store, sara, ask, fields, days):
        switch(store, Kind.SHARE_REMINDER, **fields)
        ask(sara)
        moment = NOW
        for number, gap in enumerate(days):
            moment += gap * DAY
            sweep(store, moment)
            send(reminders(store)[number], moment)
        sweep(store, moment + 400 * DAY, since=NOW)
        assert len(reminders(store)) == len(days)

    def test_the_answer_page_asks_too(self, store, sara, ask_on_page):
        switch(store, Kind.SHARE_REMINDER)
        ask_on_page(sara)
        sweep(store, NOW + 7 * DAY)
        assert len(reminders(store)) == 1

    def test_a_new_ask_starts_the_gap_anew(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        ask(sara, NOW + 5 * DAY)
        sweep(store, NOW + 7 * DAY)
        assert not reminders(store)
        sweep(store, NOW + 12 * DAY)
        assert len(reminders(store)) == 1

    def test_no_second_row_after_one_that_passed_in_silence(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER, options={"spacing": [7]})
        ask(sara)
        sweep(store, NOW + 7 * DAY)
        send(reminders(store)[0], NOW + 7 * DAY)
        ask(sara, NOW + 100 * DAY)
        sweep(store, NOW + 107 * DAY)
        assert len(reminders(store)) == 1

    def test_none_while_one_waits_and_none_after_one_that_could_not_go(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        sweep(store, NOW + 7 * DAY)
        sweep(store, NOW + 60 * DAY, since=NOW)
        Message.objects.filter(pk=reminders(store)[0].pk).update(status=Message.Status.SKIPPED, reason="no_consent")
        sweep(store, NOW + 90 * DAY, since=NOW)
        assert len(reminders(store)) == 1

    @pytest.mark.parametrize("sign", ["tap", "visit", "claim"])
    def test_not_who_has_shared(self, store, sara, ask, sign):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        give(sign, share_link_of(sara, at=NOW))
        sweep(store, NOW + 7 * DAY)
        assert not reminders(store)

    def test_a_chat_apps_preview_is_no_sharing(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        link = share_link_of(sara, at=NOW)
        links.record_visit(link, visitor="preview", is_bot=True, at=NOW)
        sweep(store, NOW + 7 * DAY)
        assert len(reminders(store)) == 1
        assert Visit.objects.for_store(store).count() == 1

    @pytest.mark.parametrize("sign", ["tap", "visit", "claim"])
    def test_one_that_waits_is_taken_back(self, store, sara, ask, sign):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        sweep(store, NOW + 7 * DAY)
        give(sign, share_link_of(sara, at=NOW), at=NOW + 7 * DAY)
        # A tap on the share button says so itself.
        assert stopping.stop_pointless(store, NOW + 7 * DAY) == (sign != "tap")
        told = reminders(store)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "shared")

    def test_they_are_off_unless_switched_on(self, store, sara, ask):
        ask(sara)
        sweep(store, NOW + 7 * DAY)
        assert not reminders(store)

    def test_a_silence_that_was_complete_before_they_were_switched_on_starts_none(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER, since=NOW + 7 * DAY + MINUTE)
        ask(sara)
        sweep(store, NOW + 7 * DAY + 2 * MINUTE)
        assert not reminders(store)

    def test_none_while_the_program_is_paused(self, store, sara, ask):
        switch(store, Kind.SHARE_REMINDER)
        ask(sara)
        pause(store)
        sweep(store, NOW + 7 * DAY)
        assert not reminders(store)


def give(sign, link, at=NOW):
    """A sign that somebody shared."""
    if sign == "tap":
        note_shared(link, at=at)
    elif sign == "visit":
        links.record_visit(link, visitor="somebody", is_bot=False, at=at)
    else:
        take_gift(link, at=at)


HALF_A_YEAR = 180 * DAY


class TestAskingAgain:
    def reasks(self, store):
        return messages(store, Kind.REASK)

    def test_after_the_wait_once(self, store, sara, ask):
        switch(store, Kind.REASK)
        ask(sara)
        at = NOW + HALF_A_YEAR
        assert not sweep(store, at - MINUTE, since=NOW)
        sweep(store, at)
        sweep(store, at + 20 * MINUTE)
        told = self.reasks(store)[0]
        assert told.key == f"reask:{sara.pk}:2026-11-20"
        assert told.due_at == at
        assert told.context["code"] == share_link_of(sara, at=NOW).code
        assert len(self.reasks(store)) == 1

    def test_and_once_more_after_another_wait(self, store, sara, ask):
        switch(store, Kind.REASK)
        ask(sara)
        sweep(store, NOW + HALF_A_YEAR)
        send(self.reasks(store)[0], NOW + HALF_A_YEAR)
        sweep(store, NOW + 2 * HALF_A_YEAR - MINUTE, since=NOW + HALF_A_YEAR)
        assert len(self.reasks(store)) == 1
        sweep(store, NOW + 2 * HALF_A_YEAR)
        assert [one.key.rsplit(":", 1)[1] for one in self.reasks(store)] == ["2026-11-20", "2027-05-19"]

    def test_a_reminder_is_the_last_ask(self, store, sara, ask):
        switch(store, Kind.REASK)
        ask(sara)
        ask(sara, NOW + 7 * DAY, kind=Kind.SHARE_REMINDER)
        sweep(store, NOW + HALF_A_YEAR)
        assert not self.reasks(store)
        sweep(store, NOW + HALF_A_YEAR + 7 * DAY)
        assert len(self.reasks(store)) == 1

    def test_not_while_another_ask_is_under_way(self, store, sara, ask):
        switch(store, Kind.REASK)
        ask(sara)
        at = NOW + HALF_A_YEAR
        waiting = ask(sara, at - DAY, status=Message.Status.PENDING)
        sweep(store, at)
        assert not self.reasks(store)
        Message.objects.filter(pk=waiting.pk).update(status=Message.Status.SKIPPED, reason="no_consent")
        sweep(store, at)
        assert len(self.reasks(store)) == 1

    def test_not_who_declined_in_person(self, store, sara, ask):
        switch(store, Kind.REASK)
        message = ask(sara)
        Task.objects.create(
            store=store,
            message=message,
            customer=sara,
            way=Way.VISIT,
            words="",
            status=Task.Status.DECLINED,
            due_at=NOW,
        )
        sweep(store, NOW + HALF_A_YEAR)
        assert not self.reasks(store)

    def test_not_who_unsubscribed(self, store, sara, ask):
        switch(store, Kind.REASK)
        ask(sara)
        suppress(store, "email", sara.email_norm, reason="unsubscribed", source="link", at=NOW)
        sweep(store, NOW + HALF_A_YEAR)
        assert not self.reasks(store)

    def test_who_waits_for_help_is_asked_by_the_repair_once_they_were_helped(self, store, sara, ask):
        switch(store, Kind.REASK)
        ask(sara)
        at = NOW + HALF_A_YEAR
        hold(sara, key="case:1", reason="open_case", at=at - DAY)
        sweep(store, at)
        assert not self.reasks(store)
        release(store, key="case:1")
        sweep(store, at + DAY)
        assert not self.reasks(store)
        journeying.repair(store, at + DAY)
        assert len(self.reasks(store)) == 1

    def test_not_who_left_unhelped(self, store, sara, ask, ask_on_page):
        switch(store, Kind.REASK)
        answer = ask_on_page(sara)
        RecoveryCase.objects.create(
            store=store,
            response=answer,
            customer=sara,
            status=RecoveryCase.Status.CLOSED,
            opened_at=NOW,
            promise_at=NOW,
            ended_at=NOW,
        )
        sweep(store, NOW + HALF_A_YEAR)
        assert not self.reasks(store)

    def test_it_is_off_unless_switched_on(self, store, sara, ask):
        ask(sara)
        sweep(store, NOW + HALF_A_YEAR)
        assert not self.reasks(store)

    def test_switching_it_on_reaches_nobody_whose_rest_was_over_before(self, store, sara, ask):
        ask(sara)
        switch(store, Kind.REASK, since=NOW + HALF_A_YEAR + HOUR)
        sweep(store, NOW + HALF_A_YEAR + 2 * HOUR, since=NOW)
        assert not self.reasks(store)
