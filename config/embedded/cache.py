"""The embedded Redis."""

from functools import partial
from pathlib import Path

import psutil
import redis

from config.embedded.places import Place, log_tail, port_for, write
from config.embedded.processes import START_SECONDS, ServersError, alive, end_orphans, run, until
from config.embedded.programs import program

REDIS_CONF = """\
bind 127.0.0.1
port {port}
requirepass {password}
daemonize yes
set-proc-title no
pidfile "{dir}/redis.pid"
logfile "{log}"
dir "{dir}"
save ""
appendonly yes
appendfsync everysec
maxmemory 512mb
maxmemory-policy noeviction
"""


def redis_server(servers: Path) -> psutil.Process | None:
    """The Redis of this place, if it runs."""
    return alive(servers / "redis" / "redis.pid", str(servers / "redis"))


def start_redis(place: Place) -> str:
    """Start Redis, or join the one that runs; returns its URL."""
    for attempt in range(4):
        if redis_server(place.servers) or _launch_redis(place, fresh_port=attempt > 0):
            url = f"redis://:{place.secrets['redis']}@127.0.0.1:{_redis_port(place)}/0"
            if until(partial(_answers, url, place), START_SECONDS) and redis_server(place.servers):
                return url
    raise ServersError(f"Redis did not start. Its log says:\n{log_tail(place, 'redis')}")


def _launch_redis(place: Place, *, fresh_port: bool) -> bool:
    port, log = port_for(place, "redis", fresh=fresh_port), place.servers / "log" / "redis.log"
    text = REDIS_CONF.format(port=port, password=place.secrets["redis"], dir=place.redis, log=log)
    command = [program("redis-server", place.account), str(place.redis / "redis.conf")]
    end_orphans((" ".join(command),))
    (place.redis / "redis.pid").unlink(missing_ok=True)
    write(place.redis / "redis.conf", text, place.account)
    done = run(command, place.account)
    started = until(lambda: redis_server(place.servers) is not None, 3)  # it writes its pid after the fork
    return done.returncode == 0 and started


def _redis_port(place: Place) -> int:
    lines = (place.redis / "redis.conf").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("port "))


def _answers(url: str, place: Place) -> bool:
    """Tell whether Redis has loaded its file, or has died, which the caller tells apart."""
    client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return redis_server(place.servers) is None
    finally:
        client.close()
