"""What a shop may write down about a customer besides their orders."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from checkout.api.fields import StrictSerializer, TextField
from customers import birthdays, particulars, tagging

BIRTHDAY = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)", re.ASCII)
MOST_TAGS = 50


@extend_schema_field(OpenApiTypes.STR)
class BirthdayField(serializers.Field):
    """MM-DD, or a date whose year is not kept; '' for none."""

    def to_internal_value(self, data: Any) -> birthdays.Birthday | None:
        """Month and day; None for ''."""
        found = BIRTHDAY.fullmatch(data) if isinstance(data, str) else None
        if data == "":
            return None
        if found is None:
            raise serializers.ValidationError("Send MM-DD, or YYYY-MM-DD; the year is not kept.")
        year, month, day = found.groups()
        try:
            if year:
                date(int(year), int(month), int(day))
            return birthdays.checked(int(month), int(day))
        except ValueError as error:
            raise serializers.ValidationError("There is no such day.") from error

    def to_representation(self, value: birthdays.Birthday) -> str:
        """MM-DD."""
        return f"{value[0]:02}-{value[1]:02}"


class TagField(TextField):
    """A tag, folded."""

    def to_internal_value(self, data: Any) -> str:
        """The tag as it is kept."""
        try:
            return tagging.folded_tag(super().to_internal_value(data))
        except tagging.BadTag as error:
            raise serializers.ValidationError(
                f"Send a word of 1 to {tagging.LONGEST} characters without a comma."
            ) from error


class ParticularsIn(StrictSerializer):
    """What is left out stays as it is; an empty text takes the value away, `tags` takes the place of all tags."""

    birthday = BirthdayField(required=False)
    time_zone = TextField(required=False, allow_blank=True, max_length=64, help_text="Of the IANA database.")
    address = TextField(required=False, allow_blank=True, max_length=particulars.LONGEST_ADDRESS)
    tags = serializers.ListField(child=TagField(), required=False, max_length=MOST_TAGS)
