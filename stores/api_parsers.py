"""JSON in, strictly: what a lenient parser would guess at is refused with a reason."""

from __future__ import annotations

import json
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from stores.problems import Problem

MAX_DEPTH = 64


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without duplicate keys, NaN, NUL, floats in money's place or great depth."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The parsed document; raises ParseError or a 413 Problem."""
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise Problem(413, "too-large", "The body is larger than 5 MB; send fewer at once.")
        try:
            text = raw.decode("utf-8")
            if "\x00" in text or "\\u0000" in text:
                raise ParseError("NUL characters are not accepted.")
            document = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_refuse, parse_int=_whole)
            _check_depth(document)
            if "\\ud" in text.lower():  # half a surrogate pair cannot be stored or echoed
                json.dumps(document, ensure_ascii=False).encode()
        except UnicodeDecodeError as error:
            raise ParseError("The body is not valid UTF-8.") from error
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        return document


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _whole(digits: str) -> int:
    if digits == "-0" or len(digits) > 19:
        raise ValueError(f"{digits[:24]} is not a whole number that fits")
    return int(digits)


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        if isinstance(child, (dict, list)):
            _check_depth(child, depth + 1)
