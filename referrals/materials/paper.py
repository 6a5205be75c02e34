"""HTML set on paper by WeasyPrint, with fonts of our own; nothing is fetched from anywhere.

One `<section>` a page and full TTF fonts (measured: a grid over many pages takes quadratic time, and subset fonts
come out as wrong letters). Importing this raises OSError where the system has no Pango.
"""

from __future__ import annotations

from django.conf import settings
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

FONTS = {"regular": 400, "bold": 700}
SCHEME = "font:"


def write(html: str, size: str) -> bytes:
    """The PDF of a document whose pages are of that size, for example "210mm 297mm"."""
    fonts, files = FontConfiguration(), OwnFiles()
    faces = "".join(
        f'@font-face {{ font-family: Vazirmatn; font-weight: {weight}; src: url("{SCHEME}{name}") }}\n'
        for name, weight in FONTS.items()
    )
    style = CSS(string=f"{faces}@page {{ size: {size}; margin: 0 }}", url_fetcher=files, font_config=fonts)
    written: bytes = HTML(string=html, url_fetcher=files).write_pdf(stylesheets=[style], font_config=fonts)
    return written


class OwnFiles(URLFetcher):  # type: ignore[misc]
    """Hands out our two fonts, and nothing else: what somebody is called cannot make us read a file or an address."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """The font that is meant. Raises ValueError for anything else."""
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME) or name not in FONTS:
            raise ValueError(f"not ours to fetch: {url[:80]}")
        path = settings.BASE_DIR / "static" / "vendor" / f"vazirmatn-{name}.ttf"
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": "font/ttf"})
