"""A till that redeems by API, through the door in front of Django or by Django alone."""

from __future__ import annotations

import json

from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from checkout import front

TYPE = "application/json"


def wish_for(voucher, **more):
    return {"code": voucher.code, "amount_minor": 100_00, "currency": "PHP", **more}


class Till:
    """A program that redeems: through the door, or by Django alone."""

    def __init__(self, key: str) -> None:
        self.key, self.left = key, 0
        self.django = get_wsgi_application()
        self.door = front.Redeeming(self._count_and_ask)

    def _count_and_ask(self, environ, start_response):
        self.left += 1
        return self.django(environ, start_response)

    def ask(self, body, call="call-1", *, by_django=False, method="POST", path=front.ADDRESS, query="", **headers):
        """Status, headers and body of the answer."""
        sent = {"authorization": f"Bearer {self.key}", "idempotency-key": call}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content, kind = body if isinstance(body, bytes) else json.dumps(body).encode(), sent.pop("content-type", TYPE)
        path += f"?{query}" if query else ""
        request = RequestFactory().generic(method, path, content, kind, headers={k: v for k, v in sent.items() if v})
        told = []
        answer = (self.django if by_django else self.door)(
            request.environ, lambda status, found, *_: told.append((status, found))
        )
        status, found = told[0]
        return int(status[:3]), dict(found), b"".join(answer)

    def is_left(self, *args, **kwargs):
        """What Django answers, when it is Django that answers; else the test fails."""
        before = self.left
        answer = self.ask(*args, **kwargs)
        assert self.left == before + 1
        return answer

    def is_answered(self, *args, **kwargs):
        """What the door answers, when it is the door that answers."""
        before = self.left
        answer = self.ask(*args, **kwargs)
        assert self.left == before
        return answer
