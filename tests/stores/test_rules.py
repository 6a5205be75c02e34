import pytest

from stores import choices
from stores.rules import READABLE, contrast_with_white, readable_shade


@pytest.mark.parametrize(
    ("color", "ratio"), [("#000000", 21.0), ("#ffffff", 1.0), ("#777777", 4.48), ("#0f766e", 5.47)]
)
def test_contrast_is_as_the_standard_counts_it(color, ratio):
    assert contrast_with_white(color) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("color", ["#ffee00", "#ffffff", "#ff0000", "#00ff00", "#0f766e", "#000000"])
def test_a_readable_shade_can_be_read(color):
    assert contrast_with_white(readable_shade(color)) >= READABLE


def test_a_readable_colour_stays(client):
    assert readable_shade("#0f766e") == "#0f766e"


def test_choices_hold_our_stores():
    assert {"PHP", "IRR", "USD"} <= {code for code, _ in choices.currencies()}
    assert {"DEM", "XXX"}.isdisjoint(code for code, _ in choices.currencies())
    assert {"Asia/Manila", "Asia/Tehran", "UTC"} <= {name for name, _ in choices.time_zones()}
    assert {"PH", "IR", "US", ""} <= {code for code, _ in choices.countries()}
