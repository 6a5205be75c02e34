"""Measure: python -m bench [SCENARIO...] [--size small|large] [--rounds N]. See bench/README.md."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

import django

from bench.measuring import ROUNDS, Figure
from config import embedded

HERE = Path(__file__).parent
# In this order: the memory of all that ran is read last. Each names the module in bench/scenarios.
SCENARIOS = sorted(path.stem for path in (HERE / "scenarios").glob("[a-z]*.py"))
LAST = ("memory",)


def main() -> int:
    """Run what was asked for, print the table, write results.json; 1 if a figure is short of what it must reach."""
    asked = _arguments()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    data_dir = Path(os.environ.get("DATA_DIR", HERE.parent / ".data")) / f"bench-{asked.size}"
    os.environ["DATA_DIR"] = str(data_dir)
    with embedded.services(data_dir) as env:
        os.environ.update(env)
        django.setup()
        figures = _measure(asked)
    (HERE / "results.json").write_text(json.dumps([figure.as_result() for figure in figures], indent=1) + "\n")
    print(table(figures))
    return int(any(figure.is_reached is False for figure in figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", choices=[[], *_names()], help=", ".join(_names()))
    parser.add_argument("--size", choices=["small", "large"], default="small")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


def _names() -> list[str]:
    ordered = [name for name in SCENARIOS if name not in LAST] + [name for name in LAST if name in SCENARIOS]
    return [name.replace("_", "-") for name in ordered]


def _measure(asked: argparse.Namespace) -> list[Figure]:
    world = importlib.import_module("bench.world").make(asked.size)
    figures: list[Figure] = []
    for name in asked.scenarios or _names():
        begun = time.monotonic()
        scenario = importlib.import_module(f"bench.scenarios.{name.replace('-', '_')}")
        figures += scenario.measure(world, asked.rounds)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return figures


def table(figures: list[Figure]) -> str:
    """The figures for people, one a line."""
    lines = [f"{'figure':<24}{'ours':>14} {'unit':<14}{'limit':>14}  {'ratio':>7} {'must be':>9}  "]
    for one in figures:
        limit = f"{one.limit_value:14,.1f}" if one.limit_value is not None else " " * 14
        ratio = f"{one.ratio:7.2f}" if one.ratio is not None else " " * 7
        reach = f"{'≤' if one.at_most else '≥'} {one.reach:g}" if one.reach is not None else ""
        verdict = {True: "reached", False: "SHORT", None: ""}[one.is_reached]
        noise = f"noisy ({one.spread:.0%})" if one.is_noisy else f"±{one.spread / 2:.0%}" if one.spread else ""
        lines.append(
            f"{one.name:<24}{one.value:14,.1f} {one.unit:<14}{limit}  {ratio} {reach:>9}  {verdict} {noise} "
            f"{one.limit_name} {one.note}".rstrip()
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
