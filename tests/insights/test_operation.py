"""What the operator of the server sees: figures of every store, alarms, /metrics, a page of their own."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from insights import operation_views
from insights.operation import checks, figures
from outreach.models import Message
from rewards.models import Recount
from stores import holding, runs
from stores.health import NotReady
from stores.models import Job, User
from stores.tenancy import act_for, acting_for
from tests.conftest import NOW
from tests.planned import plan_message

AT = NOW + timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    monkeypatch.setattr(operation_views, "_kept", None)


@pytest.fixture
def busy(store, other_store, make_customer):
    """Two messages due at `rosewater`, one in doubt, one sent, a file left alone; books that drift elsewhere."""
    statuses = ["pending", "pending", "unknown", "sent"]
    for number, status in enumerate(statuses):
        message = plan_message(
            make_customer(), "survey", key=f"{number}", due_at=NOW + number * MINUTE, context={}, at=NOW
        )
        Message.objects.for_store(store).filter(pk=message.pk).update(status=status)
    Job.objects.create(store=store, kind="import", key="1", started_at=NOW)
    with acting_for(other_store):
        Recount.objects.create(store=other_store, at=NOW, problems=["drift"])
    act_for(store)


def of(slug):
    return next(one for one in figures.read(AT).stores if one.slug == slug)


def test_the_figures_are_of_every_store(busy):
    mine, other = of("rosewater"), of("elsewhere")
    assert (mine.due, mine.oldest_due, mine.unknown, mine.sent, mine.failed) == (2, NOW, 1, 1, 0)
    assert (mine.jobs, mine.oldest_job, mine.problems) == (1, NOW, [])
    assert (other.due, other.oldest_due, other.problems, other.counted_at) == (0, None, ["drift"], NOW)


def test_what_is_not_due_yet_does_not_wait(busy):
    assert next(one.due for one in figures.read(NOW).stores if one.slug == "rosewater") == 1


def test_samples_do_not_count(busy, store, make_store):
    sample = make_store("sample", sample_of=store)
    assert sample.pk not in {one.store_id for one in figures.read(AT).stores}


def test_the_alarms(busy):
    found = figures.read(AT)
    assert found.oldest_due == timedelta(minutes=30)
    with pytest.raises(NotReady, match=r"2 messages are due, the oldest for 1800 s \(rosewater\): start more workers"):
        checks.queue(found)
    with pytest.raises(NotReady, match=r"1800 s \(rosewater\)"):
        checks.inbox(found)
    with pytest.raises(NotReady, match=r"elsewhere \(drift\)"):
        checks.books(found)
    assert "1 messages" in checks.unknown(found)
    assert "messages go out" in checks.held(found)


def test_nothing_is_wrong_in_time(busy):
    found = figures.read(NOW + 9 * MINUTE)
    assert checks.queue(found)
    assert checks.inbox(found)


def test_visits_that_nobody_loads(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    (tmp_path / "visits").mkdir()
    for minutes in (30, 9):
        begun = NOW + timedelta(minutes=30 - minutes)
        (tmp_path / "visits" / f"{int(begun.timestamp()) * 10**9}-7.visits").touch()
    found = figures.read(AT)
    assert found.inbox_age == timedelta(minutes=30)
    with pytest.raises(NotReady, match=r"DATA_DIR/visits for 1800 s"):
        checks.inbox(found)
    assert checks.inbox(figures.read(NOW + 9 * MINUTE))


def test_held_is_told_and_explains_the_queue(busy):
    holding.hold(holding.BY_HAND, NOW)
    found = figures.read(AT)
    with pytest.raises(NotReady, match=r"manage.py release"):
        checks.held(found)
    assert checks.queue(found)


def test_jobs_that_are_late_or_fail(db):
    runs.note("good", every=30, seconds=1, at=AT - 10 * MINUTE)
    runs.note("nightly", every=86400, seconds=1, at=AT - timedelta(days=2))
    assert checks.jobs(figures.read(AT))
    runs.note("stuck", every=30, seconds=1, at=AT - 12 * MINUTE)
    runs.note("broken", every=30, seconds=1, at=AT, error="DataError")
    with pytest.raises(NotReady, match=r"broken \(DataError\), stuck \(last ended 720 s ago\)"):
        checks.jobs(figures.read(AT))


@pytest.mark.parametrize(("free", "is_well"), [(0.02, False), (0.5, True)])
def test_a_disk_that_fills(db, monkeypatch, free, is_well):
    size = 200 << 30
    monkeypatch.setattr(figures.shutil, "disk_usage", lambda path: (size, size - int(size * free), int(size * free)))
    if is_well:
        assert checks.disk(figures.read(AT))
    else:
        with pytest.raises(NotReady, match="make room"):
            checks.disk(figures.read(AT))


# -- /readyz --


def test_alarms_leave_the_server_in_service(client, busy):
    answer = client.get("/readyz")
    wrong = {name for name, check in answer.json()["checks"].items() if not check["ok"]}
    assert answer.status_code == 200
    assert wrong >= {"queue", "inbox", "books"}


def test_strangers_learn_no_store_from_it(client, busy):
    assert "rosewater" in client.get("/readyz").content.decode()
    shown = client.get("/readyz", headers={"x-forwarded-for": "203.0.113.9"})
    assert "rosewater" not in shown.content.decode()
    assert shown.json()["checks"]["books"] == {"ok": False}


def test_strangers_ask_postgres_seldom(client, busy):
    client.get("/readyz")
    before = timezone.now()
    Message.objects.all().update(status="sent")
    assert client.get("/readyz").json()["checks"]["queue"]["ok"] is False
    assert timezone.now() - before < timedelta(seconds=operation_views.KEPT)


# -- /metrics --


def samples(answer):
    """(name, labels) -> value."""
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_what_prometheus_reads(client, busy):
    runs.note("send_due", every=5, seconds=2, at=NOW)
    runs.note("send_due", every=5, seconds=3, at=NOW, error="OSError")
    client.get("/login/")
    found = samples(client.get("/metrics"))
    assert found[("goodword_messages_due", "rosewater")] == 2
    assert found[("goodword_messages_unknown", "rosewater")] == 1
    assert found[("goodword_oldest_due_seconds",)] > 1800
    assert found[("goodword_inbox_age_seconds",)] > 1800
    assert found[("goodword_ledger_drift_stores",)] == 1
    assert found[("goodword_job_last_end_timestamp_seconds", "send_due")] == NOW.timestamp()
    assert found[("goodword_job_seconds_sum", "send_due")] == 5
    assert found[("goodword_job_seconds_count", "send_due")] == 2
    assert found[("goodword_job_failures_total", "send_due")] == 1
    assert found[("goodword_request_seconds_count", "/login/", "200")] >= 1
    assert found[("goodword_held",)] == 0
    assert found[("goodword_database_up",)] == 1


def test_a_route_is_a_template_never_an_address(client, store):
    client.get("/me/somebodys-token")
    client.get("/no/such/page")
    text = client.get("/metrics").content.decode()
    assert "somebodys-token" not in text
    assert "/no/such/page" not in text
    assert 'route="none",status="404"' in text


def test_without_postgres_the_rest_is_told(client, db, monkeypatch):
    def lost(at):
        raise OperationalError

    client.get("/login/")
    monkeypatch.setattr(figures, "read", lost)
    found = samples(client.get("/metrics"))
    assert found[("goodword_database_up",)] == 0
    assert found[("goodword_request_seconds_count", "/login/", "200")] >= 1


TOKEN = "t" * 32


@pytest.mark.parametrize(
    ("token", "proxies", "asking", "status"),
    [
        ("", 0, {}, 200),  # this machine
        ("", 0, {"REMOTE_ADDR": "::1"}, 200),
        ("", 0, {"REMOTE_ADDR": "203.0.113.9"}, 401),
        ("", 0, {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 401),  # a proxy on this machine
        ("", 1, {}, 401),
        (TOKEN, 0, {}, 401),
        (TOKEN, 1, {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "REMOTE_ADDR": "203.0.113.9"}, 200),
        (TOKEN, 0, {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"}, 401),
        (TOKEN, 0, {"HTTP_AUTHORIZATION": f"Basic {TOKEN}"}, 401),
    ],
)
def test_who_may_read_it(client, db, settings, token, proxies, asking, status):
    settings.METRICS_TOKEN, settings.TRUSTED_PROXIES = token, proxies
    answer = client.get("/metrics", **asking)
    assert answer.status_code == status
    assert (b"goodword_held" in answer.content) == (status == 200)


def test_it_takes_no_posts(client, db):
    assert client.post("/metrics").status_code == 405


# -- The page --


@pytest.fixture
def operator(client, db):
    call_command("create_operator", "ops@example.com", stdout=StringIO())
    client.force_login(
        User.objects.get(email="ops@example.com"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def test_the_page(operator, busy):
    runs.note("send_due", every=5, seconds=2, at=NOW)
    page = operator.get("/operator/").content.decode()
    for word in ("rosewater", "elsewhere", "send_due", "balance is not the sum"):
        assert word in page
    assert page.count("Look here") >= 3


def test_the_page_when_held(operator, busy):
    holding.hold(holding.BY_HAND, NOW)
    assert "Held: nothing is sent" in operator.get("/operator/").content.decode()


@pytest.mark.parametrize("lang", ["fa", "fil"])
def test_the_page_in_other_languages(operator, busy, lang):
    assert operator.get(f"/operator/?lang={lang}").status_code == 200


def test_nobody_else_learns_that_it_is_there(owner, client):
    assert owner.get("/operator/").status_code == 404
    answer = client.get("/operator/")
    assert answer.status_code == 302
    assert answer.url.startswith("/login/")


def test_operators_see_no_store(operator, store):
    assert operator.get(f"/d/{store.slug}/").status_code == 404


def test_operators_are_made_and_unmade_on_the_server(operator):
    out = StringIO()
    call_command("create_operator", "OPS@example.com ", stdout=out)
    assert "(unchanged)" in out.getvalue()
    call_command("create_operator", "ops@example.com", "--remove", stdout=out)
    assert operator.get("/operator/").status_code == 404
    with pytest.raises(CommandError):
        call_command("create_operator", "nobody", stdout=out)


# -- doctor --


def test_the_doctor_says_what_to_do(busy, capsys):
    with pytest.raises(SystemExit):
        call_command("doctor")
    lines = {line.split(":")[0].split(maxsplit=1)[1]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["queue"].startswith("FAIL")
    assert "start more workers" in lines["queue"]
    assert lines["held"].startswith("ok")
    assert {"workers", "jobs", "inbox", "disk", "backup", "books", "unknown"} <= set(lines)
