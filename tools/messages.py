"""Translation catalogues without GNU gettext: python tools/messages.py extract | update | compile | check.

The English of the code and templates is the message id. `extract` writes locale/django.pot, `update`
brings each language's django.po up to it, `compile` writes the .mo files that Django reads, `check`
exits 1 and lists every message that a language lacks, leaves empty or fuzzy, or whose placeholders differ.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
# Source: CLDR plural rules. In Filipino all but numbers that end in 4, 6 or 9 take the first form.
PLURALS = {
    "fa": (2, "(n > 1)"),
    "fil": (2, "(n % 10 == 4 || n % 10 == 6 || n % 10 == 9)"),
}
SKIPPED = {"tests", "bench", "docs", "tools", "locale", "static", "staticfiles", "migrations", "node_modules"}
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop", "lazy"]),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], ((1, "c"), 2, 3)),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)|\{(\w*)\}")
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # a date that moves would change the files for nothing


def sources() -> Iterator[Path]:
    """Our Python files and templates, in a fixed order."""
    for top in sorted(ROOT.iterdir()):
        if top.name in SKIPPED or top.name.startswith("."):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            parts = set(path.relative_to(ROOT).parts)
            is_template = path.suffix in {".html", ".txt"} and "templates" in parts
            if (path.suffix == ".py" or is_template) and not SKIPPED & parts:
                yield path


def extracted() -> Catalog:
    """Every message of the code and templates, with the files it is in."""
    catalog = Catalog(project="Goodword", creation_date=NO_DATE, revision_date=NO_DATE, charset="utf-8")
    for path in sources():
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        code = text if path.suffix == ".py" else _as_python(text, name)
        found = extract("python", BytesIO(code.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"})
        for _line, message, _comments, context in found:
            if message:
                catalog.add(message, None, [(name, 1)], context=context)
    return catalog


def _as_python(template: str, name: str) -> str:
    """A template as Python that calls gettext; indentation means nothing there, but would to the tokenizer."""
    return "\n".join(line.strip() for line in templatize(template, origin=name).splitlines())


def po_file(language: str) -> Path:
    """Where a language's texts are."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one where there is none yet."""
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=language, project="Goodword", creation_date=NO_DATE, revision_date=NO_DATE)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="django")


def write(path: Path, catalog: Catalog) -> None:
    """Write a catalogue sorted and without line numbers, and with the plural rule of ours."""
    catalog.fuzzy, catalog.header_comment = False, "# Made by tools/messages.py"
    catalog.creation_date = catalog.revision_date = NO_DATE
    body = BytesIO()
    write_po(body, catalog, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True)
    text = body.getvalue().decode()
    language = str(catalog.locale) if catalog.locale else ""
    if language in PLURALS:
        count, rule = PLURALS[language]
        header = f'"Plural-Forms: nplurals={count}; plural={rule};\\n"'
        # Babel breaks a long header over several quoted lines.
        text = re.sub(r'"Plural-Forms:[^\\]*\\n"', lambda _found: header, text, count=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def extract_all() -> int:
    """Write the template of all catalogues."""
    catalog = extracted()
    write(LOCALE / "django.pot", catalog)
    print(f"{len(catalog)} messages")
    return 0


def update_all() -> int:
    """Bring every language up to the code: new messages empty, vanished ones gone, the rest kept."""
    template = extracted()
    for language in PLURALS:
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        write(po_file(language), catalog)
        left = sum(1 for message in catalog if message.id and not _is_full(message))
        print(f"{language}: {len(catalog)} messages, {left} to translate")
    return 0


def compile_all() -> int:
    """Write the binary catalogues beside the texts; fuzzy messages stay out."""
    for language in PLURALS:
        if po_file(language).exists():
            with po_file(language).with_suffix(".mo").open("wb") as file:
                write_mo(file, read(language))
    return 0


def check_all() -> int:
    """List what is wrong; 1 if anything is."""
    template = extracted()
    wrong = [f"{language}: {text}" for language in PLURALS for text in problems(template, read(language))]
    print("\n".join(wrong) if wrong else f"{len(template)} messages, all translated")
    return 1 if wrong else 0


def problems(template: Catalog, catalog: Catalog) -> Iterator[str]:
    """What keeps a catalogue from being whole."""
    for wanted in template:
        if not wanted.id:
            continue
        name = wanted.id if isinstance(wanted.id, str) else wanted.id[0]
        message = catalog.get(name, wanted.context)
        if message is None:
            yield f"missing: {name!r}"
        elif message.fuzzy:
            yield f"fuzzy: {name!r}"
        elif isinstance(message.id, str) != isinstance(wanted.id, str) or not _is_full(message):
            yield f"empty: {name!r}"
        elif not _has_same_placeholders(message):
            yield f"placeholders differ: {name!r}"


def _forms(value: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [value or ""] if isinstance(value, str) or value is None else [form or "" for form in value]


def _is_full(message: Message) -> bool:
    forms = _forms(message.string)
    enough = len(forms) == 1 if isinstance(message.id, str) else len(forms) >= 2
    return enough and all(form.strip() for form in forms)


def _has_same_placeholders(message: Message) -> bool:
    """A singular may leave its number out, so each form matches the singular's set or the plural's."""
    allowed = [_placeholders(text) for text in _forms(message.id)]
    return all(_placeholders(form) in allowed for form in _forms(message.string))


def _placeholders(text: str) -> set[str]:
    return {match.group(0) for match in PLACEHOLDER.finditer(text.replace("%%", ""))}


COMMANDS: dict[str, Callable[[], int]] = {
    "extract": extract_all,
    "update": update_all,
    "compile": compile_all,
    "check": check_all,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    sys.exit(COMMANDS[parser.parse_args().command]())
