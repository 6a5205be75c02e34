"""Visits by way of a file: the same rows as those written at once, whatever happens to the files."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.models import Referral, ShareLink, Visit
from referrals.services import links, visits
from referrals.services.attribution import attribute_orders
from referrals.services.visits import SUFFIX, VisitLog, load
from stores.codes import public_id
from stores.tenancy import acting_for

COLUMNS = ("link_id", "visitor", "token", "device", "hour", "at", "is_bot", "referrer")


def rows(store):
    return sorted(Visit.objects.for_store(store).values_list(*COLUMNS))


def opening(link, number, at, **facts):
    visitor = links.visitor_of(f"10.0.0.{number}", "Firefox", at.date().isoformat())
    return links.opening(link.store_id, link.pk, visitor=visitor, is_bot=False, at=at, **facts)


@pytest.fixture
def log(tmp_path):
    return VisitLog(tmp_path / "visits")


OPENINGS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 7200), st.sampled_from(["", "a" * 32, "b" * 32]), st.booleans()),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one[1],
)


def test_the_same_rows_in_whatever_files_and_order(store, share_link, now, tmp_path_factory):
    @settings(max_examples=25)
    @given(OPENINGS, st.randoms(use_true_random=False), st.integers(1, 4))
    def same(openings, luck, files):
        facts = [
            opening(share_link, number, now + timedelta(seconds=after), device=device)
            | {"is_bot": is_bot, "referrer": "a.example" if is_bot else ""}
            for number, after, device, is_bot in openings
        ]
        for one in sorted(facts, key=lambda one: one["at"]):
            links.record_opening(one)
        direct = rows(store)
        Visit.objects.for_store(store).delete()
        folder = tmp_path_factory.mktemp("visits")
        luck.shuffle(facts)
        for start in range(files):
            log = VisitLog(folder)
            for one in [*facts[start::files], *facts[:1]]:  # one of them is in every file
                log.append(one)
            log.close()
            if luck.random() < 0.5:
                load(folder)
        load(folder)
        assert rows(store) == direct
        assert not list(folder.iterdir())
        Visit.objects.for_store(store).delete()

    same()


def test_each_store_has_its_own(store, other_store, share_link, now, log):
    log.append(opening(share_link, 1, now))
    log.append(opening(share_link, 2, now) | {"store_id": other_store.pk})  # no link of theirs
    log.close()
    assert load(log.folder) == 2
    assert len(rows(store)) == 1
    with acting_for(other_store):
        assert not Visit.objects.for_store(other_store).exists()


def test_a_file_that_is_written_is_left_alone(store, share_link, now, log):
    log.append(opening(share_link, 1, now))
    assert load(log.folder) == 0
    assert len(list(log.folder.iterdir())) == 1
    log.close()
    assert load(log.folder) == 1
    assert len(rows(store)) == 1


def _away(_store):
    raise OperationalError("the database is away")


def test_what_cannot_be_loaded_waits(store, share_link, now, log, monkeypatch):
    log.append(opening(share_link, 1, now))
    log.close()
    with monkeypatch.context() as broken:
        broken.setattr(visits, "acting_for", _away)
        assert load(log.folder) == 0
    assert len(list(log.folder.iterdir())) == 1
    assert load(log.folder) == 1
    assert len(rows(store)) == 1


def test_half_a_line_is_left_out(store, share_link, now, log):
    log.append(opening(share_link, 1, now))
    log.append(opening(share_link, 2, now))
    log.close()
    (path,) = log.folder.glob(f"*{SUFFIX}")
    path.write_bytes(path.read_bytes()[:-9])
    assert load(log.folder) == 1
    assert len(rows(store)) == 1


def test_a_line_tells_no_address(share_link, now, log):
    log.append(opening(share_link, 1, now, referrer="a.example"))
    log.close()
    (path,) = log.folder.glob(f"*{SUFFIX}")
    assert set(json.loads(path.read_text().split(" ", 1)[1])) == {"store_id", *COLUMNS}
    assert "10.0.0" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_the_token_is_the_hours_and_nobody_elses(share_link, now):
    begin = now.replace(minute=0)
    tokens = {opening(share_link, 1, begin + timedelta(minutes=minute))["token"] for minute in (0, 20, 59)}
    assert len(tokens) == 1
    others = {opening(share_link, 2, begin)["token"], opening(share_link, 1, begin + timedelta(hours=1))["token"]}
    assert len(tokens | others) == 3


# -- Before it is loaded --


def test_an_order_that_comes_first_waits_for_its_visit(store, share_link, make_customer, make_order, now, log):
    """Another's code speaks for somebody, too; the visit decides, as it would have at once."""
    other = links.share_link_of(make_customer("Tess Reyes", "tess@example.com"), at=now)
    facts = opening(share_link, 1, now)
    log.append(facts)
    log.close()
    make_order(email="bea@example.com", name="Bea Cruz", visit=facts["token"], code=other.code, days_ago=0)
    attribute_orders(store, now + timedelta(seconds=1))
    assert not Referral.objects.for_store(store).exists()
    load(log.folder)
    attribute_orders(store, now + timedelta(seconds=31))
    referral = Referral.objects.for_store(store).get()
    assert {one["link"] for one in referral.candidates} == {share_link.public_id, other.public_id}


def test_a_visit_that_never_comes_holds_nothing_up(store, share_link, make_order, now):
    make_order(
        email="bea@example.com",
        name="Bea Cruz",
        visit=public_id(),
        code=share_link.code,
        days_ago=0,
    )
    attribute_orders(store, now + timedelta(seconds=61))
    assert Referral.objects.for_store(store).get().link == ShareLink.objects.get(pk=share_link.pk)
