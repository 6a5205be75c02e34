"""Words on screens are the shop's, not the trade's: in English, and in what it was translated to."""

from __future__ import annotations

import re

import pytest

from tools import messages

JARGON = re.compile(
    r"\b(detractor|attribution|attributed|conversion|referrer|referee|promoter|churn|upsell|kpi|roi|merchant|tenant"
    r"|ledger|idempoten\w*|cohort|clawback|suppression)s?\b",
    re.IGNORECASE,
)
BLANKS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{\w*\}|%\(\w+\)[sd]|<[^>]*>|&\w+;")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’]+(?: [A-Za-z][A-Za-z'’]+){4,}")  # five words in a row are a sentence


def _plain(text: str) -> str:
    return BLANKS.sub(" | ", text)


def _texts(language: str) -> list[str]:
    """Everything a language says."""
    found: list[str] = []
    for message in messages.read(language):
        if message.id:
            found += [message.string] if isinstance(message.string, str) else message.string
    return found


def test_no_jargon_on_any_screen():
    said = [str(message.id) for message in messages.extracted() if message.id]
    assert [text for text in said if JARGON.search(_plain(text))] == []


def test_persian_is_persian():
    """Names, file types and what providers call their own fields are Latin; sentences are not."""
    assert [text for text in _texts("fa") if LATIN.search(_plain(text)) or JARGON.search(_plain(text))] == []


def test_filipino_keeps_no_jargon():
    assert [text for text in _texts("fil") if JARGON.search(_plain(text))] == []


@pytest.mark.parametrize("text", ["Detractors", "The attribution of {{ name }}", "a cohort", "KPIs"])
def test_control_jargon_is_seen(text):
    assert JARGON.search(_plain(text))
