"""The files that start Goodword elsewhere: no container engine here, so they are read instead of run."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = {"migrate", "web", "worker", "beat1", "beat2"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """docker-compose.yml with its anchors and merges resolved."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    """Its services by name."""
    return dict(compose["services"])


@pytest.fixture(scope="module")
def procfile() -> dict[str, list[str]]:
    """The words of each process's command line."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, command in (line.split(": ", 1) for line in lines)}


def option(words: list[str], name: str) -> str:
    """The value that follows this option."""
    return words[words.index(name) + 1]


# -- docker-compose.yml --


def test_compose_has_every_part_once_and_beat_twice(services: dict[str, Any]) -> None:
    assert set(services) == OURS | {"postgres", "redis"}
    assert services["beat1"] == services["beat2"]
    assert services["beat1"]["command"] == ["docker/run", "beat"]


def test_compose_runs_postgres_18_on_a_volume(services: dict[str, Any]) -> None:
    postgres = services["postgres"]
    assert postgres["image"].split(":")[1].split(".")[0] == "18"
    # Images from 18 on keep data in a folder per version below this one; a mount at data/ would miss it.
    assert "postgres:/var/lib/postgresql" in postgres["volumes"]


def test_compose_makes_the_roles_with_the_same_script(services: dict[str, Any]) -> None:
    postgres = services["postgres"]
    mount = next(volume for volume in postgres["volumes"] if "initdb.d" in volume)
    source = mount.split(":")[0]
    wanted = re.findall(r"^ *\\getenv \w+ (\w+)$", (ROOT / source).read_text(), re.MULTILINE)
    assert len(wanted) == 3
    assert set(wanted) <= set(postgres["environment"])


def test_compose_redis_never_evicts_and_writes_to_disk(services: dict[str, Any]) -> None:
    words = services["redis"]["command"]
    assert services["redis"]["image"].startswith("redis:7")
    assert option(words, "--maxmemory-policy") == "noeviction"
    assert (option(words, "--appendonly"), option(words, "--appendfsync")) == ("yes", "everysec")
    assert "redis:/data" in services["redis"]["volumes"]


def test_compose_checks_the_health_of_all_that_stays(services: dict[str, Any]) -> None:
    for name in set(services) - {"migrate"}:
        assert services[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
        assert services[name]["restart"] == "unless-stopped", name
    assert services["migrate"]["restart"] == "no"


def test_compose_starts_nothing_before_the_schema_is_there(services: dict[str, Any]) -> None:
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }


def test_compose_gives_only_the_migration_the_owners_rights(services: dict[str, Any]) -> None:
    for name in OURS:
        environment = services[name]["environment"]
        assert environment["DATABASE_URL"].startswith("postgresql://goodword_app:")
        assert ("DATABASE_OWNER_URL" in environment) == (name == "migrate")


def test_compose_is_set_for_production(services: dict[str, Any]) -> None:
    for name in OURS:
        assert services[name]["environment"]["DEBUG"] == "false"
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    published = [name for name in services if services[name].get("ports")]
    assert published == ["web"]
    assert services["web"]["ports"][0].startswith("127.0.0.1:")


def test_compose_has_no_secret_of_its_own_and_says_what_is_missing() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in re.findall(r"\$\{(\w+)", text):
        assert name == "PORT" or re.search(rf"\${{{name}:\?Set {name} in \.env .+?\.}}", text), name
    for line in re.findall(r"^\s+(?:\w*PASSWORD|\w*SECRET_KEY|REDISCLI_AUTH): *(\S.*)$", text, re.MULTILINE):
        assert line.startswith("${"), line


# -- Procfile, docker/ --


def test_the_procfile_names_the_three_processes_and_uses_the_virtual_environment(
    procfile: dict[str, list[str]],
) -> None:
    assert list(procfile) == ["web", "worker", "beat"]  # honcho gives PORT itself to the first
    for words in procfile.values():
        begin = words.index("exec")  # signals reach it, not a shell; before it stand only variables
        assert all("=" in word for word in words[:begin])
        assert words[begin : begin + 3] == ["exec", "python", "-m"]


def test_each_web_server_counts_in_a_fresh_folder(procfile: dict[str, list[str]]) -> None:
    """Files of processes that are gone would be read for ever."""
    assert procfile["web"][0] == "PROMETHEUS_MULTIPROC_DIR=${PROMETHEUS_MULTIPROC_DIR:-$(mktemp -d)}"


def test_the_web_servers_own_lines_are_json_too(procfile: dict[str, list[str]]) -> None:
    logs = json.loads((ROOT / option(procfile["web"], "--log-config")).read_text())
    assert logs["formatters"] == {"json": {"()": "stores.logs.JsonFormatter"}}


def test_the_web_server_takes_many_connections_with_few_threads(procfile: dict[str, list[str]]) -> None:
    web = procfile["web"]
    assert option(web, "--interface") == "wsgi"
    # Backpressure counts connections, idle ones included: a small number shuts browsers out.
    assert int(option(web, "--backpressure")) >= 512
    assert option(web, "--blocking-threads") == "${WEB_THREADS:-4}"  # each holds a database connection
    assert "--respawn-failed-workers" in web
    assert int(option(web, "--workers-kill-timeout")) < 10


def test_the_worker_takes_one_task_at_a_time(procfile: dict[str, list[str]]) -> None:
    worker = procfile["worker"]
    assert option(worker, "--prefetch-multiplier") == "1"
    assert {"--without-mingle", "--without-gossip"} <= set(worker)


def test_beat_keeps_its_schedule_with_the_data(procfile: dict[str, list[str]]) -> None:
    assert "DATA_DIR" in option(procfile["beat"], "--schedule")


@pytest.mark.parametrize("process", ["web", "worker", "beat"])
def test_the_options_exist(process: str) -> None:
    """Each option of a Procfile line is in the help of the program that it starts."""
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith(process))
    command = {"web": ["granian"], "worker": ["celery", "worker"], "beat": ["celery", "beat"]}[process]
    helped = subprocess.run(
        [sys.executable, "-m", *command, "--help"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    for name in re.findall(r" (--[a-z0-9-]+)", line):
        assert name in helped, name


@pytest.mark.parametrize("name", ["docker/run", ".ci/run", "manage.py"])
def test_programs_can_be_started(name: str) -> None:
    path = ROOT / name
    assert path.stat().st_mode & stat.S_IXUSR
    if name != "manage.py":
        shell = path.read_text().split("\n", 1)[0].rpartition("/")[2].split()[-1]
        subprocess.run([shell, "-n", str(path)], check=True)


def test_docker_run_starts_the_procfiles_line(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: exec echo started\nwebsocket: exec echo wrong\n")
    run = [str(ROOT / "docker" / "run")]
    assert subprocess.check_output([*run, "web"], cwd=tmp_path, text=True) == "started\n"
    refused = subprocess.run([*run, "mail"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (64, "")


# -- Dockerfile, requirements --


def test_the_image_is_small_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.startswith("FROM python:3.11-slim\n")
    # Of the system's packages only Pango, which sets cards and posters, and no lists left behind.
    (packages,) = re.findall(r"apt-get install --yes --no-install-recommends ([^\\]+)", text)
    assert set(packages.split()) == {"libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"}
    assert text.count("apt-get install") == 1
    assert "rm -rf /var/lib/apt/lists/*" in text
    assert "--only-binary :all:" in text  # no compiler in the image: fail early, not half way
    assert text.index("collectstatic") < text.index("USER goodword") < text.index("CMD [")
    assert not re.search(r"^ENV .*SECRET", text, re.MULTILINE)


def test_the_image_does_not_take_what_is_private() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", ".data", ".venv"} <= set(ignored)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][^ ;*]*( *;.+)?", line), line


def test_development_pins_agree_with_production() -> None:
    pins = [dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
            for name in ("requirements.txt", "requirements-dev.txt")]  # fmt: skip
    both = set(pins[0]) & set(pins[1])
    assert {name: pins[0][name] for name in both} == {name: pins[1][name] for name in both}


# -- Makefile --


def test_make_hands_over_to_python() -> None:
    """A shell between make and Python would keep SIGTERM for itself."""
    text = (ROOT / "Makefile").read_text()
    for command in ("manage.py demo", "-m bench", "-m pytest"):
        assert re.search(rf"exec \$\(BIN\)/python {command}", text), command


def test_make_refuses_an_old_python_with_a_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    env = {**os.environ, "MAKEFLAGS": ""}
    done = subprocess.run(
        ["make", "setup", f"PYTHON={old}"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()
