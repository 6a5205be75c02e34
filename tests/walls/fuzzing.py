"""What the fuzzing tests share: how long they go on, what they type, and when an answer is good."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote_from_bytes

from django.http import HttpResponse
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TIMES = int(os.environ.get("FUZZ", "1"))  # `make fuzz`: many times what the ordinary suite plays


def examples(number: int) -> settings:
    """Settings for that many examples, the same each time; or for as many more, drawn anew, as `make fuzz` asks for."""
    ignored = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=number * TIMES, suppress_health_check=ignored)


# What has broken forms before: bytes, as a browser would never send them.
NASTY: list[bytes] = [
    b"", b" ", b"0", b"-1", b"1e400", b"NaN", b"9" * 40, b"1.5", b"0x10", b"true", b"None", b"[]", b"{}",
    b"\x00", b"a\x00b",
    b"\xff\xfe", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "٣".encode(), "۱۲۳".encode(), "²".encode(), "½".encode(),
    "\u202egnp.exe".encode(), "\u200f\u200e".encode(), "👩‍👩‍👧".encode(), b"%00", b"%",
    b"%s%s%n", b"{{ 7*7 }}", b"<script>alert(1)</script>",
    b"' OR 1=1 --", b"\r\nSet-Cookie: a=b", b"../../etc/passwd", b"=cmd|' /C calc'!A0", b"a" * 300, b"a" * 20_000,
    b"2026-02-30", b"0000-00-00", b"9999-12-31T23:59:60", b"2026-11-20", b"25:61", b"a@b.c",
    b"a@" + b"b" * 300 + b".com", b"@",
    "ä@xn--.example".encode(), b"sara@example.com", b"+639170000001", b"+" + b"9" * 30, b"0917 555 0001",
    b"javascript:alert(1)",
    b"https://[::1", b"http://127.0.0.1/", b"#0f766e", b"PHP", b"XXX", b"en", b"fa", b"on", b"1", b"10", b"11",
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(NASTY), st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))


def pairs(names: list[str]) -> st.SearchStrategy[list[tuple[str, bytes]]]:
    """Fields of a form: some missing, some twice, some unknown."""
    known = st.sampled_from([*names, "unknown", ""])
    return st.lists(st.tuples(known, VALUES), max_size=len(names) + 3)


def encoded(fields: list[tuple[str, bytes]]) -> str:
    """As a form or a query, every byte as it is."""
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}" for name, value in fields)


LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=50)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.sampled_from(values), LATIN)
        for name, values in {
            "user-agent": ["", "x" * 3000, "Googlebot/2.1", "Mozilla/5.0 (iPhone) Safari/605.1"],
            "accept-language": ["fa", "fil;q=2", "*", "en;q=", ",,,;q=0.1" * 50],
            "referer": ["http://[", "https://elsewhere.example/?a=b", "about:blank"],
            "cookie": ["lang=xx", "theme=dark", "device=forged:1", "session=" + "a" * 200, "=;;=", "csrftoken=x"],
            "x-forwarded-for": ["1.2.3.4", "::1", "unknown, x", "," * 20],
            "hx-request": ["true"],
            "origin": ["null", "https://evil.example"],
        }.items()
    },
)  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """`data` and `content_type` of a POST: mostly a form, sometimes something that claims to be one."""
    fields = draw(pairs(names))
    kind = draw(st.sampled_from(["form"] * 6 + ["multipart", "json", "bytes"]))
    if kind == "form":
        return {"data": encoded(fields), "content_type": "application/x-www-form-urlencoded"}
    if kind == "multipart":
        parts = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
            for name, value in fields
        )
        ending = draw(st.sampled_from([b"--x--\r\n", b"", b"--y--"]))
        boundary = draw(st.sampled_from(["x", "", "é", "x" * 300]))
        return {"data": parts + ending, "content_type": f"multipart/form-data; boundary={boundary}"}
    if kind == "json":
        return {
            "data": draw(st.sampled_from(["", "{", "[]", '{"a": 1e999}', "[" * 2000])),
            "content_type": "application/json",
        }
    charset = draw(st.sampled_from(["utf-8", "utf-16", "nonsense", "utf-7"]))
    return {
        "data": draw(st.binary(max_size=200)),
        "content_type": f"application/x-www-form-urlencoded; charset={charset}",
    }


def words_of(answer: HttpResponse) -> str:
    """What a page says to people."""
    text = re.sub(r"(?s)<(script|style|head)\b.*?</\1>|<[^>]+>", " ", answer.content.decode())
    return " ".join(text.split())


def complaint(answer: HttpResponse) -> str:
    """What is wrong with an answer: it failed, or it refuses without a reason; '' when it is good."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code < 400 or answer.status_code == 405:
        return ""
    kind = answer.headers.get("Content-Type", "")
    if kind == "application/problem+json":
        told = answer.json()
        whole = told["type"] and told["title"] and told["detail"] and told["status"] == answer.status_code
        return "" if whole else f"a problem without words: {told}"
    if kind.startswith("text/html"):
        return "" if len(words_of(answer)) > 20 else f"{answer.status_code} without words"
    if kind.startswith("application/json") and b'"errors": ["' in answer.content:  # allauth's, to who sent JSON
        return ""
    return f"{answer.status_code} as {kind or 'nothing'}"
