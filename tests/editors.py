"""What a manager does in an editor: look at what publishing changes, then publish it."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client


def looked_at(client: Client, url: str, typed: dict[str, str]) -> dict[str, str]:
    """What is typed, with the marks of the page that shows what publishing it changes."""
    opened = client.get(url).context
    marks = {name: opened.get(name) or "" for name in ("base", "begun")}
    coming = client.post(url, {**typed, **marks, "step": "look"}).context["coming"]
    return {**typed, **marks, "seal": coming.seal if coming else "", "step": "publish"}


def publish(client: Client, url: str, typed: dict[str, str], **options) -> HttpResponse:
    """Look, then publish."""
    return client.post(url, looked_at(client, url, typed), **options)
