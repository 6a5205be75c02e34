"""What is text goes out compressed, whoever serves it; what is small already does not."""

import gzip

import pytest
from django.test import Client

GZIP = {"accept-encoding": "gzip, deflate, br"}


def whole(page) -> bytes:
    return page.getvalue() if page.streaming else page.content


@pytest.mark.parametrize("path", ["css/kit.css", "css/app.css", "js/kit.js", "icons.svg", "vendor/tabler.min.css"])
def test_static_files_are_compressed(db, path):
    plain, small = Client().get(f"/static/{path}"), Client(headers=GZIP).get(f"/static/{path}")
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small["Vary"]
    content = whole(small)
    assert gzip.decompress(content) == whole(plain)
    assert len(content) < len(gzip.decompress(content)) / 2


def test_fonts_are_not(db):
    page = Client(headers=GZIP).get("/static/vendor/vazirmatn.woff2")
    assert "Content-Encoding" not in page
    assert len(whole(page)) < 35_000


def test_pages_are(store, owner):
    page = owner.get("/d/rosewater/settings/", headers=GZIP)
    assert page["Content-Encoding"] == "gzip"
    assert b"<html" in gzip.decompress(page.content)
    assert "Content-Encoding" not in owner.get("/d/rosewater/settings/")
    assert "Content-Encoding" not in Client(headers=GZIP).get("/w/rosewater/testimonials.json")
