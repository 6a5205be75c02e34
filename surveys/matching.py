"""Whether a comment is about a theme: plain words, compared as they are folded.

| rule | example |
|---|---|
| case, accents, width, Arabic or Persian letters and digits do not matter | `preco` finds "PREÇO" |
| from four letters on a word may end in up to three more | `price` finds "pricey", not "priceless" |
| a star at the end: any ending | `entreg*` finds "entregaram" |
| a full stop at the end: no ending | `late.` does not find "latest" |
| shorter words are found as they stand | `fit` does not find "fitting" |
| several words stand one after the other, whatever is between them but letters | `sent back` |
| a half-space (ZWNJ) joins or parts | `دیر رسید` finds "دیر‌رسید" |

Persian plurals and possessives (ها, های, ش, م) and Filipino linkers (na, ng) are such short endings.
A word may be found where it means something else: the editor shows what a list would find.
"""

from __future__ import annotations

import re
from functools import lru_cache

from stores.l10n import fold_text

ENDING = 3  # letters that may follow a word
FROM = 4  # letters of a word that may have an ending
MOST_WORDS = 200
LONGEST = 60
_HALF_SPACE = "\u200c"
_LETTER = r"[^\W_]"
_GAP = r"[\W_]+"


def words_of(typed: str) -> list[str]:
    """The words of a theme as typed, one a line (or parted by commas), each once; blank ones are dropped."""
    parts = (" ".join(part.split()) for part in re.split(r"[\n,،;؛]", typed))
    return list(dict.fromkeys(part for part in parts if bare(part)))


def bare(word: str) -> str:
    """What is compared of a word: '' when nothing is left of it."""
    return " ".join(re.findall(rf"{_LETTER}+", fold_text(word.replace(_HALF_SPACE, " "))))


def fold_comment(comment: str) -> str:
    """A comment as words are looked for in it; with half-spaces both ways, as a join and as a gap."""
    folded = fold_text(comment)
    return f"{folded}\n{fold_text(comment.replace(_HALF_SPACE, ' '))}" if _HALF_SPACE in comment else folded


@lru_cache(maxsize=512)
def finder(words: tuple[str, ...]) -> re.Pattern[str]:
    """What finds any of the words in a folded comment; without words it finds nothing."""
    patterns = dict.fromkeys(pattern for word in words for pattern in _patterns(word))
    return re.compile(rf"(?<!{_LETTER})(?:{'|'.join(patterns)})(?!{_LETTER})" if patterns else r"(?!)")


def _patterns(word: str) -> list[str]:
    """A word that holds a half-space is looked for with the gap and without it."""
    ending = word.strip()[-1:]
    return [_pattern(form, ending) for form in {bare(word), bare(word.replace(_HALF_SPACE, ""))} if form]


def _pattern(folded: str, ending: str) -> str:
    last = folded.rsplit(" ", 1)[-1]
    open_end = rf"[^\W\d_]{{0,{ENDING}}}" if len(last) >= FROM and ending != "." else ""
    open_end = f"{_LETTER}*" if ending == "*" else open_end
    return _GAP.join(re.escape(part) for part in folded.split()) + open_end
