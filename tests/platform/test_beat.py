"""Beat ticks for every job that is periodic: the job itself says how often, and no list can forget it."""

import re
from pathlib import Path

from config.beat import SelfReliant
from config.celery import app

ROOT = Path(__file__).resolve().parent.parent.parent
PERIODIC = re.compile(r"^@periodic\((\d+)\)\ndef (\w+)", re.MULTILINE)


def test_beat_ticks_for_every_periodic_job(tmp_path):
    beat = SelfReliant(app=app, schedule_filename=str(tmp_path / "schedule"))
    written = {
        f"{path.parent.name}.tasks.{name}": float(seconds)
        for path in ROOT.glob("*/tasks.py")
        for seconds, name in PERIODIC.findall(path.read_text())
    }
    assert len(written) >= 45
    planned = {name: beat.schedule[name].schedule for name in beat.schedule if not name.startswith("celery.")}
    beat.close()
    assert {name: interval.seconds for name, interval in planned.items()} == written


def test_no_two_jobs_share_a_slot():
    """A slot is taken by the job's bare name."""
    names = [name for path in ROOT.glob("*/tasks.py") for _, name in PERIODIC.findall(path.read_text())]
    assert len(names) == len(set(names))
