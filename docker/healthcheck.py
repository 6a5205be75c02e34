"""Tell the container engine whether this process does its work: healthcheck.py web|worker|beat."""

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path

BEAT_SILENCE_SECONDS = 600  # beat writes its schedule every three minutes


def web() -> bool:
    """Ask the liveness page, as the proxy would."""
    port = os.environ.get("PORT", "8000")
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    connection.request("GET", "/healthz", headers={"X-Forwarded-Proto": "https"})
    return connection.getresponse().status == http.HTTPStatus.OK


def worker() -> bool:
    """Ask this container's worker to answer over the broker."""
    name = f"celery@{os.uname().nodename}"
    command = [sys.executable, "-m", "celery", "-A", "config", "inspect", "ping", "-d", name, "-t", "10"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def beat() -> bool:
    """See whether beat has written its schedule lately; some platforms add a suffix to the name."""
    schedule = Path(os.environ["BEAT_SCHEDULE"])
    written = [path.stat().st_mtime for path in schedule.parent.glob(f"{schedule.name}*")]
    return bool(written) and time.time() - max(written) < BEAT_SILENCE_SECONDS


if __name__ == "__main__":
    sys.exit(not {"web": web, "worker": worker, "beat": beat}[sys.argv[1]]())
