"""Fields that take what API.md says and nothing near it: a guess about money or time is worse than a refusal."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from babel import Locale
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from stores.problems import Problem

MOST_MINOR = 10**13
CLOCK_SKEW = timedelta(minutes=5)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)")
LANGUAGE = re.compile(r"([A-Za-z]{2,3})([-_][A-Za-z0-9]{1,8})*")
MOST_DATA_BYTES = 16 * 1024


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that Unicode knows, old ones too."""
    return frozenset(Locale("en").currencies)


class StrictSerializer(serializers.Serializer):
    """A serializer that refuses fields it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; unknown fields are named together with what else is wrong."""
        unknown = {}
        if isinstance(data, dict):
            unknown = {str(name)[:80]: ["This field is not known here."] for name in data if name not in self.fields}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **unknown}) from error
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


class TextField(serializers.CharField):
    """Text; numbers and booleans are not text."""

    def to_internal_value(self, data: Any) -> str:
        """The text, trimmed."""
        if not isinstance(data, str):
            raise serializers.ValidationError("Send text, in quotes.")
        return str(super().to_internal_value(data))


@extend_schema_field(OpenApiTypes.INT64)
class MinorField(serializers.Field):
    """Money: a whole number of minor units, 0 to 10^13."""

    def to_internal_value(self, data: Any) -> int:
        """The amount; refuses floats, booleans and text."""
        if type(data) is not int:
            raise serializers.ValidationError("Send a whole number of minor units (15.50 is 1550), without quotes.")
        if not 0 <= data <= MOST_MINOR:
            raise serializers.ValidationError(f"Send an amount from 0 to {MOST_MINOR}.")
        return data

    def to_representation(self, value: int) -> int:
        """As it is."""
        return value


@extend_schema_field(OpenApiTypes.INT)
class CountField(serializers.Field):
    """A whole number from 1 to a million."""

    def to_internal_value(self, data: Any) -> int:
        """The number; refuses floats, booleans and text."""
        if type(data) is not int or not 1 <= data <= 1_000_000:
            raise serializers.ValidationError("Send a whole number from 1 to 1000000.")
        return data

    def to_representation(self, value: int) -> int:
        """As it is."""
        return value


@extend_schema_field(OpenApiTypes.BOOL)
class YesNoField(serializers.Field):
    """true or false, and nothing that looks like them."""

    def to_internal_value(self, data: Any) -> bool:
        """The answer."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("Send true or false.")
        return data

    def to_representation(self, value: bool) -> bool:
        """As it is."""
        return value


@extend_schema_field(OpenApiTypes.STR)
class CurrencyField(serializers.Field):
    """An ISO 4217 code."""

    def to_internal_value(self, data: Any) -> str:
        """The code, in capitals."""
        if not isinstance(data, str) or data not in currencies():
            raise serializers.ValidationError("Send an ISO 4217 code in capitals, for example PHP.")
        return data

    def to_representation(self, value: str) -> str:
        """As it is."""
        return value


@extend_schema_field(OpenApiTypes.DATETIME)
class TimeField(serializers.Field):
    """A time with its offset, as aware UTC. `may_lie_ahead`: not only by a clock's error."""

    def __init__(self, *, may_lie_ahead: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.may_lie_ahead = may_lie_ahead

    def to_internal_value(self, data: Any) -> datetime:
        """The moment; refuses times without offset."""
        moment = read_time(data)
        if not self.may_lie_ahead and moment > datetime.now(UTC) + CLOCK_SKEW:
            raise serializers.ValidationError("This lies in the future; check the clock and the offset.")
        return moment

    def to_representation(self, value: datetime) -> str:
        """ISO 8601 in UTC."""
        return value.astimezone(UTC).isoformat()


def read_time(data: Any) -> datetime:
    """An ISO 8601 time with offset as aware UTC; raises ValidationError."""
    if not isinstance(data, str) or not TIME.fullmatch(data):
        raise serializers.ValidationError("Send a time with its offset, for example 2026-11-20T10:00:00+08:00.")
    try:
        moment = datetime.fromisoformat(data).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise serializers.ValidationError("There is no such time.") from error
    if moment.year < 1970:
        raise serializers.ValidationError("This lies before 1970.")
    return moment


class LanguageField(TextField):
    """A language such as fil or fa-IR; what comes after the language is dropped."""

    def to_internal_value(self, data: Any) -> str:
        """Two or three small letters."""
        found = LANGUAGE.fullmatch(super().to_internal_value(data))
        if not found:
            raise serializers.ValidationError("Send a language code, for example fil.")
        return found[1].lower()


@extend_schema_field(OpenApiTypes.OBJECT)
class DataField(serializers.Field):
    """Any small JSON object."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object; refuses what the database could not keep."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("Send an object.")
        try:
            size = len(json.dumps(data, allow_nan=False))
        except ValueError as error:
            raise serializers.ValidationError("A number in it is too large.") from error
        if size > MOST_DATA_BYTES:
            raise serializers.ValidationError("Send at most 16 KB.")
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """As it is."""
        return value


def checked(serializer: serializers.BaseSerializer) -> dict[str, Any]:
    """The serializer's values; raises a 400 with what is wrong in each field."""
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def bad_field(name: str, text: str) -> Problem:
    """A 400 about one field."""
    return Problem(400, "invalid", "Some fields need another look; nothing was changed.", errors={name: [text]})
