"""What the processes hold for themselves after they have worked: a web worker, a worker's child, beat."""

from __future__ import annotations

import time

from bench.measuring import Figure
from bench.scenarios.share_link import CODES, SCRIPT
from bench.serving import OURS, memory, procfile, web
from bench.tools import wrk
from bench.world import World
from referrals.models import ShareLink
from referrals.services.links import share_page_url
from stores.tenancy import acting_for

MOST = 150.0  # MiB
SWEEPS_SECONDS = 70  # every task of a minute or less has run by then
PAGES_SECONDS = 5


def measure(world: World, rounds: int) -> list[Figure]:
    """The largest process of each kind, in MiB that no other process shares (USS)."""
    with web(OURS) as server, procfile("worker") as worker, procfile("beat") as beat:
        begun = time.monotonic()
        _open_pages(world, server.url)
        time.sleep(max(0.0, SWEEPS_SECONDS - (time.monotonic() - begun)))
        held = {
            name: memory(process) for name, process in (("web", server.process), ("worker", worker), ("beat", beat))
        }
    return [_figure(name, sizes) for name, sizes in held.items()]


def _open_pages(world: World, url: str) -> None:
    """Landing pages as fast as they come, and pages of customers and of visitors by the whole of Django."""
    with acting_for(world.store):
        links = list(ShareLink.objects.for_store(world.store).select_related("customer__store")[:CODES])
        mine = share_page_url(links[0].customer).rsplit("/", 1)[-1]
    codes = ",".join(f'"{link.code}"' for link in links)
    wrk(url, script=SCRIPT % (codes, 1), seconds=PAGES_SECONDS)
    for path in (f"/me/{mine}", "/r/nobody", "/login/", f"/n/{world.store.slug}", "/api/v1/schema/"):
        wrk(url + path, connections=8, seconds=PAGES_SECONDS)


def _figure(name: str, sizes: list[float]) -> Figure:
    others = ", ".join(f"{size:.0f}" for size in sizes[1:])
    note = f"largest of {len(sizes)} processes (the others {others})" if others else ""
    return Figure(f"memory of {name}", "MiB", sizes[0], reach=MOST, at_most=True, note=note)
