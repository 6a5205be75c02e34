"""Connections that break at any moment, and callers who ask again (RELIABILITY G4): one effect, one answer."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing, contextmanager
from itertools import count
from random import Random

import psycopg2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.services import Person
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer, Redemption, Reward, Voucher
from rewards.services import granting, ledger
from tests.conftest import NOW, make_order_of

CUTS = 250
PURSE = 5_000
URL = "/api/v1/vouchers/redeem/"


@pytest.fixture
def purse(committed_store, in_store):
    """The code of a store credit of 5,000 centavos."""

    def earn():
        sara = make_order_of(committed_store, Person("Sara", "sara@example.com"), at=NOW).customer
        offer = make_offer(committed_store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=PURSE))
        granting.grant(sara, offer, side=Reward.Side.ADVOCATE, key="credit", at=NOW)
        return Voucher.objects.for_store(committed_store).get(kind="credit").code

    return in_store(earn)


@pytest.fixture
def caller(key_header, purse):
    """Whose line breaks."""
    with closing(psycopg2.connect(**connection.get_connection_params())) as ending:
        ending.autocommit = True
        yield Caller(key_header, purse, ending)


@pytest.fixture
def uses(committed_store, in_store):
    """How often something was taken off a bill, and how much altogether."""

    def read():
        rows = Redemption.objects.for_store(committed_store).values_list("discount_minor", flat=True)
        return len(rows), sum(rows)

    return lambda: in_store(read)


class Caller:
    """Takes one centavo of the purse at a time, over a line on which anything may happen."""

    def __init__(self, header, code, ending) -> None:
        self.header, self.code, self.ending = header, code, ending
        self.luck, self.seen = Random(4), Counter()
        self.most = max(self.statements(f"first-{number}") for number in range(3))

    def statements(self, key) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert self.post(key).status_code == 201
        return len(queries)

    def post(self, key):
        client = Client(headers={**self.header, "idempotency-key": key}, raise_request_exception=False)
        body = {"code": self.code, "amount_minor": 1, "currency": "PHP"}
        return client.post(URL, json.dumps(body), content_type="application/json")

    @contextmanager
    def about_to_break(self):
        """Our connection to the database ends after one of its statements, or after the answer: even odds."""
        connection.ensure_connection()
        pid, last, done = connection.connection.info.backend_pid, self.luck.randrange(2 * self.most), count()

        def run(execute, *args):
            result = execute(*args)
            if next(done) == last:
                self.end(pid)
            return result

        with connection.execute_wrapper(run):
            yield
        connection.close()

    def end(self, pid) -> None:
        with self.ending.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    def until_answered(self, key_of) -> None:
        """Ask until there is an answer that reaches us; the first call breaks, or its answer is lost."""
        lost = None
        for attempt in count():
            if attempt == 0:
                with self.about_to_break():
                    answer = self.post(key_of(attempt))
                self.seen["failed" if answer.status_code >= 500 else "done"] += 1
                if answer.status_code == 201 and self.luck.random() < 0.5:
                    lost = answer.content
                    self.seen["lost"] += 1
                    continue
            else:
                answer = self.post(key_of(attempt))
            if answer.status_code == 201:
                assert lost in (None, answer.content)
                return


def test_random_cuts_double_nothing_and_lose_nothing(committed_store, in_store, caller, uses):
    before, _ = uses()
    for number in range(CUTS):
        caller.until_answered(lambda attempt, number=number: f"cut-{number}")
    assert uses() == (before + CUTS, before + CUTS)
    assert in_store(lambda: ledger.total(committed_store)) == 0
    assert min(caller.seen[what] for what in ("failed", "done", "lost")) > CUTS // 20, caller.seen


def test_control_callers_who_ask_again_under_another_key_pay_twice(caller, uses):
    before, _ = uses()
    with pytest.raises(AssertionError):  # the second answer is about another redemption
        for number in range(100):
            caller.until_answered(lambda attempt, number=number: f"cut-{number}-{attempt}")
    done = caller.seen["failed"] + caller.seen["done"]
    assert uses()[0] > before + done
