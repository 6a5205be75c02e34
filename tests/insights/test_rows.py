import csv
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from insights.numbers.period import Period
from insights.rows import listing
from referrals.models import Referral
from referrals.services import links

KINDS = ["asked", "shared", "visits", "claims", "bought", "counted", "answers", "costs"]


@pytest.fixture
def url(store):
    return lambda what: reverse("insights:rows", args=[store.slug, what])


def read_csv(response):
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("what", KINDS)
def test_every_number_opens_its_rows(manager, url, played, what):
    page = manager.get(url(what))
    assert page.status_code == 200
    assert len(page.context["rows"]) == 1


@pytest.mark.parametrize("what", KINDS)
def test_an_empty_list_says_so(manager, url, what):
    assert "Nothing in this time" in manager.get(url(what)).content.decode()


@pytest.mark.parametrize("what", KINDS)
def test_the_file_holds_what_is_shown(manager, url, played, what):
    found = read_csv(manager.get(url(what), {"format": "csv"}))
    assert len(found) == 2
    assert len(found[0]) == len(found[1])


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(manager, url, play):
    play("=cmd|'/c calc'!A0")
    row = read_csv(manager.get(url("bought"), {"format": "csv"}))[1]
    assert row[1] == "'=cmd|'/c calc'!A0"
    assert row[2] == "800.00"


def test_pages_hold_fifty_and_lose_nobody(manager, url, play, store, played):
    link, now = played.share_links.get(), timezone.now()
    for number in range(119):
        links.record_visit(link, visitor=f"x{number}", is_bot=False, at=now)  # all at one moment
    links.record_visit(link, visitor="robot", is_bot=True, at=now)
    seen, after = 0, ""
    for size in (50, 50, 20):
        page = manager.get(url("visits"), {"after": after})
        assert len(page.context["rows"]) == size
        seen, after = seen + size, page.context["page"].next
    assert after == ""


def test_a_cursor_nobody_made_is_the_first_page(manager, url, played):
    for after in ("x", "~", "2026-13-45T99:99~1", "2026-01-01T00:00:00+00:00~99999999999999999999"):
        assert len(manager.get(url("bought"), {"after": after}).context["rows"]) == 1


def test_a_chip_filters_and_the_reason_is_in_words(manager, url, play, store):
    play()
    Referral.objects.for_store(store).update(status=Referral.Status.VOIDED, reason=Referral.Reason.REFUNDED)
    assert len(manager.get(url("bought")).context["rows"]) == 0
    page = manager.get(url("bought"), {"only": "voided"})
    assert "the order was refunded" in page.content.decode()


def test_answers_can_be_filtered_by_how_people_feel(manager, url, play):
    play(friends=0)
    play(score=2)
    for only, count in (("promoter", 1), ("passive", 0), ("detractor", 1), ("nonsense", 2)):
        assert len(manager.get(url("answers"), {"only": only}).context["rows"]) == count


def test_queries_do_not_grow_with_rows(manager, url, play, django_assert_max_num_queries):
    for _ in range(3):
        play(friends=2)
    play.approve()
    for what in KINDS:
        with django_assert_max_num_queries(11):
            manager.get(url(what))


def test_there_is_no_other_list(manager, url, store):
    assert manager.get(url("passwords")).status_code == 404
    assert listing(store, "passwords", Period(30, timezone.now())) is None


def test_it_refuses_a_post(manager, url):
    assert manager.post(url("bought")).status_code == 405


def test_it_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, client, url):
    assert stranger.get(url("bought")).status_code == 404
    assert staff.get(url("bought")).status_code == 403
    assert client.get(url("bought")).status_code == 302
