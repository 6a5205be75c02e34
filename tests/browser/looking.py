"""Looking at one page as many people would: wide and narrow, by day and by night, with a magnifier, by keyboard."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.stack import ROOT
from tools import messages

HERE = Path(__file__).parent
SCRIPTS = (HERE / "vendor" / "axe.min.js", HERE / "looking.js")
DESK, PHONE = 1440, 390
LIGHT, DARK = "light", "dark"
# At 320 px a page is read at 400 % on a desk; 720 px is a desk at 200 % (WCAG 1.4.10, 1.4.4).
NARROW = (720, 320)
COLOURS = ["color-contrast"]  # what may differ between day and night
PICTURE = 1700  # px of a page's height on its picture


@dataclass
class Seen:
    """What was wrong with a page, and the texts it had."""

    wrong: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


class Looker:
    """Looks at the page that is open; the pictures go to `folder`."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder, self.seen = page, folder, Seen()
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self) -> None:
        """Bring what measures into the page."""
        for script in SCRIPTS:
            self.page.evaluate(script.read_text())

    def axe(self) -> list[str]:
        """What axe finds on the page as it stands."""
        self.seen, self.state = Seen(), "as it stands"
        self._axe(None)
        return self.seen.wrong

    def look(self, pictures: Sequence[tuple[int, str]], name: str, *, axe: bool = True) -> Seen:
        """Both widths and colour schemes, two narrow ones; the states in `pictures` are kept as pictures."""
        self.seen = Seen()
        # Everything at one width and scheme each; of the other two only what colour changes.
        for width, scheme, rules in (
            (DESK, LIGHT, None),
            (DESK, DARK, COLOURS),
            (PHONE, DARK, None),
            (PHONE, LIGHT, COLOURS),
        ):
            self._show(width, scheme)
            if axe:
                self._axe(rules)
            if (width, scheme) in pictures:
                self._picture(f"{name}-{width}-{scheme}")
            if scheme == DARK:
                continue
            self._note("wider than its window", self._ask("sideways"))
        self._note("too small to tap", self._ask("small"))
        self.seen.texts = [tuple(one) for one in self._ask("texts")]  # type: ignore[misc]
        for width in NARROW:
            self._show(width, LIGHT)
            self._note("wider than its window", self._ask("sideways"))
        self._note("cut off", self._ask("clipped"))
        return self.seen

    def _show(self, width: int, scheme: str) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        self.state = f"{width} {scheme}"

    def _ask(self, what: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"arguments => looking.{what}(...arguments)", list(arguments))

    def _axe(self, rules: list[str] | None) -> None:
        for rule, nodes in self._ask("axe", rules):
            self.seen.wrong += [f"{self.state}: axe {rule}: {node}" for node in nodes]

    def _note(self, what: str, found: Any) -> None:
        if isinstance(found, list):
            self.seen.wrong += [f"{self.state}: {what}: {one}" for one in found]
        elif found > 0:
            self.seen.wrong.append(f"{self.state}: {what} by {found} px")

    def _picture(self, name: str) -> None:
        height = self.page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": self.page.viewport_size["width"], "height": min(height, PICTURE)}  # type: ignore[index]
        self.page.screenshot(path=self.folder / f"{name}.jpg", type="jpeg", quality=70, full_page=True, clip=clip)  # type: ignore[arg-type]


def walk_by_keyboard(page: Page, most: int = 400) -> Iterator[dict[str, Any]]:
    """Where the focus stops, from the top of the page until it leaves it; a field that has it at first may be below."""
    page.evaluate("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate("looking.focus()")
        if stop is None:
            return
        yield stop


# -- Words --

HOLE = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%%")
LATIN_DIGIT, PERSIAN = re.compile(r"[0-9]"), re.compile(r"[\u0600-\u06FF]{2}")
ISOLATED = re.compile("[\u2066-\u2068][^\u2069]*\u2069")  # names and codes, set apart from the sentence
ADDRESS = re.compile(r"\S*[@/]\S*|\S*\.\w{2,}")  # e-mail and web addresses
CODE = re.compile(r"\b(?=\w*[A-Za-z])[\w-]+")  # a word with Latin letters
LONG_ENOUGH = 3


@functools.cache
def english(language: str) -> dict[str, bool]:
    """Our English texts, as they are before their holes are filled: whether the language says them otherwise."""
    known = messages.read(language)
    texts: dict[str, bool] = {}
    for message in messages.extracted():
        if not message.id:
            continue
        singular_and_plural = [message.id] if isinstance(message.id, str) else list(message.id)
        other = known.get(message.id, message.context)
        said = ([other.string] if isinstance(other.string, str) else list(other.string)) if other else [""]
        for text in singular_and_plural:
            texts[text] = texts.get(text, True) and text not in said
    return texts


@functools.cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """For texts with holes: their longest piece, and the whole."""
    found = []
    for text, differs in english(language).items():
        pieces = [piece for piece in HOLE.split(text) if piece.strip()]
        if differs and HOLE.search(text) and pieces and len(max(pieces, key=len).strip()) >= 8:
            whole = ".+?".join(re.escape(part) for part in HOLE.split(text))
            found.append((max(pieces, key=len).strip(), re.compile(whole)))
    return found


@functools.cache
def is_english(text: str, language: str) -> bool:
    """Whether this is one of our English texts, which the language says otherwise or not yet."""
    texts = english(language)
    if len(text) >= LONG_ENOUGH and texts.get(text):
        return True
    return any(piece in text and whole.fullmatch(text) for piece, whole in _patterns(language))


def untranslated(texts: Iterable[tuple[str, str]], language: str) -> Iterator[str]:
    """Texts that stand in English on a page of another language. What the shop wrote may be what it likes."""
    for text, whose in texts:
        if whose != "own" and is_english(text, language):
            yield text


def foreign_digits(texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Persian sentences with Latin digits in them."""
    for text, whose in texts:
        ours = CODE.sub("", ADDRESS.sub("", ISOLATED.sub("", text)))
        if whose == "ours" and PERSIAN.search(ours) and LATIN_DIGIT.search(ours):
            yield text


def contact_sheet(folder: Path, wrong: dict[str, list[str]]) -> Path:
    """One page with all pictures under their names, and what was found wrong with each."""
    rows = []
    for title, findings in wrong.items():
        shown = sorted(folder.glob(f"{file_name(title)}-*.jpg"))
        figures = "".join(f'<img src="{one.name}" height="420" alt="{one.stem}"> ' for one in shown)
        rows.append(f"<h2>{title}</h2><pre>{escape(chr(10).join(findings))}</pre><p>{figures}</p>")
    sheet = folder / "index.html"
    sheet.write_text(f"<!doctype html><meta charset=utf-8><title>{folder.name}</title>{''.join(rows)}")
    return sheet


def file_name(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"\W+", "-", title)


OUTPUT = ROOT / "tests" / "output" / "catalogue"
