"""How many texts a text is paid as.

Source: 3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table), TS 23.040 (a part of a
longer message gives 6 octets to its header: 153 of 160 septets, 67 of 70 UCS-2 units remain).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")  # written as an escape and a second septet


@dataclass(frozen=True)
class Segments:
    """A text's size: `characters` in units of its encoding, `left` what still fits into the last part."""

    encoding: str  # "GSM-7" or "UCS-2"
    characters: int
    segments: int
    left: int


def count(text: str) -> Segments:
    """The parts an operator makes of the text; an escape or surrogate pair is never cut in two.

    One character outside GSM-7 (any Persian one, a curly quote) turns the whole text to UCS-2. An
    empty text is 0 parts.
    """
    if all(character in BASIC or character in EXTENSION for character in text):
        return _packed("GSM-7", [2 if character in EXTENSION else 1 for character in text], 160, 153)
    return _packed("UCS-2", [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67)


def _packed(encoding: str, sizes: list[int], alone: int, part: int) -> Segments:
    units = sum(sizes)
    if units <= alone:
        return Segments(encoding, units, 1 if units else 0, alone - units)
    full, last = _filled(sizes, part)
    return Segments(encoding, units, full + 1, part - last)


def _filled(sizes: Iterable[int], part: int) -> tuple[int, int]:
    """The number of parts before the last, and the units in the last."""
    full = used = 0
    for size in sizes:
        if used + size > part:
            full, used = full + 1, 0
        used += size
    return full, used
