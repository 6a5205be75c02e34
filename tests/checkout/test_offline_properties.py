"""Whatever devices send, in whatever order and how often: a code counts once, a key has one answer, the books hold."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkout.models import Held
from checkout.services import permits, replaying
from checkout.services.replaying import OtherFacts, Sent
from referrals.services import redeeming
from referrals.services.programs import program_of
from rewards.models import Redemption, Voucher
from rewards.services import ledger, vouchers
from rewards.services.vouchers import AlreadyReversed
from stores.models import Role

CODES, KEYS, DEVICES = 3, 4, 2
SENT = st.tuples(
    st.just("sent"),
    st.integers(0, DEVICES - 1),
    st.integers(0, KEYS - 1),
    st.integers(0, CODES),  # the last is no code of ours
    st.sampled_from([100, 200]),
    st.sampled_from([0, 0, 0, 1]),  # more or less than the code gives
)
UNDONE = st.tuples(st.just("undone"), st.integers(0, KEYS - 1))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(SENT, SENT, SENT, UNDONE), max_size=14))
def test_every_way_ends_in_one_use_a_code_and_one_answer_a_key(store, make_user, steps):
    with transaction.atomic():
        play(store, make_user, steps)
        transaction.set_rollback(True)


def play(store, make_user, steps):
    at, user = timezone.now(), make_user(Role.STAFF, store)
    offer, issued = program_of(store).terms.friend_offer, at - timedelta(hours=1)
    made = [vouchers.issue(store, offer, key=f"play:{number}", at=issued).code for number in range(CODES)]
    papers = [permits.issue(store, user, device=f"d{number}", location=None, at=issued) for number in range(DEVICES)]
    answers: dict[str, tuple[str, str]] = {}
    for kind, *facts in steps:
        if kind == "undone":
            undo(store, name(facts[0]), user, at)
            continue
        device, key, code, bill, wrong = facts
        text = [*made, "NOTACODE234"][code]
        sent = Sent(name(key), text, bill * 100, bill * 10 + wrong, at - timedelta(minutes=9))
        with suppress(OtherFacts):
            held = replaying.replay(store, sent, papers[device], at=at)
            assert answers.setdefault(sent.key, (held.digest, held.status)) == (held.digest, held.status)
        look(store)
    assert Held.objects.for_store(store).count() == len(answers)


def name(number: int) -> str:
    return f"{'key' * 6}{number + 2}x"


def undo(store, key, user, at):
    found = redeeming.redemption_named(store, key)
    if found:
        with suppress(AlreadyReversed):
            redeeming.undo(found, at=found.at, by=user)


def look(store):
    """What holds after every step."""
    live = Redemption.objects.for_store(store).filter(reversed_at=None).values_list("voucher_id", flat=True)
    assert set(Counter(live).values()) <= {1}
    used = Voucher.objects.for_store(store).filter(status="redeemed").values_list("pk", flat=True)
    assert set(used) == set(live)
    assert ledger.total(store) == 0
    for held in Held.objects.for_store(store).select_related("redemption"):
        assert (held.status == "done") == (held.reason == "")
        if held.status == "done":
            assert held.redemption.public_id == held.public_id
