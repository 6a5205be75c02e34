# make demo | test | fuzz | lint | format | bench | backup-drill | pictures | setup
PYTHON ?= python3
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore

.PHONY: setup setup-dev demo test lint format bench pictures fuzz backup-drill
.DEFAULT_GOAL := setup

# `exec`: a signal sent to make reaches Python, which stops what it started.
demo: setup
	@exec $(BIN)/python manage.py demo

bench: setup
	@exec $(BIN)/python -m bench

# A backup brought back to a second before an accident, on two servers of its own; ends with 1 when it is not whole.
backup-drill: setup
	@exec $(BIN)/python tools/backup_drill.py

# -- The virtual environment: made once, renewed when the requirement files change --

setup: .venv/stamp
	@if [ -f tools/messages.py ]; then $(BIN)/python tools/messages.py compile; fi

setup-dev: setup .venv/stamp-dev

.venv/stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Goodword needs Python 3.11 or newer as $(PYTHON). Install it, or name one: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { \
	  echo "The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
	$(PIP) --requirement requirements.txt
	@touch $@

.venv/stamp-dev: requirements-dev.txt .venv/stamp
	$(PIP) --requirement requirements-dev.txt
	@touch $@

# -- Checks --

# mypy's Django plugin reads the settings, which want to know the servers; nobody calls these.
NO_SERVERS := SECRET_KEY=lint REDIS_URL=redis://127.0.0.1:1/0 DATABASE_URL=postgresql://none@127.0.0.1:1/none \
  DATABASE_OWNER_URL=postgresql://none@127.0.0.1:1/none

# Prints the path of a Chromium; as root it installs one where there is none.
define find_chromium
for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
  [ -n "$$name" ] && command -v "$$name" && exit 0; \
done; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; } >&2 \
    && command -v chromium && exit 0; \
fi; \
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium fonts-noto-core)" >&2; \
echo "or set CHROMIUM to the path of a Chromium or Chrome." >&2; \
exit 1
endef

# The same for PgBouncer.
define find_pgbouncer
for name in "$$PGBOUNCER" pgbouncer /usr/sbin/pgbouncer; do \
  [ -n "$$name" ] && command -v "$$name" && exit 0; \
done; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends pgbouncer; } >&2 \
    && PATH="$$PATH:/usr/sbin" command -v pgbouncer && exit 0; \
fi; \
echo "The fault tests need PgBouncer. Install it (Debian: apt-get install pgbouncer)" >&2; \
echo "or set PGBOUNCER to its path." >&2; \
exit 1
endef

test: setup-dev
	@CHROMIUM="$$($(find_chromium))" || exit 1; export CHROMIUM; \
	PGBOUNCER="$$($(find_pgbouncer))" || exit 1; export PGBOUNCER; \
	exec $(BIN)/python -m pytest $(PYTEST_ARGS) $(ARGS)

# What `make test` plays of the API, the public forms and the webhooks, many times over: some 20 minutes.
FUZZ ?= 20
fuzz: setup-dev
	@FUZZ=$(FUZZ) exec $(BIN)/python -m pytest -n 2 tests/walls/test_fuzz_api.py tests/walls/test_fuzz_pages.py $(ARGS)

# Every page as the catalogue sees it, under tests/output/catalogue; some of them for the README.
pictures: setup-dev
	@CHROMIUM="$$($(find_chromium))" || exit 1; export CHROMIUM; \
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/browser/test_catalogue.py tests/browser/test_catalogue_persian.py \
	  -k "english or filipino or persian" && $(BIN)/python tools/pictures.py

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(NO_SERVERS) $(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	@if [ -f tools/messages.py ]; then $(BIN)/python tools/messages.py check; fi
	@find . -path ./.venv -prune -o -path '*/templates/*' -name '*.html' -print0 \
	  | xargs -0 --no-run-if-empty $(BIN)/djade --check --target-version 5.2

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@find . -path ./.venv -prune -o -path '*/templates/*' -name '*.html' -print0 \
	  | xargs -0 --no-run-if-empty $(BIN)/djade --target-version 5.2
