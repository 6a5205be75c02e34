"""The labelled set, played through the real services; the confusion table is printed (RELIABILITY G15)."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from referrals.fraud import rules
from tests.referrals.fraud.cases import HOLD, POINTS, REFUSE, all_cases
from tests.referrals.fraud.world import outcome, play, signals_of, usual_orders

VERDICTS = ("allow", "hold", "refuse")


@pytest.fixture
def played(store):
    """Every case with what became of it."""
    usual_orders(store)
    return [
        (case, outcome(referral), signals_of(referral))
        for case in all_cases()
        for referral in [play(store, case.story)]
    ]


def table(played) -> str:
    """Expected down, found across; then what became of each kind."""
    pairs = Counter((case.expected, found) for case, found, _ in played)
    lines = ["expected    " + "".join(f"{found:>8}" for found in VERDICTS)]
    lines += [f"{expected:12}" + "".join(f"{pairs[expected, found]:8}" for found in VERDICTS) for expected in VERDICTS]
    kinds = defaultdict(Counter)
    for case, found, _ in played:
        kinds[case.kind][found] += 1
    lines += ["", "kind        " + "".join(f"{found:>8}" for found in VERDICTS)]
    lines += [f"{kind:14}" + "".join(f"{counts[found]:8}" for found in VERDICTS) for kind, counts in kinds.items()]
    return "\n".join(lines)


def test_every_case_ends_as_it_must(played, capsys):
    with capsys.disabled():
        print(f"\n{table(played)}")
    assert len(played) >= 300
    wrong = [(case.name, case.expected, found, signals) for case, found, signals in played if found != case.expected]
    assert not wrong
    unseen = [
        (case.name, sorted(case.signals), sorted(signals))
        for case, _, signals in played
        if case.signals is not None and case.signals != signals
    ]
    assert not unseen
    by_kind = defaultdict(list)
    for case, found, _ in played:
        by_kind[case.kind].append(found)
    for kind in ("self: mail", "self: alias", "self: phone", "self: cookie", "self: card"):
        assert len(by_kind[kind]) >= 12
        assert "allow" not in by_kind[kind]
    assert set(by_kind["household"]) == {"allow"}
    assert set(by_kind["honest"]) == {"allow"}


def test_the_set_was_written_for_these_weights():
    assert rules.WEIGHTS == POINTS
    assert (rules.HOLD_AT, rules.REFUSE_AT) == (HOLD, REFUSE)
