"""What may be wrong with the server, one check a line: for /readyz and `manage.py doctor`.

Each returns a sentence, or raises NotReady with what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from insights.operation.figures import Figures
from stores.health import BEAT_SILENCE, NotReady

LATE = timedelta(minutes=10)  # a message past its time, with a worker running
FORGOTTEN = timedelta(minutes=10)  # a file or another long work that nobody touches
FREE = 0.10  # of the disk
FREE_BYTES = 1 << 30
LARGE = 50 << 30  # on a large disk less than FREE is enough, if it is so much
NAMED = 5  # as many names as fit a line


def workers(figures: Figures) -> str:
    """Somebody does the jobs that beat ticks for."""
    if figures.last_run is None:
        return "no job has run yet on this database"
    silence = figures.at - figures.last_run
    if silence > BEAT_SILENCE:
        raise NotReady(
            f"no job has ended for {_seconds(silence)}: start a worker, or look into the log of those there are"
        )
    return f"a job ended {_seconds(silence)} ago"


def jobs(figures: Figures) -> str:
    """Each periodic job runs when it should, and ends well."""
    if figures.late_runs:
        lines = [
            f"{run.job} ({run.error or 'last ended ' + _seconds(figures.at - run.at) + ' ago'})"
            for run in figures.late_runs[:NAMED]
        ]
        raise NotReady(f"late or failing: {_names(lines, len(figures.late_runs))}. The worker's log says why")
    return f"{len(figures.runs)} jobs run when they should"


def queue(figures: Figures) -> str:
    """Nothing waits long past its time."""
    waits = f"{figures.due} messages are due, the oldest for {_seconds(figures.oldest_due)}"
    if figures.oldest_due > LATE and not figures.held_since:
        late = [one.slug for one in figures.stores if one.oldest_due and figures.at - one.oldest_due > LATE]
        raise NotReady(
            f"{waits} ({_names(late)}): start more workers, or see why they send nothing (providers, limits)"
        )
    return waits


def unknown(figures: Figures) -> str:
    """Messages that somebody should decide about; told, and never a fault of the server."""
    stores = [f"{one.slug} ({one.unknown})" for one in figures.stores if one.unknown]
    where = f": {_names(stores)} decide under Messages > In doubt" if stores else ""
    return f"{figures.unknown} messages of which nobody knows whether they arrived{where}"


def inbox(figures: Figures) -> str:
    """Files that came in, and other long work, go on."""
    if figures.inbox_age > FORGOTTEN:
        if figures.visits_since and figures.at - figures.visits_since > FORGOTTEN:
            raise NotReady(
                f"visits of share pages lie in DATA_DIR/visits for {_seconds(figures.inbox_age)}: the web server's log "
                "says why; a restarted one loads them"
            )
        left = [one.slug for one in figures.stores if one.oldest_job and figures.at - one.oldest_job > FORGOTTEN]
        raise NotReady(
            f"work that came in lies for {_seconds(figures.inbox_age)} ({_names(left)}): the worker's log says why; "
            "a restarted worker goes on where it stood"
        )
    return f"{sum(one.jobs for one in figures.stores)} files and other long jobs are at work"


def books(figures: Figures) -> str:
    """The books add up, as the last recount found."""
    if figures.drifting:
        wrong = [f"{one.slug} ({', '.join(one.problems)})" for one in figures.drifting]
        raise NotReady(f"do not add up: {_names(wrong)}. Payouts there are stopped; see docs/operate.md, ledger drift")
    return "added up when they were last counted"


def held(figures: Figures) -> str:
    """Nobody has to look before messages go out."""
    if figures.held_since:
        raise NotReady(
            f"nothing is sent since {figures.held_since:%Y-%m-%d %H:%M} UTC, because this database was restored, "
            "copied or held by hand: manage.py release says what waits, and lets it go"
        )
    return "messages go out"


def disk(figures: Figures) -> str:
    """There is room on the disk of DATA_DIR."""
    room = f"{figures.disk.free / (1 << 30):.1f} GB free ({figures.disk.share_free:.0%})"
    if figures.disk.free < FREE_BYTES or (figures.disk.share_free < FREE and figures.disk.free < LARGE):
        raise NotReady(f"{room} where DATA_DIR is: make room before Postgres stops, see docs/operate.md, disk")
    return room


def _seconds(span: timedelta) -> str:
    return f"{max(0, int(span.total_seconds()))} s"


def _names(names: list[str], count: int = 0) -> str:
    more = max(count, len(names)) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


Check = Callable[[Figures], str]
# Without these nothing is sent at all: a server that fails them is not ready.
SERIOUS: dict[str, Check] = {"workers": workers}
# Somebody should look; taking the server out of service would help nobody.
ALARMS: dict[str, Check] = {
    "held": held,
    "jobs": jobs,
    "queue": queue,
    "unknown": unknown,
    "inbox": inbox,
    "books": books,
    "disk": disk,
}
