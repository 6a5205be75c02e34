"""How many parts a text has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.channels.sms.segments import BASIC, EXTENSION, Segments, count

BASIC_TEXT = st.text(st.sampled_from(sorted(BASIC)), max_size=700)
GSM_TEXT = st.text(st.sampled_from(sorted(BASIC | EXTENSION)), max_size=700)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
WIDE_TEXT = st.text(st.sampled_from("سلام 🙏🏽😀a"), max_size=400).map(lambda text: f"س{text}")


def units(text: str, encoding: str) -> list[list[int]]:
    """Each character as the units it is sent in."""
    if encoding == "GSM-7":
        return [[0x1B, ord(one)] if one in EXTENSION else [ord(one)] for one in text]
    return [[ord(one)] if ord(one) < 0x10000 else [0xD800, 0xDC00] for one in text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 0, 160)),
        ("a" * 160, Segments("GSM-7", 160, 1, 0)),
        ("a" * 161, Segments("GSM-7", 161, 2, 145)),
        ("a" * 306, Segments("GSM-7", 306, 2, 0)),
        ("a" * 307, Segments("GSM-7", 307, 3, 152)),
        ("€" * 80, Segments("GSM-7", 160, 1, 0)),
        ("€" * 81, Segments("GSM-7", 162, 2, 143)),  # 76 in the first part: the 153rd septet stays empty
        ("a" * 152 + "€" + "a" * 7, Segments("GSM-7", 161, 2, 144)),
        ("س" * 70, Segments("UCS-2", 70, 1, 0)),
        ("س" * 71, Segments("UCS-2", 71, 2, 63)),
        ("س" * 134, Segments("UCS-2", 134, 2, 0)),
        ("😀" * 35, Segments("UCS-2", 70, 1, 0)),
        ("😀" * 36, Segments("UCS-2", 72, 2, 61)),  # 33 in the first part: the 67th unit stays empty
        ("I’m", Segments("UCS-2", 3, 1, 67)),
        ("Ñandú", Segments("UCS-2", 5, 1, 65)),  # Ñ is in the alphabet, ú is not
        ("a" * 69 + "`", Segments("UCS-2", 70, 1, 0)),
    ],
)
def test_known_lengths(text, expected):
    assert count(text) == expected


def test_the_alphabet_is_whole():
    assert len(BASIC) == 127  # 128 places, one of them the escape
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@given(ANY_TEXT | WIDE_TEXT | GSM_TEXT)
def test_units_add_up(text):
    size = count(text)
    alone, part = (160, 153) if size.encoding == "GSM-7" else (70, 67)
    assert size.characters == sum(map(len, units(text, size.encoding)))
    assert 0 <= size.left <= alone
    if size.segments <= 1:
        assert size.characters + size.left == alone
    else:
        assert size.characters > alone
        wasted = size.segments * part - size.left - size.characters
        assert 0 <= wasted < size.segments  # at most one unit a part, before a pair


@given(ANY_TEXT | WIDE_TEXT | GSM_TEXT)
def test_the_parts_can_be_cut_and_no_fewer_hold_the_text(text):
    """Cut greedily, which is the best one can do: every part fits, and no pair is parted."""
    size = count(text)
    alone, part = (160, 153) if size.encoding == "GSM-7" else (70, 67)
    if size.characters <= alone:
        assert size.segments == (1 if text else 0)
        return
    parts: list[list[int]] = [[]]
    for one in units(text, size.encoding):
        if len(parts[-1]) + len(one) > part:
            parts.append([])
        parts[-1] += one
    assert len(parts) == size.segments
    assert part - len(parts[-1]) == size.left


@given(BASIC_TEXT)
def test_plain_text_wastes_nothing(text):
    size = count(text)
    assert size.encoding == "GSM-7"
    assert size.segments == (-(-len(text) // 153) if len(text) > 160 else min(1, len(text)))


@given(GSM_TEXT, st.characters(exclude_categories=["Cs"]).filter(lambda one: one not in BASIC | EXTENSION))
def test_one_foreign_character_changes_the_encoding(text, foreign):
    assert count(text + foreign).encoding == "UCS-2"


@given(GSM_TEXT | WIDE_TEXT, GSM_TEXT)
def test_more_text_is_never_fewer_parts(text, more):
    assert count(text + more).segments >= count(text).segments
