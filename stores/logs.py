"""Log lines as JSON with the ids needed to follow one request or task; never personal data, never a secret.

Only the standard library: the web server's own lines pass through here before Django is loaded (config/logs.json).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_task: ContextVar[tuple[str, str]] = ContextVar("task", default=("", ""))  # name, id
_store_id: ContextVar[str] = ContextVar("store_id", default="")

STORE = "raised_at_store"  # on an error: whose rows were being worked on
# Whoever has such an address may act on it: an advocate's page, a survey, a provider's reports, a password reset.
KEYS = re.compile(r"(/(?:me|s|t|u|q|taken|terms|password/reset/key|confirm-email|in/\w+/\w+|in/\w+)/)[^\s/?\"']+")
# What says who somebody is, or opens a door, wherever it stands in a line.
HIDDEN = [
    (re.compile(r"(?<=://)[^\s/@]+@"), "***@"),  # user and password of an address
    (re.compile(r"[^\s@\"<>(),;:]+@[\w-]+(?:\.[\w-]+)+"), "***@***"),  # e-mail addresses
    (re.compile(r"(?<![\w.])[+0]\d(?:[ ().-]?\d){7,13}(?!\w)"), "***"),  # phone numbers
    (KEYS, r"\1***"),
    (re.compile(r"(?i)\b(bearer\s+|gw_)[\w.~+/-]{8,}=*"), r"\1***"),
    (re.compile(r"(?i)\b((?:api_?key|token|secret|password|key|code)=)[^\s&\"']+"), r"\1***"),
    (re.compile(r"(DETAIL:\s+(?:Key|Failing row)\b).*"), r"\1 ***"),  # Postgres shows the row
]


def request_id() -> str:
    """The id of the request being served; '' outside one."""
    return _request_id.get()


def begin_request(identifier: str) -> None:
    """Stamp every following line of this thread's request."""
    _request_id.set(identifier)
    _store_id.set("")


def begin_task(name: str, identifier: str) -> None:
    """Stamp every following line of this worker's task; ('', '') ends it."""
    _task.set((name, identifier))
    _store_id.set("")


def stay_at_store(identifier: str) -> None:
    """Stamp every following line of this request with the store whose rows it works on."""
    _store_id.set(identifier)


@contextmanager
def at_store(identifier: str) -> Iterator[None]:
    """Stamp the lines of this block with the store whose rows it works on, and the line about what it raises."""
    before = _store_id.set(identifier)
    try:
        yield
    except Exception as error:
        if not hasattr(error, STORE):
            setattr(error, STORE, identifier)
        raise
    finally:
        _store_id.reset(before)


@contextmanager
def stamped(name: str, identifier: str) -> Iterator[None]:
    """A task from here to the end of the block."""
    begin_task(name, identifier)
    try:
        yield
    finally:
        begin_task("", "")


def hushed(text: str) -> str:
    """The text without what says who somebody is, or opens a door."""
    for pattern, instead in HIDDEN:
        text = pattern.sub(instead, text)
    return text


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message; request, task and store id where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hushed(record.getMessage()),
        }
        task, task_id = _task.get()
        raised_at = getattr(record.exc_info[1], STORE, "") if record.exc_info else ""
        store_id = raised_at or _store_id.get()
        ids = {"request_id": request_id(), "task": task, "task_id": task_id, "store_id": store_id}
        line |= {name: value for name, value in ids.items() if value}
        if record.exc_info:
            line["error"] = hushed(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
