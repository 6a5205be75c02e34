"""The demo's made-up shops have a site of their own, on whatever port it runs today."""

from django.utils import timezone

from insights.management.commands.demo import _open_sites
from referrals.models import PrintRun, Program
from referrals.services import programs
from referrals.services.programs import program_of


def test_each_store_gets_its_site_and_an_invitation_there(store, settings, client):
    settings.DEMO = True
    for port in (8000, 8010):
        settings.SITE_URL = f"http://127.0.0.1:{port}"
        _open_sites([store])
        store.refresh_from_db()
        assert store.website == f"http://127.0.0.1:{port}/demo-shop/rosewater"
    run = PrintRun.objects.for_store(store).get()
    page = client.get("/w/rosewater/banner/")
    assert f"/j/{run.code}" in page.content.decode()
    assert client.get("/demo-shop/rosewater").status_code == 200


def test_a_visitor_who_paused_the_program_does_not_stop_the_next_start(store):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=timezone.now())
    _open_sites([store])
    assert not PrintRun.objects.for_store(store).exists()
