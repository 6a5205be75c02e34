"""Kavenegar's REST methods and its unsigned calls. Sources as in outreach/channels/sms/kavenegar.py."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from outreach.channels.sms.shapes import Incoming
from tests.fakes.server import FakeServer, Reply, Seen

KEY, REPORT_KEY, LINE = "6F4B/secret", "the-report-key", "10004346"
REFUSED = {"09120000411": 411, "09120000418": 418, "09120000420": 420, "09120000501": 501}
SAY_LATER = {"09120000409": 409, "09120000451": 451}
STATUS_AT_ONCE = {"09120000014": 14, "09120000006": 6}


class FakeKavenegar(FakeServer):
    """Knows one key and one line; a localid it knows is the same message again."""

    def __init__(self) -> None:
        super().__init__()
        self.by_local_id: dict[str, dict[str, Any]] = {}

    def respond(self, seen: Seen) -> Reply:
        key, _, method = seen.path.removeprefix("/v1/").partition("/")
        if key != KEY.replace("/", "%2F"):
            return self.answer(403)
        if method == "sms/send.json":
            return self.send(seen.form)
        if method == "sms/statuslocalmessageid.json":
            entry = self.by_local_id.get(seen.form["localid"])
            return self.answer(200, [entry or {"messageid": 0, "localid": seen.form["localid"], "status": 100}])
        if method == "sms/status.json":
            known = {str(entry["messageid"]): entry for entry in self.by_local_id.values()}
            return self.answer(200, [known.get(seen.form["messageid"], {"messageid": 0, "status": 100})])
        return self.answer(404)

    def send(self, form: dict[str, str]) -> Reply:
        code = REFUSED.get(form["receptor"]) or SAY_LATER.get(form["receptor"])
        if code:
            return self.answer(code)
        if form["sender"] != LINE:
            return self.answer(412)
        int(form["localid"])  # a number, as the documentation wants it
        entry = self.by_local_id.setdefault(
            form["localid"],
            {
                "messageid": 8792343 + len(self.by_local_id),
                "localid": form["localid"],
                "message": form["message"],
                "status": STATUS_AT_ONCE.get(form["receptor"], 1),
                "statustext": "در صف ارسال",
                "sender": form["sender"],
                "receptor": form["receptor"],
                "date": 1356619709,
                "cost": 120,
            },
        )
        return self.answer(200, [entry])

    def answer(self, code: int, entries: Any = None) -> Reply:
        """HTTP status and `return.status` say the same."""
        return Reply(code, {"return": {"status": code, "message": "پیام"}, "entries": entries})


def call(fields: Any, *, how: str = "POST", key: str = REPORT_KEY) -> Incoming:
    """A call of Kavenegar's: in the address ("GET"), as a form ("POST") or as JSON ("JSON")."""
    query = {"key": key} if key else {}
    body = b""
    if how == "GET":
        query |= fields
    else:
        body = json.dumps(fields).encode() if how == "JSON" else urlencode(fields).encode()
    url = f"https://goodword.example/hook?{urlencode(query)}"
    return Incoming("GET" if how == "GET" else "POST", url, {}, query, body)
