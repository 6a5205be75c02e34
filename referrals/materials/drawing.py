"""Materials as PDF and PNG: pages set by WeasyPrint (`paper`), pictures of them by PDFium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock

import pypdfium2
import segno
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from PIL.Image import Dither

from referrals.materials.words import Piece
from referrals.models import PrintRun
from stores.rules import readable_shade

try:
    from referrals.materials import paper
except OSError:  # Pango belongs to the system: where it is missing, everything else still works
    paper = None  # type: ignore[assignment]

Material = PrintRun.Material
INCH_MM, POINTS, PIXELS = 25.4, 72, 96  # to an inch: PDF's points, CSS's pixels
PRINT_DPI = 300
# PDFium may be in one thread only; and one at a time bounds what a process needs of memory.
_drawing = Lock()


@dataclass(frozen=True)
class Shape:
    """A material's page, width and height in `unit`; `a_page` pieces stand on each."""

    width: int
    height: int
    unit: str = "mm"
    a_page: int = 1
    level: str = "m"  # of error correction: q where it is laminated or worn

    @property
    def is_screen(self) -> bool:
        """Whether it is looked at, not printed: then a pixel is a pixel."""
        return self.unit == "px"

    @property
    def dpi(self) -> int:
        """Of its picture."""
        return PIXELS if self.is_screen else PRINT_DPI


SHAPES = {
    Material.CARDS: Shape(210, 297, a_page=8),
    Material.POSTER: Shape(210, 297, level="q"),
    Material.SMALL_POSTER: Shape(148, 210, level="q"),
    Material.TENT: Shape(210, 297, level="q"),
    Material.PARCEL: Shape(105, 148),
    Material.RECEIPT: Shape(80, 120),
    Material.SQUARE: Shape(1080, 1080, "px"),
    Material.STORY: Shape(1080, 1920, "px"),
    Material.BANNER: Shape(1200, 630, "px"),
    Material.SIGNATURE: Shape(640, 220, "px"),
}
CARD_MM = (85, 55)
MARGIN_MM = ((210 - 2 * CARD_MM[0]) / 2, (297 - 4 * CARD_MM[1]) / 2)


class CannotDraw(Exception):
    """The server lacks the library that sets text (Pango)."""


class NothingToDraw(ValueError):
    """No piece was given: a document without pages is none."""


@dataclass(frozen=True)
class Spot:
    """A piece where it stands on its page, in millimetres from the corner at the top left."""

    piece: Piece
    qr: SafeString
    left: float = 0
    top: float = 0


@dataclass(frozen=True)
class Sheet:
    """One page; `cuts` are the crop lines."""

    spots: list[Spot]
    upright: list[float] = field(default_factory=list)
    across: list[float] = field(default_factory=list)


def can_draw() -> bool:
    """Whether this server has what it takes."""
    return paper is not None


def pdf(run: PrintRun, pieces: Sequence[Piece], *, is_preview: bool = False) -> bytes:
    """The run's pieces on their pages. Raises NothingToDraw, CannotDraw."""
    if not pieces:
        raise NothingToDraw(run.public_id)
    if not can_draw():
        raise CannotDraw
    shape = SHAPES[Material(run.material)]
    with translation.override(run.language):
        html = render_to_string(
            "referrals/print/sheets.html",
            {
                "run": run,
                "shape": shape,
                "part": f"referrals/print/{_template(run)}.html",
                "sheets": [
                    _sheet(pieces[start : start + shape.a_page], shape) for start in range(0, len(pieces), shape.a_page)
                ],
                "brand": readable_shade(run.store.brand_color),
                "store": run.store,
                "is_preview": is_preview,
            },
        )
    with _drawing:
        return paper.write(html, f"{shape.width}{shape.unit} {shape.height}{shape.unit}")


def png(document: bytes, run: PrintRun, *, page: int = 0, dpi: int | None = None) -> bytes:
    """A picture of one page (the first is 0) of the run's PDF. Raises IndexError for a page that is not there."""
    shape, picture = SHAPES[Material(run.material)], BytesIO()
    with _drawing, pypdfium2.PdfDocument(document) as opened:
        if not 0 <= page < len(opened):
            raise IndexError(page)
        drawn = opened[page].render(scale=(dpi or shape.dpi) / POINTS).to_pil()
    drawn.save(picture, "PNG", optimize=False)
    return picture.getvalue()


def painted(html: str, width: int, height: int) -> bytes:
    """A document of one page as a PNG of that many pixels, small enough for a chat: 64 colours. Raises CannotDraw."""
    if not can_draw():
        raise CannotDraw
    picture = BytesIO()
    with _drawing:
        document = paper.write(html, f"{width}px {height}px")
        with pypdfium2.PdfDocument(document) as opened:
            drawn = opened[0].render(scale=PIXELS / POINTS).to_pil()
    drawn.convert("RGB").quantize(64, dither=Dither.NONE).save(picture, "PNG", optimize=True)
    return picture.getvalue()


def pages(document: bytes) -> int:
    """How many pages a PDF has."""
    with _drawing, pypdfium2.PdfDocument(document) as opened:
        return len(opened)


def joined(documents: Sequence[bytes]) -> bytes:
    """Several PDFs as one."""
    whole = BytesIO()
    with _drawing, pypdfium2.PdfDocument.new() as book:
        for document in documents:
            with pypdfium2.PdfDocument(document) as part:
                book.import_pages(part)
        book.save(whole)
    return whole.getvalue()


def qr_svg(url: str, level: str) -> SafeString:
    """The address as a QR code, dark on white, with its quiet zone of four modules."""
    picture = BytesIO()
    segno.make(url, error=level, micro=False, boost_error=False).save(
        picture, kind="svg", xmldecl=False, border=4, dark="#111", light="#fff", omitsize=True
    )
    return mark_safe(picture.getvalue().decode())  # made here of our own address


def _template(run: PrintRun) -> str:
    same = {Material.SMALL_POSTER: Material.POSTER, Material.STORY: Material.SQUARE}
    return str(same.get(Material(run.material), Material(run.material)).value)


def _sheet(pieces: Sequence[Piece], shape: Shape) -> Sheet:
    if shape.a_page == 1:
        return Sheet([Spot(piece, qr_svg(piece.url, shape.level)) for piece in pieces])
    (width, height), (left, top) = CARD_MM, MARGIN_MM
    spots = [
        Spot(piece, qr_svg(piece.url, shape.level), left + width * (place % 2), top + height * (place // 2))
        for place, piece in enumerate(pieces)
    ]
    rows = -(-len(pieces) // 2)
    return Sheet(spots, [left + width * n for n in range(3)], [top + height * n for n in range(rows + 1)])
