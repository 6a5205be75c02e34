"""The tests' databases: migrated once for each state of the migrations, copied for each process and each stack."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import psycopg2
from django.db import connections
from psycopg2 import sql

ROOT = Path(__file__).resolve().parent.parent
# What the tables are made from: our migrations with what they call, other people's apps, and which are installed.
SOURCES = ("*/migrations/*.py", "stores/walls.py", "requirements.txt", "config/settings.py")
PREFIX = "goodword_tests_"
URLS = ("DATABASE_URL", "DATABASE_OWNER_URL")
LOCK = 20_261_122  # held by the process that makes the template


def url_of(role_url: str, name: str) -> str:
    """The address of another database for the same role."""
    return urlsplit(role_url)._replace(path=f"/{name}").geturl()


def as_django_says(url: str) -> dict[str, Any]:
    """Where an address leads, in the names of Django's settings."""
    found = environ.Env.db_url_config(url)
    return {name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}


def create(name: str) -> None:
    """A database with all tables and no rows; made by goodword_owner."""
    template = _template()
    with _owner() as cursor:
        cursor.execute(_named("CREATE DATABASE {} TEMPLATE {}", name, template))


def drop(name: str) -> None:
    """Drop it; one that is gone is fine. A process that was killed may hold it a moment longer."""
    for _ in range(20):
        try:
            with _owner() as cursor:
                cursor.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))
        except (psycopg2.errors.ObjectInUse, psycopg2.errors.InsufficientPrivilege):  # the owner may not end others
            time.sleep(0.5)
        else:
            return


@contextmanager
def own() -> Iterator[str]:
    """A fresh database for this process's tests; gives its name."""
    name = f"test_goodword_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{secrets.token_hex(3)}"
    create(name)
    try:
        yield name
    finally:
        drop(name)


@contextmanager
def looking_at(name: str, urls: dict[str, str] | None = None) -> Iterator[None]:
    """Every connection of Django, of every thread, goes to this database inside; of the server of `urls`."""
    roles = {"default": "DATABASE_URL", "owner": "DATABASE_OWNER_URL"}
    homes = {one.alias: _address(one) for one in connections.all()}
    there = {alias: as_django_says(urls[role]) for alias, role in roles.items()} if urls else homes
    _point({alias: {**there[alias], "NAME": name} for alias in homes})
    try:
        yield
    finally:
        _point(homes)


def _address(one: Any) -> dict[str, Any]:
    return {name: one.settings_dict[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}


def _point(addresses: dict[str, dict[str, Any]]) -> None:
    for one in connections.all():
        one.close()
        one.settings_dict.update(addresses[one.alias])


@functools.cache
def _template() -> str:
    """The migrated database of today's migrations; it stays for the next run, and nobody works in it."""
    name = PREFIX + _state()
    with _owner() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [PREFIX + "%"])
        known = [row[0] for row in cursor.fetchall()]
        if name not in known:
            for old in known:
                cursor.execute(_named("DROP DATABASE {}", old))
            _migrated(cursor, name)
    return name


def _migrated(cursor: Any, name: str) -> None:
    """Make it under another name first: what bears the name is whole."""
    half = f"{name}_half"
    cursor.execute(_named("CREATE DATABASE {}", half))
    env = {key: url_of(os.environ[key], half) for key in URLS}
    command = [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cursor.execute(_named("ALTER DATABASE {} RENAME TO {}", half, name))


def _state() -> str:
    found = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        found.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:12]


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


@contextmanager
def _owner() -> Iterator[Any]:
    """A cursor outside any transaction, as CREATE DATABASE needs."""
    connection = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()
