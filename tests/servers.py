"""Loaded before Django's settings: PostgreSQL and Redis for the tests, in a data folder of their own."""

import atexit
import os
from contextlib import ExitStack
from pathlib import Path

from config.embedded import services

_stack = ExitStack()
if "DATABASE_OWNER_URL" not in os.environ:
    data_dir = Path(os.environ.get("TEST_DATA_DIR") or Path(__file__).resolve().parent.parent / ".data" / "test")
    os.environ["DATA_DIR"] = str(data_dir)
    os.environ.update(_stack.enter_context(services(data_dir)))
    atexit.register(_stack.close)
# Each test process counts tries in a Redis database of its own, which its tests may empty.
_number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 14 + 1
os.environ["CACHE_URL"] = f"{os.environ['REDIS_URL'].rsplit('/', 1)[0]}/{_number}"
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ["EMAIL_CHANNEL"] = os.environ["SMS_CHANNEL"] = "outbox"
os.environ["SITE_URL"] = "http://testserver"
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
