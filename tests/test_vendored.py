"""What others made and we serve is what its list says, byte for byte."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.conf import settings

VENDOR = settings.BASE_DIR / "static" / "vendor"
LISTED = re.findall(r"^\| (\S+) \|.*`([0-9a-f]{64})` \|$", (VENDOR / "VENDORED.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("name", "told"), LISTED)
def test_a_vendored_file_is_the_one_that_is_listed(name, told):
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == told


def test_every_vendored_file_is_listed():
    here = {path.name for path in VENDOR.iterdir() if path.suffix not in (".md", ".LICENSE")}
    assert here == {name for name, _told in LISTED if "/" not in name}


def test_the_reader_of_qr_codes_and_its_wasm_are_of_one_version():
    """The script names the hash of the file that it was built with."""
    told = dict(LISTED)["zxing_reader.wasm"]
    assert told in (VENDOR / "barcode-detector.js").read_text()
