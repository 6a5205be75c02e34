"""The programs that ask: wrk for HTTP, pgbench for plain SQL."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from config.embedded.programs import program

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}  # as wrk writes times
_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\b", re.MULTILINE)
_WRONG = re.compile(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)")


class NoTool(Exception):
    """A program that the bench needs is not there; the text says how to get it."""


@dataclass(frozen=True)
class Asked:
    """One round of wrk: answers a second, the median and the 99th percentile of the time to an answer, in seconds."""

    rate: float
    p50: float
    p99: float
    wrong: int  # answers outside 200-399, and none at all


def wrk(url: str, *, script: str = "", connections: int = 32, seconds: int = 4) -> Asked:
    """Ask `url` over `connections` kept open; `script` is Lua that makes the requests (see wrk's SCRIPTING)."""
    command = [_found("wrk"), "--latency", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script:
            file.write(script)
            file.flush()
            command += ["-s", file.name]
        told = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    times = {percent: float(number) * UNITS[unit] for percent, number, unit in _LATENCY.findall(told)}
    wrong = sum(int(number) for number in _WRONG.findall(told))
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    return Asked(rate=float(rate[1]) if rate else 0.0, p50=times["50"], p99=times["99"], wrong=wrong)


def pgbench(
    url: str,
    script: str,
    *,
    clients: int,
    seconds: int = 4,
    protocol: str = "prepared",
    variables: Mapping[str, int] = MappingProxyType({}),
) -> float:
    """Transactions a second of a pgbench script at `url` (a role's address); each client begins with `variables`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.sql"
        file.write_text(script)
        command = [program("pgbench", None), "--no-vacuum", "--client", str(clients), "--jobs", "1"]
        command += ["--time", str(seconds), "--protocol", protocol, "--file", str(file)]
        command += [f"--define={name}={value}" for name, value in variables.items()]
        command.append(url)
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}, check=False)
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not rate:
        raise RuntimeError(f"pgbench failed:\n{done.stderr}")
    return float(rate[1])


def _found(name: str) -> str:
    path = shutil.which(name)
    if not path:
        raise NoTool(f"The bench asks with {name}. Install it (Debian: apt-get install {name}).")
    return path
