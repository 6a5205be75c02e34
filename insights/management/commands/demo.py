"""`demo`: three stores with a year behind them, then web, worker and beat, until Ctrl-C."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from insights.demo.build import build
from insights.demo.shops import SHOPS
from referrals.models import Referral
from referrals.services import prints
from referrals.services.links import landing_url, share_link_of, share_page_url
from stores import directory
from stores.models import ApiKey, Role, Store
from stores.services import create_key
from stores.tenancy import acting_for
from surveys.models import Response

READY_SECONDS = 60
STOP_SECONDS = 7  # honcho gives its children five


class Command(BaseCommand):
    """Writes DATA_DIR/demo.json with the address, the logins and links to try (API.md)."""

    help = "Make the demo's stores (once) and run everything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One store's past alone: the command starts itself so for each."""
        parser.add_argument("--build", choices=[shop.slug for shop in SHOPS])

    def handle(self, **options: Any) -> None:
        """Build, start, say READY, wait."""
        if options["build"]:
            shop = next(shop for shop in SHOPS if shop.slug == options["build"])
            build(shop, at=timezone.now(), progress=self.stdout.write)
            return
        port = int(os.environ.setdefault("PORT", "8000"))
        os.environ["DEMO"] = "1"  # for web, which shows the shops that embed the widget
        if _is_taken(port):
            raise CommandError(f"Port {port} is in use. Choose another: PORT=8010 make demo")
        started = time.monotonic()
        stores = self._stores()
        _open_sites(stores)
        facts = self._facts(stores)
        connections.close_all()
        processes = _start()
        try:
            self._wait(processes, facts["url"])
            (settings.DATA_DIR / "demo.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False))
            self._welcome(facts, time.monotonic() - started)
            processes.wait()
        except (KeyboardInterrupt, SystemExit):
            self.stdout.write("Stopping ...")
        finally:
            _stop(processes)

    def _stores(self) -> list[Store]:
        """The demo's stores; those that are missing are built side by side."""
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--build"]
        builders = [subprocess.Popen([*command, shop.slug]) for shop in SHOPS if directory.named(shop.slug) is None]
        try:
            failed = [builder for builder in builders if builder.wait()]
        finally:
            for builder in builders:
                builder.kill()
        stores = [store for shop in SHOPS if (store := directory.named(shop.slug))]
        if failed or len(stores) < len(SHOPS):
            raise CommandError("A store's past could not be made; delete DATA_DIR and start again.")
        return stores

    def _facts(self, stores: list[Store]) -> dict[str, Any]:
        """What demo.json holds; logins and key stay the same from start to start."""
        path, main = settings.DATA_DIR / "demo.json", stores[0]
        before = json.loads(path.read_text()) if path.exists() else {}
        people = {}
        for role in Role.values:
            login = before.get(role) or {"email": f"{role}@example.com", "password": secrets.token_urlsafe(9)}
            names = {Role.OWNER: "Leila Santos", Role.MANAGER: "Amir Karimi", Role.STAFF: "Ana Reyes"}
            for store in stores:
                call_command(
                    "create_staff",
                    store.slug,
                    login["email"],
                    role=role,
                    password=login["password"],
                    name=names[Role(role)],
                    stdout=StringIO(),
                )
            people[role] = login
        with acting_for(main):
            link = share_link_of(_advocate(main), at=timezone.now())
            share, advocate = landing_url(link), share_page_url(link.customer)
            key = (
                before.get("api_key")
                or create_key(main, name="demo", scopes=ApiKey.SCOPES, by=None, at=timezone.now())[1]
            )
        url = settings.SITE_URL
        outbox = url + reverse("outreach:outbox", args=[main.slug])
        links = {"share_url": share, "advocate_url": advocate, "outbox_url": outbox}
        return {"url": url, "store": main.slug, **people, "api_key": key, **links}

    def _wait(self, processes: subprocess.Popen[bytes], url: str) -> None:
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends:
            if processes.poll() is not None:
                raise CommandError("The servers ended at once; what they said stands above.")
            try:
                if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise CommandError(f"{url}/readyz did not answer within {READY_SECONDS} s.")

    def _welcome(self, facts: dict[str, Any], seconds: float) -> None:
        owner, staff = facts["owner"], facts["staff"]
        self.stdout.write(f"""
Goodword runs, after {seconds:.0f} s. Ctrl-C stops it.
  owner     {facts["url"]}/login/   {owner["email"]}  {owner["password"]}
  staff     {facts["url"]}/c/{facts["store"]}/   {staff["email"]}  {staff["password"]}
  advocate  {facts["advocate_url"]}
  friend    {facts["share_url"]}
  its site  {facts["url"]}/demo-shop/{facts["store"]}
  mail      {facts["outbox_url"]}   (nothing leaves this machine)
  API       {facts["url"]}/api/v1/docs/   key {facts["api_key"]}
""")
        self.stdout.write(f"READY {facts['url']}")
        sys.stdout.flush()


def _open_sites(stores: list[Store]) -> None:
    """Each store's own site is the made-up one on this server, where visitors may get links; its port may change."""
    for store in stores:
        with acting_for(store), translation.override(store.locale):
            address = settings.SITE_URL + reverse("referral:demo_shop", args=[store.slug])
            Store.objects.filter(pk=store.pk).update(website=address)
            with suppress(prints.NotNow):  # a visitor has paused the program
                prints.open_site(store, name=_("On your site"), by=None, at=timezone.now())


def _advocate(store: Store) -> Any:
    """Somebody with friends to show; else somebody happy."""
    referral = Referral.objects.for_store(store).filter(status=Referral.Status.APPROVED).order_by("pk").last()
    if referral:
        return referral.advocate
    happy = Response.objects.for_store(store).filter(score__gte=9).order_by("pk").last()
    if happy is None:
        raise CommandError("The demo's past holds nobody happy; delete DATA_DIR and start again.")
    return happy.customer


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _start() -> subprocess.Popen[bytes]:
    """Web, worker and beat, by honcho; in a group of their own, so that one signal ends them all."""
    procfile = Path(settings.BASE_DIR) / "Procfile"
    command = [sys.executable, "-m", "honcho", "-f", str(procfile), "-e", os.devnull, "start"]
    signal.signal(signal.SIGTERM, _leave)
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=dict(os.environ),
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads run here
    )


def _end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the demo dies, even by kill -9 (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _stop(processes: subprocess.Popen[bytes]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    processes.terminate()
    try:
        processes.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(processes.pid, signal.SIGKILL)
        processes.wait()
