"""What the bench's worker does besides the application's tasks.

Both run in the same processes, from the same broker: a task that does nothing, and a turn of the dispatcher, which
in production starts by the clock (outreach.tasks.send_due, once in five seconds however many workers there are).
"""

from __future__ import annotations

from config.celery import app
from outreach import dispatch

NAMES = ("bench.nothing", "bench.turn")


@app.task(name=NAMES[0])
def nothing() -> None:
    """The least a task can do."""


@app.task(name=NAMES[1])
def turn(seconds: float) -> int:
    """Send what is due."""
    return dispatch.dispatch(seconds=seconds)
