"""Pure decisions about a store's own facts."""

from __future__ import annotations

import re

READABLE = 4.5  # Source: WCAG 2.2, success criterion 1.4.3 (AA), text of ordinary size
COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def contrast_with_white(color: str) -> float:
    """How well white text reads on `color` (#rrggbb): 1 (not at all) to 21. Source: WCAG 2.2, "contrast ratio"."""
    red, green, blue = (_linear(int(color[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def readable_shade(color: str) -> str:
    """`color` itself, or the lightest darker shade of it on which white text reads."""
    channels = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    for percent in range(100, 0, -1):
        shade = "#" + "".join(f"{channel * percent // 100:02x}" for channel in channels)
        if contrast_with_white(shade) >= READABLE:
            return shade
    return "#000000"
