"""A large print run, with workers that die in the middle or come in numbers: a card each, and whole sheets."""

from __future__ import annotations

import pytest
from django.utils import timezone

from customers.services import Person
from referrals import audiences
from referrals.materials import drawing
from referrals.models import PrintRun, PrintSheets
from referrals.services import prints
from stores.models import Job
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of
from tests.referrals.print_world import Material, Whom, printed

PEOPLE = 20


@pytest.fixture
def run(committed_store, in_store, monkeypatch) -> PrintRun:
    """A card for each of 20 people, 8 a piece."""
    monkeypatch.setattr(prints, "PIECE", 8)

    def make() -> PrintRun:
        for number in range(PEOPLE):
            make_order_of(committed_store, Person(f"P{number}", f"p{number}@example.com"), at=NOW)
        lately = [{"fact": "bought_within", "value": 3650}]
        segment = audiences.save(committed_store, name="Buyers", conditions=lately, at=NOW)
        return printed(committed_store, Material.CARDS, Whom.SEGMENT, segment=segment, at=timezone.now())

    return in_store(make)


def work(run: PrintRun) -> Job:
    with acting_for(run.store):
        job = prints.job_of(run).pk
    return prints.work(run.store, job)


def made(run: PrintRun) -> tuple[int, int, int, int]:
    """Links, people who have one, pieces as written down, sheets kept."""
    with acting_for(run.store):
        links = prints.links_of(run)
        people = links.order_by().values("customer").distinct().count()
        sheets = PrintSheets.objects.for_store(run.store).filter(run=run).count()
        return links.count(), people, PrintRun.objects.get(pk=run.pk).copies, sheets


def test_a_killed_worker_leaves_no_half_piece(run, monkeypatch):
    real, calls = drawing.pdf, []

    def dies_once(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return real(*args, **kwargs)

    monkeypatch.setattr(drawing, "pdf", dies_once)
    assert work(run).state == Job.State.RUNNING
    assert made(run) == (8, 8, 8, 1)
    assert work(run).state == Job.State.DONE
    assert made(run) == (PEOPLE, PEOPLE, PEOPLE, 3)


def test_several_workers_take_turns(run, at_once):
    at_once(3, lambda _number: work(run))
    assert made(run) == (PEOPLE, PEOPLE, PEOPLE, 3)


def test_without_the_jobs_row_they_would_print_twice(run, at_once, in_store):
    """The control: two workers that read how far it is before either writes."""
    with acting_for(run.store):
        job = prints.job_of(run)

    def piece(_number):
        with acting_for(run.store):
            return prints._piece(job, timezone.now())

    at_once(2, piece)
    links, people, _copies, _sheets = made(run)
    assert (links, people) == (16, 8)
