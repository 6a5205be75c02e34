"""All clients on one program: every redemption settles its promise against one budget with places for so many."""

from __future__ import annotations

from bench.measuring import Figure, compare
from bench.scenarios.redeem import Spending
from bench.world import World


def measure(world: World, rounds: int) -> list[Figure]:
    """The service's rate on gifts of one program against its rate on codes that have nothing in common.

    Each gift took a place and 100.00 of the budget when it was promised, comes to 50.00 and gives the rest back.
    """
    hot, cool = Spending(world, rounds, is_program=True), Spending(world, rounds)
    return [
        compare(
            "redeem-hot", hot.round, cool.round, unit="redemptions/s", limit_name="redeem", reach=0.7, rounds=rounds
        )
    ]
