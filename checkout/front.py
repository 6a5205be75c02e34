"""Redeeming by API in front of Django: a WSGI application that answers the ordinary call of a till.

The plain way is `api.vouchers.RedeemVoucher`, and everything that is not ordinary goes there: other fields than code,
amount and currency, a key that was not used for a minute, a call that is repeated, whatever is refused, any error.
What is answered here is the same in every row and byte (tests/checkout/test_front.py), by one count in Redis and one
statement, which is its own transaction. Why: docs/decisions/0027-redeeming-in-front.md.
"""

from __future__ import annotations

import json
import logging
import re
import time
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from checkout import guesses
from checkout.api.fields import MOST_MINOR
from referrals.services.redeeming import SOURCE
from stores import api_auth, codes, doors, limits, logs, metrics
from stores.api_parsers import StrictJSONParser
from stores.idempotency import hash_of
from stores.limits import Limit

logger = logging.getLogger(__name__)

ADDRESS = "/api/v1/vouchers/redeem/"
ROUTE = ADDRESS[1:]  # as Django calls it: whoever answered, it is counted under one name
FIELDS = {"code", "amount_minor", "currency"}
MOST_BYTES = 1_000
CALL = re.compile(r"[\x21-\x7e]{1,255}")  # an Idempotency-Key
CURRENCY = re.compile(r"[A-Z]{3}")
OF_ONE_ANSWER = ("X-Request-ID", "Content-Length")
MOST_KEYS = 10_000

Headers = list[tuple[str, str]]


class Redeeming:
    """Answers POST /api/v1/vouchers/redeem/ where it can, and leaves everything else to `django`."""

    def __init__(self, django: WSGIApplication) -> None:
        self.django = django
        # Of Django's own 201, by http and by https: settings and middleware decide them, not this module.
        self.headers: dict[bool, Headers] = {}
        self.keys: dict[str, list[Limit]] = {}  # what calls by a key count against, by its hash

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """The answer to an ordinary redemption; Django's to anything else."""
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != ADDRESS:
            return self.django(environ, start_response)
        answer, began, request = None, time.perf_counter(), WSGIRequest(environ)
        try:
            if _is_ordinary(request):
                answer = self._answer(request)
        except (SuspiciousOperation, APIException):
            pass  # Django says what is wrong
        except Exception:  # what was committed all the same, the view finds by the call's key
            logger.exception("a redemption is left to the view")
        if answer is None:
            return self.django(environ, self._learning(request, start_response))
        headers, body = answer
        start_response("201 Created", headers)
        metrics.request_done(ROUTE, 201, time.perf_counter() - began)
        return [body]

    def _learning(self, request: WSGIRequest, start_response: StartResponse) -> StartResponse:
        def start(status: str, headers: Headers, *rest: Any) -> Any:
            is_first = status.startswith("201") and request.is_secure() not in self.headers
            if is_first and _is_without_choice(request) and "Idempotent-Replay" not in dict(headers):
                self.headers[request.is_secure()] = [one for one in headers if one[0] not in OF_ONE_ANSWER]
            return start_response(status, headers, *rest)

        return start  # type: ignore[return-value]  # of no overload

    def _answer(self, request: WSGIRequest) -> tuple[Headers, bytes] | None:
        wish = _wish(request)
        kept = self.headers.get(request.is_secure())
        if wish is None or kept is None:
            return None
        hashed, identifier = api_auth.hash_key(_key(request)), codes.random_characters(12).lower()
        logs.begin_request(identifier)
        counted = self.keys.get(hashed) or self._learn_key(hashed)
        if not counted or not _may_try(counted):
            return None
        body = _redeem(hashed, request.headers["Idempotency-Key"], wish)
        if body is None:
            limits.give_back(counted[:1])  # the view counts the call
            return None
        return [*kept, ("X-Request-ID", identifier), ("Content-Length", str(len(body)))], body

    def _learn_key(self, hashed: str) -> list[Limit]:
        """Whose key that is, for the names of its counters; whether it is still good is asked at each call."""
        found = doors.ask("SELECT * FROM goodword_names_of_key(%s)", [hashed])
        if found is None:
            return []
        if len(self.keys) >= MOST_KEYS:
            self.keys.clear()
        key, store = found
        self.keys[hashed] = [api_auth.calls_by(key), *guesses.of_key(store, key)]
        return self.keys[hashed]


def _is_without_choice(request: WSGIRequest) -> bool:
    """Nothing says which language the answer is in, so that all answers say the same."""
    return not request.headers.get("Accept-Language") and not request.headers.get("Cookie")


def _is_ordinary(request: WSGIRequest) -> bool:
    """A program's call with a key of ours and a key of the call."""
    return (
        request.content_type == "application/json"
        and _is_without_choice(request)
        and request.headers.get("Authorization", "").startswith("Bearer gw_")
        and bool(CALL.fullmatch(request.headers.get("Idempotency-Key", "")))
        and doors.is_ours(request)
    )


def _key(request: WSGIRequest) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


def _wish(request: WSGIRequest) -> dict[str, Any] | None:
    """The body, when it is an ordinary one; the view can read it again. Raises what the parser says."""
    length = request.META.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return None
    body = request.environ["wsgi.input"].read(int(length))
    request.environ["wsgi.input"] = BytesIO(body)
    wish = StrictJSONParser().parse(BytesIO(body))
    if not isinstance(wish, dict) or wish.keys() != FIELDS:
        return None
    code, amount, currency = wish["code"], wish["amount_minor"], wish["currency"]
    is_plain = (
        isinstance(code, str)
        and codes.has_good_check(codes.normalise(code))
        and type(amount) is int
        and 0 <= amount <= MOST_MINOR
        and isinstance(currency, str)
        and bool(CURRENCY.fullmatch(currency))
    )
    return wish if is_plain else None


def _may_try(counted: list[Limit]) -> bool:
    """Count the call; False when it is one too many, or too many codes were guessed lately: the view says so.

    The try of a code is not counted here: where there is no such code the view counts it before it says so.
    """
    calls, *watched = counted
    number, *guessed = limits.take([calls], watched=watched)
    if number <= calls.most and all(seen < limit.most for seen, limit in zip(guessed, watched, strict=True)):
        return True
    limits.give_back([calls])
    return False


def _redeem(hashed: str, call: str, wish: dict[str, Any]) -> bytes | None:
    """Redeem and keep the answer under the call's key, or do nothing: None says that the view must decide."""
    values = [hashed, call, hash_of(ADDRESS, wish), codes.normalise(wish["code"]), wish["amount_minor"]]
    ids = [codes.public_id(), codes.public_id()]
    asked = [*values, wish["currency"], timezone.now(), *ids, SOURCE]
    row = doors.ask("SELECT * FROM goodword_redeem_by_key(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", asked)
    if row is None:
        return None
    store, answer = row
    logs.stay_at_store(str(store))
    body: bytes = JSONRenderer().render(json.loads(answer))
    return body
