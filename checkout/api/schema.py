"""The schema, generated once; and what its generator cannot see by itself."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator


class BearerKey(OpenApiAuthenticationExtension):
    """`Authorization: Bearer gw_...`."""

    target_class = "stores.api_auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An HTTP bearer scheme."""
        return {"type": "http", "scheme": "bearer"}


PROBLEM = {
    "type": "object",
    "description": "Why a call was refused (RFC 9457). `type` is a word that programs may rely on.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "errors", "request_id"],
}


def explain_refusals(result: dict[str, Any], **_facts: Any) -> dict[str, Any]:
    """Say of every operation that it may answer with a problem document."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {"description": "Refused; nothing was changed.", "content": shape}
    return result


class Generator(SchemaGenerator):
    """Generates the schema once in each process, in English.

    It is the same for everybody and takes half a second; and the generator's parts load themselves when first used, in
    a way that breaks where two threads do so at once.
    """

    def get_schema(self, request: object = None, public: bool = False) -> dict[str, Any]:
        """The whole schema; there is no other than the public one."""
        with _one_at_a_time:
            return _schema()


_one_at_a_time = Lock()


@cache
def _schema() -> dict[str, Any]:
    with translation.override("en"):
        return SchemaGenerator().get_schema(request=None, public=True)
