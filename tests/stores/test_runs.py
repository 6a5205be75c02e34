"""What the periodic jobs leave for the operator."""

import pytest

from stores import runs
from stores.models import JobRun
from stores.tasks import forget_old_rows
from tests.conftest import NOW


def test_a_job_is_noted(db):
    forget_old_rows()
    run = JobRun.objects.get(job="forget_old_rows")
    assert (run.runs, run.failures, run.error, run.every) == (1, 0, "", 86400)
    assert run.good_at == run.at
    assert run.total_seconds == run.seconds > 0


def test_a_job_whose_slot_is_taken_is_not(db):
    forget_old_rows()
    forget_old_rows()
    assert JobRun.objects.get().runs == 1


def test_an_error_is_noted_and_goes_on_its_way(db):
    runs.note("pay", every=30, seconds=1, at=NOW)
    with pytest.raises(ZeroDivisionError), runs.noted("pay", every=30):
        raise ZeroDivisionError
    run = JobRun.objects.get()
    assert (run.runs, run.failures, run.error, run.good_at) == (2, 1, "ZeroDivisionError", NOW)
    assert run.total_seconds > 1


def test_what_went_well_clears_the_error(db):
    with pytest.raises(ZeroDivisionError), runs.noted("pay", every=30):
        raise ZeroDivisionError
    assert JobRun.objects.get().good_at is None
    with runs.noted("pay", every=30):
        pass
    assert JobRun.objects.get().error == ""
