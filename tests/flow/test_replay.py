"""The real orders through the engine, against a calculation over the same files that knows nothing of it."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from insights.replay import engine
from referrals.fraud import blocks
from referrals.models import Referral
from referrals.reasons import evidence_of
from referrals.services.programs import open_store
from rewards.services import recounting
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.flow.real import FEEDBACK, ORDERS, needs_data
from tests.referrals.journey_world import refer

DAY = timedelta(days=1)
# What the calculation below gives, written down so that a change of both at once is seen as well.
EXPECTED = {
    "orders": 3649, "delivered": 2585, "invited": 2561, "answered": 2557,
    "promoters": 1481, "passives": 524, "detractors": 552, "cases": 552, "ledger_sum": 0,
}  # fmt: skip
ASKED = {True: 1505, False: 1458}  # with and without consent to marketing


def moment(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC) if text else None


def read_orders() -> list[dict]:
    with ORDERS.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["Total"]]
    return [
        {
            "id": row["Name"],
            "person": row["Email"].lower(),
            "placed": moment(row["Created at"]),
            "delivered": moment(row["Delivered at"]),
            "cancelled": moment(row["Cancelled at"]),
            "refunded": row["Financial Status"] == "refunded",
        }
        for row in rows
    ]


def read_answers() -> dict[str, tuple[timedelta, int]]:
    with FEEDBACK.open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: moment(row["answered_at"]))
    delays = {}
    for row in rows:
        wait = max(moment(row["answered_at"]) - moment(row["asked_at"]), timedelta(0))
        delays[row["order"]] = (wait, {1: 1, 2: 4, 3: 6, 4: 8, 5: 10}[int(row["score"])])
    return delays


def ticks(first: datetime, end: datetime) -> list[datetime]:
    """Noon of each day, UTC, and the end itself."""
    noon = first.replace(hour=12, minute=0, second=0, microsecond=0)
    noon += DAY if noon < first else timedelta(0)
    days = []
    while noon < end:
        days.append(noon)
        noon += DAY
    return [*days, end]


def calculate(orders: list[dict], answers: dict, *, consent: bool) -> dict[str, int]:
    """Walk through the days by hand: who is due, who is skipped, who answers, who is asked."""
    for order in orders:
        gone = order["cancelled"] or (order["placed"] if order["refunded"] else None)
        order["refunded_from"] = gone if order["refunded"] else None
    last = max(max(time for time in (o["placed"], o["delivered"], o["cancelled"]) if time) for o in orders)
    days = ticks(min(order["placed"] for order in orders), last + 120 * DAY)
    due = sorted((o for o in orders if o["delivered"]), key=lambda o: o["delivered"])
    waiting, silent, pending = list(due), [], []
    written, unhappy, shown, asked = defaultdict(list), set(), set(), set()
    counts = {"invited": 0, "answered": 0, "promoters": 0, "passives": 0, "detractors": 0}

    def quiet(person: str, today: datetime, *, besides: datetime | None = None) -> bool:
        recent = [time for time in written[person] if time > today - 30 * DAY]
        if besides in recent:
            recent.remove(besides)
        return not recent

    for today in days:
        for answer in sorted(pending):
            at, _, score, order = answer
            if at > today:
                break
            pending.remove(answer)
            order = next(o for o in due if o["id"] == order)
            order["answered"] = True
            counts["answered"] += 1
            counts["promoters" if score >= 9 else "passives" if score >= 7 else "detractors"] += 1
            if score <= 6:
                unhappy.add(order["person"])
            elif score >= 9 and order["person"] not in unhappy:
                shown.add(order["person"])
        while waiting and waiting[0]["delivered"] + 7 * DAY <= today:
            order = waiting.pop(0)
            if order["cancelled"] and order["cancelled"] <= today:
                continue
            if order["refunded_from"] and order["refunded_from"] <= today:
                continue
            if order["person"] in unhappy or not quiet(order["person"], today):
                continue
            counts["invited"] += 1
            written[order["person"]].append(today)
            if order["delivered"] - order["placed"] <= 21 * DAY:
                silent.append((today + 7 * DAY, today, order))
            if order["id"] in answers:
                delay, score = answers[order["id"]]
                if delay <= 90 * DAY and today + delay <= days[-1]:
                    pending.append((today + delay, order["delivered"], score, order["id"]))
        for entry in [entry for entry in silent if entry[0] <= today]:
            silent.remove(entry)
            _, invited, order = entry
            gone = [time for time in (order["cancelled"], order["refunded_from"]) if time and time <= today]
            if order.get("answered") or gone or not quiet(order["person"], today, besides=invited):
                continue
            if consent and order["person"] not in unhappy:
                asked.add(order["person"])
                written[order["person"]].append(today)
    return {
        "orders": len(orders),
        "delivered": sum(1 for order in orders if order["delivered"]),
        **counts,
        "cases": counts["detractors"],
        "asked": len(shown | asked),
        "visits": 0, "claims": 0, "referrals": 0, "approved": 0, "voided": 0, "rewards": 0, "ledger_sum": 0,
    }  # fmt: skip


def replay(store, *options: str) -> dict[str, int]:
    out = StringIO()
    call_command(
        "replay", store.slug, str(ORDERS), "--feedback", str(FEEDBACK), *options, stdout=out, stderr=StringIO()
    )
    return json.loads(out.getvalue().strip().splitlines()[-1])


@needs_data
@pytest.mark.parametrize("consent", [True, False], ids=["with consent", "without"])
def test_the_engine_does_what_the_calculation_says_and_a_second_run_nothing(committed, consent):
    # Committed, not in one transaction around the test: 850 days of savepoints would slow Postgres to a crawl.
    store = open_store(slug=f"replay-{consent}".lower(), name="Replay", currency="BRL", country="BR", at=NOW)
    options = ("--consent", "email,sms") if consent else ()
    expected = calculate(read_orders(), read_answers(), consent=consent)
    first = replay(store, *options)
    assert first == expected
    assert {key: first[key] for key in EXPECTED} == EXPECTED
    assert first["asked"] == ASKED[consent]
    if consent:
        assert replay(store, *options) == first


# What friends bring on top, at published rates, always by the same luck: nobody calculated these by another way.
WITH_FRIENDS = {
    "orders": 3800, "visits": 1173, "claims": 183, "referrals": 92, "approved": 86, "voided": 6, "rewards": 95,
    "ledger_sum": 0,
}  # fmt: skip
STATES = {"approved": 86, "voided": 6}  # nothing is held: the checks find nothing odd in friends who are made up


@needs_data
def test_with_friends_the_books_add_up_every_referral_is_explained_and_a_second_run_changes_nothing(committed):
    store = open_store(slug="replay-friends", name="Replay", currency="BRL", country="BR", at=NOW)
    first = replay(store, "--friends")
    with acting_for(store):
        assert recounting.problems(store) == []
        referrals = list(Referral.objects.for_store(store).select_related("link", "advocate", "friend", "store"))
        for one in referrals:
            assert evidence_of(one)
            assert one.candidates
            assert one.examined_at or one.reason
            assert (one.status == Referral.Status.VOIDED) == bool(one.reason)
        assert Counter(one.status for one in referrals) == STATES
    assert {key: first[key] for key in WITH_FRIENDS} == WITH_FRIENDS
    assert replay(store, "--friends") == first


def test_what_waits_is_looked_at_again_before_it_counts(store, share_link):
    """The checks' second look belongs to the days of a replay as it belongs to beat's."""
    referral = refer(share_link)
    suspect = blocks.Suspect(blocks.What.EMAIL, "bea.cruz@example.com", "")
    blocks.block(store, suspect, reason="", by=None, at=NOW + DAY)
    engine._sweep_referrals(store, referral.hold_until - DAY, referral.hold_until)
    referral.refresh_from_db()
    assert (referral.status, referral.reason) == (Referral.Status.VOIDED, Referral.Reason.BLOCKED)
