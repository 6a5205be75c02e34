"""Contests in the dashboard: list, editor, who leads, steps, looking again, the file."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from referrals.models import Contest, Program, Referral
from referrals.services import contests, deciding
from referrals.services.contests import PrizeTerms
from rewards.models import Offer, Reward
from rewards.services import granting
from stores.tenancy import acting_for
from tests.referrals.contest_world import END, FIRST, SETTLED, START, WEEK, advocate, brings, close, make, prizes
from tests.referrals.journey_world import DAY
from tests.referrals.program_world import CASH


def at(store, name, *args):
    return reverse(f"referrals:{name}", args=[store.slug, *args])


def text_of(client, url, **options):
    page = client.get(url, **options)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", page.content.decode())


def typed(**changes):
    """What the editor's form sends."""
    values = {
        "name": "Friends’ week",
        "starts": "2026-12-01T00:00",
        "ends": "2026-12-11T00:00",
        "settle_days": "14",
        "rules": "",
        "prizes": "1",
        "prize-0-first": "1",
        "prize-0-last": "1",
        "prize-0-kind": "gift_card",
        "prize-0-value": "2000",
        "prize-0-valid_days": "365",
        "consolation-kind": "percent_off",
        "consolation-value": "10",
        "consolation-valid_days": "90",
    }
    return values | changes


@pytest.fixture
def now_contest(store):
    """A contest that runs while the views look, on the real clock."""
    at = timezone.now()
    data = WEEK.__class__(
        "Now", at - 5 * DAY, at + 5 * DAY, [PrizeTerms(1, 1, FIRST), PrizeTerms(2, 2, CASH)], settle_days=14
    )
    contest = contests.make_contest(store, data, by=None, at=at - 6 * DAY)
    contests.announce(contest, by=None, at=at - 6 * DAY)
    return contest


# -- The list --


def test_an_empty_list_says_what_a_contest_is(manager, store):
    assert "No contest yet" in text_of(manager, at(store, "contests"))


def test_the_list_has_every_contest_with_its_friends(manager, store):
    make(store)
    make(store, announced=False, name="A draft", starts_at=START + 30 * DAY, ends_at=END + 30 * DAY)
    brings(advocate(store, "Ann Cruz"), "A1", "A2")
    text = text_of(manager, at(store, "contests"))
    assert re.search(r"Friends’ week.*?<td>2</td>", text)
    assert re.search(r"A draft.*?<td>0</td>", text)
    assert "over, not closed yet" in text


def test_the_program_page_leads_there(manager, store):
    assert at(store, "contests") in text_of(manager, at(store, "programs"))


def test_the_lists_queries_do_not_grow(manager, store, django_assert_max_num_queries):
    make(store)
    with django_assert_max_num_queries(10) as few:
        manager.get(at(store, "contests"))
    for number in range(10):
        make(store, name=f"C{number}")
    with django_assert_max_num_queries(len(few)):
        manager.get(at(store, "contests"))


# -- The editor --


def test_a_contest_is_made_and_announced(manager, store):
    answer = manager.post(at(store, "new_contest"), typed())
    contest = Contest.objects.get(store=store)
    assert answer["Location"] == at(store, "contest", contest.public_id)
    assert contest.starts_at.isoformat() == "2026-11-30T16:00:00+00:00"  # midnight in Manila
    prize = contest.prizes.get()
    assert (prize.offer.kind, prize.offer.amount_minor) == ("gift_card", 200_000)
    assert contest.consolation.percent == 10
    text = text_of(manager, at(store, "contest", contest.public_id))
    assert "Place 1:" in text
    assert "Save the draft" in text


def test_what_was_typed_is_kept_with_a_word_how_to_mend_it(manager, store):
    wrong = typed(name="Ours", ends="2026-11-30T00:00", settle_days="3", **{"prize-0-value": "x", "prize-0-last": "0"})
    page = manager.post(at(store, "new_contest"), wrong)
    text = page.content.decode()
    assert page.status_code == 422
    assert 'value="Ours"' in text
    assert "The end must be after the start." in text
    assert "Friends count after 14 days" in text
    assert not Contest.objects.filter(store=store).exists()


def test_two_prizes_for_one_place_are_refused(manager, store):
    second = {
        f"prize-1-{name}": value for name, value in (("first", "1"), ("last", "3"), ("kind", "cash"), ("value", "5"))
    }
    page = manager.post(at(store, "new_contest"), typed(prizes="2", **second))
    assert page.status_code == 422
    assert "Another prize is for this place already" in page.content.decode()


def test_prizes_are_added_and_taken_away_without_script(manager, store):
    page = manager.post(at(store, "new_contest"), typed(step="add"))
    text = page.content.decode()
    assert page.status_code == 200
    assert 'name="prize-1-first" value="2"' in text
    text = manager.post(at(store, "new_contest"), typed(step="remove-0", name="Kept")).content.decode()
    assert "No prize yet." in text
    assert 'value="Kept"' in text
    for junk in ("remove-9", "remove-x", "nonsense", "add-"):
        assert manager.post(at(store, "new_contest"), typed(step=junk)).status_code == 200


def test_commission_is_not_offered_as_a_prize(manager, store):
    assert 'value="commission"' not in text_of(manager, at(store, "new_contest"))
    assert manager.post(at(store, "new_contest"), typed(**{"prize-0-kind": "commission"})).status_code == 422


def test_a_draft_is_opened_as_it_was_saved_and_changed(manager, store):
    contest = make(store, announced=False)
    url = at(store, "contest", contest.public_id)
    text = text_of(manager, url)
    assert 'name="prize-1-first" value="2"' in text
    assert manager.post(url, typed(name="Other")).status_code == 302
    contest.refresh_from_db()
    assert (contest.name, contest.prizes.count()) == ("Other", 1)


def test_what_was_announced_cannot_be_changed_from_an_old_page(manager, store):
    contest = make(store)
    url = at(store, "contest", contest.public_id)
    assert "announced meanwhile" in manager.post(url, typed(name="Other"), follow=True).content.decode()
    contest.refresh_from_db()
    assert contest.name == "Friends’ week"


def test_persian_owners_type_their_days_and_digits(manager, store):
    headers = {"accept-language": "fa"}
    typed_there = typed(
        starts="۱۴۰۵-۰۹-۱۰ ۰۰:۰۰", ends="۱۴۰۵-۰۹-۲۰ ۰۰:۰۰", settle_days="۱۴", **{"prize-0-value": "۲۰۰۰"}
    )
    assert manager.post(at(store, "new_contest"), typed_there, headers=headers).status_code == 302
    contest = Contest.objects.get(store=store)
    assert contest.starts_at.date().isoformat() == "2026-11-30"
    assert contest.prizes.get().offer.amount_minor == 200_000


# -- Who leads, and steps --


def test_the_board_shows_full_names_and_what_each_would_win(manager, store, now_contest):
    bought = timezone.now() - DAY
    brings(advocate(store, "Ann Cruz"), "A1", "A2", at=bought, counted=False)
    text = text_of(manager, at(store, "contest", now_contest.public_id))
    assert "Ann Cruz" in text
    assert "2 may still be returned" in text
    assert "gift card" in text


def step(client, store, contest, to):
    page = client.post(at(store, "contest_step", contest.public_id), {"to": to}, follow=True)
    assert page.status_code == 200
    contest.refresh_from_db()
    return page.content.decode()


def test_it_is_announced_called_off_and_put_back(manager, store, now_contest):
    contests.call_off(now_contest, by=None, at=timezone.now())
    assert "as it was before" in step(manager, store, now_contest, "put_back")
    assert now_contest.status == "open"
    assert "You can undo it here" in step(manager, store, now_contest, "call_off")
    assert now_contest.status == "cancelled"
    assert "Undo" in text_of(manager, at(store, "contest", now_contest.public_id))
    assert "Somebody was faster" in step(manager, store, now_contest, "announce")


@pytest.mark.parametrize(
    ("changes", "words"), [({}, "Its end is past"), ({"prizes": [], "consolation": None}, "Nobody could win")]
)
def test_it_says_why_it_cannot_be_announced(manager, store, changes, words):
    at = timezone.now()
    times = {"starts_at": at, "ends_at": at + DAY} if changes else {}
    contest = make(store, announced=False, **changes, **times)
    assert words in step(manager, store, contest, "announce")
    assert contest.status == "draft"


def test_closing_by_hand_waits_for_the_undecided(manager, store, now_contest):
    assert "It still runs" in step(manager, store, now_contest, "close")
    ended = timezone.now() - timedelta(minutes=1)
    Contest.objects.filter(pk=now_contest.pk).update(ends_at=ended)
    brings(advocate(store, "Ann Cruz"), "A1", at=ended - DAY, counted=False)
    assert "1 friend of the contest is undecided" in step(manager, store, now_contest, "close")
    assert now_contest.status == "open"
    referral = Referral.objects.select_related(*deciding.JOINED).get(store=store)
    deciding.approve_referral(referral, at=timezone.now(), by_hand=True)
    assert "the prizes are given" in step(manager, store, now_contest, "close")
    assert prizes(store) == [("Ann Cruz", "gift_card", 200_000)]


def test_an_unknown_step_is_not_found(manager, store):
    contest = make(store)
    assert manager.post(at(store, "contest_step", contest.public_id), {"to": "delete"}).status_code == 404
    assert manager.get(at(store, "contest_step", contest.public_id)).status_code == 405


def test_the_boards_queries_do_not_grow(manager, store, now_contest, django_assert_max_num_queries):
    url, bought = at(store, "contest", now_contest.public_id), timezone.now() - DAY
    brings(advocate(store, "Ann Cruz"), "A1", at=bought, counted=False)
    with django_assert_max_num_queries(16) as few:
        manager.get(url)
    for number in range(10):
        brings(advocate(store, f"More {number}"), f"M{number}", at=bought, counted=False)
    with django_assert_max_num_queries(len(few)):
        assert b"More 9" in manager.get(url).content


def test_the_closed_boards_queries_do_not_grow(manager, store, django_assert_max_num_queries):
    few_people, many_people = (
        make(store),
        make(store, name="Many", starts_at=START - 40 * DAY, ends_at=START - 30 * DAY),
    )
    brings(advocate(store, "Ann Cruz"), "A1")
    for number in range(10):
        brings(advocate(store, f"More {number}"), f"M{number}", at=START - 39 * DAY)
    close(few_people), close(many_people)
    with django_assert_max_num_queries(16) as few:
        manager.get(at(store, "contest", few_people.public_id))
    with django_assert_max_num_queries(len(few)):
        assert b"More 9" in manager.get(at(store, "contest", many_people.public_id)).content


# -- Looking again, and the file --


def test_looking_again_shows_what_is_different_and_where_to_take_it_back(manager, store):
    contest = make(store)
    ann, ben = advocate(store, "Ann Cruz"), advocate(store, "Ben Diaz")
    (referral,) = brings(ann, "A1")
    brings(ben, "B1", at=START + 2 * DAY)
    close(contest)
    url = at(store, "contest_again", contest.public_id)
    assert "Everything is as it was written down" in text_of(manager, url)
    deciding.void_referral(referral, reason=Referral.Reason.REFUNDED, at=SETTLED)
    text = text_of(manager, url)
    reward = Reward.objects.get(store=store, side="customer", customer=ann)
    assert f'{reverse("rewards:reward", args=[store.slug, reward.public_id])}">Take the prize back' in text
    assert "no friend is left" in text
    assert "place 2, 1 friend" in text
    granting.take_back(reward, reason="staff", at=SETTLED)
    assert text_of(manager, url).count("Take the prize back") == 1  # Ben's, who would win the first prize now


def test_looking_again_at_one_that_is_not_closed_leads_to_the_board(manager, store):
    contest = make(store)
    answer = manager.get(at(store, "contest_again", contest.public_id))
    assert answer["Location"] == at(store, "contest", contest.public_id)


def test_the_file_has_everybody_and_no_live_formulas(manager, store):
    contest = make(store)
    ann = advocate(store, "Ann Cruz")
    ann.name = "=cmd()"
    ann.save(update_fields=["name"])
    brings(ann, "A1", "A2")
    url = at(store, "contest_csv", contest.public_id)
    before = manager.get(url).content.decode()
    close(contest)
    after = manager.get(url).content.decode()
    for text in (before, after):
        lines = text.lstrip("\ufeff").splitlines()
        assert lines[0] == "Place,Customer,E-mail,Phone,Friends,Waiting,Reached,Prize"
        assert lines[1].startswith("1,'=cmd(),ann.cruz@example.com,,2,0,")
        assert "gift card" in lines[1]


# -- Strangers --


def test_another_stores_contest_is_not_found(store, other_store, manager):
    with acting_for(other_store):
        foreign = contests.make_contest(other_store, WEEK, by=None, at=START)
    for name in ("contest", "contest_csv", "contest_again"):
        assert manager.get(at(store, name, foreign.public_id)).status_code == 404
    for to in ("announce", "call_off", "close"):
        assert manager.post(at(store, "contest_step", foreign.public_id), {"to": to}).status_code == 404
    with acting_for(other_store):
        foreign.refresh_from_db()
    assert foreign.status == "draft"


def test_programs_own_addresses_still_work(manager, store):
    program = Program.objects.filter(store=store).first()
    assert manager.get(at(store, "program", program.public_id)).status_code == 200
    assert Offer.objects.filter(store=store).exists()
