"""Print runs for tests, and reading back what was printed."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

import pypdfium2
import zxingcpp
from PIL import Image

from referrals.materials import drawing
from referrals.models import PrintRun
from referrals.services import prints
from referrals.services.prints import Wish
from stores.models import Store
from tests.conftest import NOW

Material, Whom = PrintRun.Material, PrintRun.Whom
MM = 72 / 25.4  # points


def printed(
    store: Store, material: str = Material.CARDS, whom: str = Whom.STORE, *, at: datetime = NOW, **wish
) -> PrintRun:
    """A print run as the page makes it."""
    wish.setdefault("language", "en")
    return prints.begin(store, Wish(material=material, whom=whom, **wish), by=None, at=at)


def picture(png: bytes) -> Image.Image:
    """A picture of ours."""
    return Image.open(BytesIO(png))


def read(image: Image.Image) -> list:
    """The QR codes that can be read from it, from the top left on."""
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return sorted(found, key=lambda one: (one.position.top_left.y // 100, one.position.top_left.x))


def addresses(image: Image.Image) -> list[str]:
    """Where they lead."""
    return [one.text for one in read(image)]


def page_sizes(pdf: bytes) -> list[tuple[int, int]]:
    """Width and height of each page in whole millimetres."""
    with pypdfium2.PdfDocument(pdf) as book:
        return [(round(page.get_width() / MM), round(page.get_height() / MM)) for page in book]


def text_of(pdf: bytes) -> str:
    """Every letter of the first page, as a reader would copy it."""
    with pypdfium2.PdfDocument(pdf) as book:
        return str(book[0].get_textpage().get_text_bounded())


def sheet(run: PrintRun, page: int = 0) -> Image.Image:
    """A page of a small run as it is printed."""
    document = prints.document(run, NOW)
    assert document is not None
    return picture(drawing.png(document, run, page=page))
