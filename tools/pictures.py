"""The pictures of the README, out of those the page catalogue took: python tools/pictures.py (`make pictures`).

They are as pages look in the catalogue's made-up store, cut to one screen and made small.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TAKEN, KEPT = ROOT / "tests" / "output" / "catalogue", ROOT / "docs" / "pictures"
DESK, PHONE = (1440, 1000), (390, 844)


@dataclass(frozen=True)
class Picture:
    """One picture of the README: what it is called, where the catalogue left it, how much of it is shown."""

    name: str
    taken: str
    size: tuple[int, int]


PICTURES = (
    Picture("home", "en/insights-home-1440-light", DESK),
    Picture("home-fa", "fa/insights-home-1440-dark", DESK),
    Picture("share", "en/referral-share-390-dark", PHONE),
    Picture("share-fa", "fa/referral-share-390-light", PHONE),
    Picture("friend", "en/referral-landing-390-dark", PHONE),
    Picture("friend-fa", "fa/referral-landing-390-light", PHONE),
    Picture("counter", "en/checkout-quote-390-dark", PHONE),
    Picture("counter-fa", "fa/checkout-quote-390-light", PHONE),
)


def main() -> None:
    """Cut and shrink each, and say how large they are."""
    KEPT.mkdir(exist_ok=True)
    for picture in PICTURES:
        with Image.open(TAKEN / f"{picture.taken}.jpg") as whole:
            width, height = picture.size
            part = whole.crop((0, 0, width, min(height, whole.height)))
            path = KEPT / f"{picture.name}.webp"
            part.save(path, quality=82, method=6)
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
