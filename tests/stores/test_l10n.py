from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import l10n

MONEY = [("USD", False), ("PHP", False), ("IRR", True), ("IRR", False), ("JPY", False), ("BHD", False)]


@pytest.mark.parametrize(("currency", "toman"), MONEY)
@pytest.mark.parametrize("lang", ["en", "fa", "fil"])
@given(minor=st.integers(0, 10**13))
def test_money_reads_back_what_it_wrote(currency, toman, lang, minor):
    text = l10n.format_money(minor, currency, lang, toman=toman)
    assert l10n.parse_money(text, currency, toman=toman) == minor
    assert l10n.parse_money(l10n.money_input(minor, currency, toman=toman), currency, toman=toman) == minor


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("1,550.00", 155000), ("1.550,00", 155000), ("1550", 155000), ("۱۵۵۰", 155000), ("₱1,550.5", 155050),
     ("1 550,5", 155050), ("1,234,567", 123456700), ("0.5", 50), ("0,5", 50), ("۱٬۵۵۰٫۲۵", 155025)],
)  # fmt: skip
def test_amounts_as_people_type_them(typed, minor):
    assert l10n.parse_money(typed, "PHP") == minor


@pytest.mark.parametrize("typed", ["", "-5", "1e9", "1.555", "five", "1,5,5", "1..5", "0x10", "9" * 30, "NaN"])
def test_amounts_that_are_refused(typed):
    with pytest.raises(ValueError):
        l10n.parse_money(typed, "PHP")


def test_persian_money_in_toman():
    assert l10n.format_money(500_000, "IRR", "fa", toman=True) == "۵۰٬۰۰۰ تومان"
    assert l10n.parse_money("۵۰٬۰۰۰", "IRR", toman=True) == 500_000


@pytest.mark.parametrize(
    ("value", "lang", "text"),
    [(46, "en", "+46"), (46, "fa", "\u200e+۴۶"), (-3, "en", "−3"), (-3, "fa", "\u200e−۳"), (0, "en", "0")],
)
def test_signs_stand_on_the_right_side(value, lang, text):
    assert l10n.format_number(value, lang, sign=True) == text


@pytest.mark.parametrize(("lang", "text"), [("en", "mug, plate"), ("fa", "mug، plate"), ("fil", "mug, plate")])
def test_names_in_a_row(lang, text):
    assert l10n.format_list(["mug", "plate"], lang) == text


def test_days_in_three_calendars_of_words():
    moment = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert l10n.format_date(moment, "en") == "20 Nov 2026"
    assert l10n.format_date(moment, "fa") == "۲۹ آبان ۱۴۰۵"
    assert l10n.format_date(moment, "fil") == "20 Nob 2026"


def test_a_day_is_the_stores_day():
    from zoneinfo import ZoneInfo

    moment = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert l10n.format_date(moment, "en", ZoneInfo("Asia/Manila")) == "21 Nov 2026"


def test_arabic_and_persian_letters_are_one():
    assert l10n.fold_text("علي  كريمي") == l10n.fold_text("علی کریمی")
    assert l10n.fold_text("می\u200cخواهم") == l10n.fold_text("میخواهم")
    assert l10n.fold_text("JOSÉ") == "jose"
    assert l10n.fold_digits("۰۹۱۲٣٤５") == "0912345"


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text):
    assert l10n.fold_text(l10n.fold_text(text)) == l10n.fold_text(text)


def test_how_long_ago():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert l10n.format_ago(now - timedelta(hours=5, minutes=9), now, "en") == "5 hours ago"
    assert l10n.format_ago(now - timedelta(seconds=5), now, "en") == "just now"
    assert l10n.format_ago(now + timedelta(days=3), now, "en") == "in 3 days"
