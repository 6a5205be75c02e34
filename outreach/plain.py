"""The plain-text part of a letter, written from its HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from outreach.language import tidy

UNSEEN = {"head", "style", "script", "title"}
EMPTY = {"br", "hr", "img", "meta", "link", "input"}
# How many line ends a tag puts around itself.
GAPS = {"p": 2, "h1": 2, "h2": 2, "table": 2, "div": 1, "tr": 1, "td": 1, "li": 1}
BLANKS = re.compile(r"\s+")


def plain_text(html: str) -> str:
    """What a reader sees: paragraphs between empty lines, a cell a line, links as "label: address"."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return tidy("".join(writer.parts)).replace("\n--\n\n", "\n--\n")


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.unseen: list[str] = []  # tags open within something that is not seen
        self.gap = 0  # line ends wanted before the next word
        self.href = ""
        self.label_from = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.unseen or tag in UNSEEN or "display:none" in (given.get("style") or ""):
            self.unseen += [tag] if tag not in EMPTY else []
            return
        self.gap = max(self.gap, 1 if tag == "br" else GAPS.get(tag, 0))
        if given.get("role") == "contentinfo":
            self.parts.append("\n\n--\n")
            self.gap = 0
        if tag == "a":
            self.href, self.label_from = given.get("href") or "", len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        if self.unseen:
            self.unseen = self.unseen[:-1] if tag == self.unseen[-1] else self.unseen
            return
        if tag == "a":
            self.end_link()
        self.gap = max(self.gap, GAPS.get(tag, 0))

    def handle_data(self, data: str) -> None:
        words = BLANKS.sub(" ", data)
        if self.unseen or (self.gap and words == " "):
            return
        if self.gap:
            self.parts.append("\n" * self.gap)
            self.gap = 0
        self.parts.append(words)

    def end_link(self) -> None:
        """Put the address after its label, unless the label is the address."""
        label = "".join(self.parts[self.label_from :]).strip()
        if self.href.startswith(("http://", "https://")) and label != self.href:
            self.parts.append(f": {self.href}")
        self.href = ""
