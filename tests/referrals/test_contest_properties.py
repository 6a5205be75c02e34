"""Whatever friends do and when: places are what a plain sort of them says, at the closing and looking again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, Order
from referrals.models import Contest, Referral
from referrals.services.leaderboards import leaderboard, prizes_of, recheck, standings_of, won_by
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from rewards.services import ledger
from tests.referrals.contest_world import END, SETTLED, START, close, make
from tests.referrals.journey_world import DAY

Status = Referral.Status
PEOPLE = 5
IN_FORCE = (Status.PENDING, Status.FLAGGED, Status.APPROVED)


@dataclass(frozen=True)
class Friend:
    """Whose friend, in which of a few moments around the window they bought, and what became of it."""

    advocate: int
    moment: int  # hours from the start; few of them, so that there are ties
    status: Referral.Status


FRIENDS = st.lists(
    st.builds(
        Friend,
        st.integers(0, PEOPLE - 1),
        st.sampled_from([-1, 0, 1, 2, 3, 239, 240, 241]),
        st.sampled_from([*Status, Status.APPROVED, Status.APPROVED]),
    ),
    max_size=14,
)
# Who was found to be the same person as whom.
SAME = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)), max_size=2)


def people(store) -> list[Customer]:
    return [Customer.objects.create(store=store, name=f"Person {number}") for number in range(PEOPLE)]


def write(store, persons, friends) -> list[Referral]:
    """The rows of these friends, in this order."""
    program, found = program_of(store), []
    links = [share_link_of(one, at=START) for one in persons]
    for one in friends:
        placed = START + one.moment * DAY / 24
        order = Order.objects.create(
            store=store,
            source="api",
            external_id=secrets.token_hex(6),
            currency="PHP",
            total_minor=100,
            placed_at=placed,
        )
        found.append(
            Referral.objects.create(
                store=store,
                program=program,
                advocate=persons[one.advocate],
                order=order,
                link=links[one.advocate],
                terms=program.terms,
                evidence=Referral.Evidence.CODE,
                status=one.status,
                created_at=placed,
                hold_until=placed,
            )
        )
    return found


def merge(persons, same) -> list[int]:
    """Say who is who; the number of the one each goes by."""
    root = list(range(PEOPLE))
    for gone, taker in same:
        if gone != taker and root[gone] == gone and root[taker] == taker and gone not in root[:gone] + root[gone + 1 :]:
            root[gone] = taker
            Customer.objects.filter(pk=persons[gone].pk).update(merged_into=persons[taker])
    return root


def expected(friends, numbers, root, statuses) -> list[tuple[int, int, int]]:
    """(who, counted, waiting), the best first: by a plain sort of what hypothesis made, without the database."""
    mine: dict[int, list[tuple[int, int, Referral.Status]]] = {}
    for number, one in zip(numbers, friends, strict=True):
        if one.status in statuses and 0 <= one.moment < 240:
            mine.setdefault(root[one.advocate], []).append((one.moment, number, one.status))
    order = sorted(mine.items(), key=lambda item: (-len(item[1]), max(item[1])[0], min(row[1] for row in item[1])))
    return [
        (who, sum(row[2] == Status.APPROVED for row in rows), sum(row[2] != Status.APPROVED for row in rows))
        for who, rows in order
    ]


@given(friends=FRIENDS, same=SAME, most=st.integers(0, PEOPLE), me=st.integers(0, PEOPLE - 1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_leaderboard_is_a_plain_sort(store, friends, same, most, me):
    with transaction.atomic():
        persons = people(store)
        numbers = [one.pk for one in write(store, persons, friends)]
        root = merge(persons, same)
        names = [one.pk for one in persons]
        contest = Contest(store=store, starts_at=START, ends_at=END)
        for final, statuses in ((False, IN_FORCE), (True, (Status.APPROVED,))):
            plain = [(names[who], *counts) for who, *counts in expected(friends, numbers, root, statuses)]
            rows = leaderboard(contest, END, final=final)
            assert [(row.customer.pk, row.friends, row.waiting) for row in rows] == plain
            assert [row.place for row in rows] == list(range(1, len(rows) + 1))
            some = leaderboard(contest, END, final=final, most=most, me=persons[me])
            assert some == [row for row in rows if row.place <= most or row.customer.pk == names[me]]
        transaction.set_rollback(True)


@given(friends=FRIENDS, changes=st.lists(st.tuples(st.integers(0, 13), st.sampled_from([*Status])), max_size=3))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_down_is_that_sort_and_looking_again_tells_what_changed(store, friends, changes):
    with transaction.atomic():
        persons, root = people(store), list(range(PEOPLE))
        names = [one.pk for one in persons]
        rows = write(store, persons, friends)
        numbers = [one.pk for one in rows]
        contest = make(store)
        assert close(contest)
        contest.refresh_from_db()
        before = expected(friends, numbers, root, (Status.APPROVED,))
        prizes = prizes_of(contest)
        written = [(one.customer_id, one.friends, one.reward.offer_id) for one in standings_of(contest)]
        assert written == [
            (names[who], count, won_by(place, prizes, contest.consolation).pk)
            for place, (who, count, _waiting) in enumerate(before, start=1)
        ]
        assert ledger.total(store) == 0
        assert recheck(contest) == []

        for number, status in changes:
            if number < len(rows):
                friends = [*friends[:number], Friend(friends[number].advocate, friends[number].moment, status),
                           *friends[number + 1 :]]  # fmt: skip
                Referral.objects.filter(pk=rows[number].pk).update(status=status)
        after = expected(friends, numbers, root, (Status.APPROVED,))
        then = {who: (place, count) for place, (who, count, _waiting) in enumerate(before, start=1)}
        now = {who: (place, count) for place, (who, count, _waiting) in enumerate(after, start=1)}
        different = {names[who] for who in {*then, *now} if then.get(who) != now.get(who)}
        assert {one.customer.pk for one in recheck(contest)} == different
        assert [(one.customer_id, one.friends, one.reward.offer_id) for one in standings_of(contest)] == written
        transaction.set_rollback(True)


def test_the_window_is_240_hours():
    assert END - START == 10 * DAY
    assert SETTLED > END
