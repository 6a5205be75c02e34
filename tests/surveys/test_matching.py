"""Whether a comment is about a theme."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stores.l10n import fold_text
from surveys.matching import bare, finder, fold_comment, words_of
from surveys.starters import THEMES


def is_about(words: tuple[str, ...], comment: str) -> bool:
    """Whether any of the words stands in the comment."""
    return bool(finder(words).search(fold_comment(comment)))


@pytest.mark.parametrize(
    ("word", "comment", "found"),
    [
        ("preco", "PREÇO alto!", True),  # case and accents
        ("price", "The ＰＲＩＣＥ is right", True),  # width
        ("price", "pricey", True),
        ("price", "priceless", False),  # four letters more
        ("fit", "It is fitting", False),  # short words stand alone
        ("fit", "does it fit?", True),
        ("late", "chocolate cake", False),  # not inside a word
        ("entreg*", "entregaram tudo", True),  # a star: any ending
        ("late.", "the latest", False),  # a full stop: no ending
        ("late.", "Too LATE!", True),
        ("mahal.", "mahalaga po kayo", False),
        ("sent back", "I SENT it back", False),
        ("sent back", "sent – back", True),
        ("قیمت", "قيمت‌هایش بالاست", True),  # Arabic yeh, half-space, plural, possessive
        ("کیفیت", "كيفيت", True),
        ("دیر رسید", "خیلی دیر‌رسید", True),
        ("خوش‌قیمت", "خوشقیمت بود", True),
        ("خوش‌قیمت", "خوش قیمت بود", True),
        ("mahal", "Mahalna po", True),
        ("۱۲", "no. 12", True),
        ("doesn't work", "It doesn't work", True),
        ("price", "the price_tag", True),
    ],
)
def test_examples(word, comment, found):
    assert is_about((word,), comment) is found


def test_no_words_find_nothing():
    assert not is_about((), "anything")
    assert not is_about(("*", "!", ""), "anything * !")


def test_words_as_typed():
    assert words_of("price\n  Preis ,cost،قیمت\n\n*\nprice") == ["price", "Preis", "cost", "قیمت"]


LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=12)
ACCENTS = st.sampled_from(["", "\u0301", "\u0300", "\u0303", "\u0308", "\u0327"])
MARKS = st.sampled_from(["", "\u200f", "\u200e", "\u00ad", "\ufeff"])
ARABIC = {"ی": "ي", "ک": "ك"}
GAP = st.sampled_from([" ", ", ", " – ", "! ", "\n", " … ", "(", "»"])


@given(LETTERS, st.text(max_size=40), st.text(max_size=40), GAP, GAP)
def test_a_word_of_the_comment_is_found(word, before, after, gap, other):
    """Whatever stands around it: folding never loses a match."""
    assume(bare(word) and " " not in bare(word))
    # A letter that folds to several may join its neighbour; a gap keeps them apart.
    assert is_about((word,), f"{before}{gap} {word} {other}{after}")


@given(LETTERS, st.data())
def test_another_spelling_is_found(word, data):
    assume(bare(word) and " " not in bare(word))
    spelled = ""
    for letter in word:
        form = data.draw(st.sampled_from([letter, letter.upper(), letter.lower(), ARABIC.get(letter, letter)]))
        assume(fold_text(form) == fold_text(letter))
        spelled += form + data.draw(ACCENTS if unicodedata.name(letter, "").startswith("LATIN") else MARKS)
    assert is_about((word,), f"so {spelled}!")
    assert is_about((spelled,), f"so {word}!")


@given(st.lists(LETTERS, min_size=1, max_size=8), st.text(max_size=80))
def test_more_words_never_find_less(words, comment):
    some = tuple(words[: len(words) // 2])
    assert not finder(some).search(fold_comment(comment)) or finder(tuple(words)).search(fold_comment(comment))


@pytest.mark.parametrize("name", THEMES)
def test_each_of_our_words_finds_itself(name):
    for words in THEMES[name].values():
        for word in words.split(","):
            assert is_about((word,), f"xx {word.strip().rstrip('*.')} yy"), word


def test_a_long_comment_and_many_words_are_quick():
    words = tuple(f"word{number}" for number in range(200))
    assert not is_about(words, "wordy words " * 400)
