"""The API against what its schema allows and what it does not (schemathesis): no 500, each 4xx explained."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from checkout import guesses
from referrals.services import attribution
from rewards.models import Redemption
from tests.conftest import NOW
from tests.walls.fuzzing import complaint, examples

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
SCHEMA.app = get_wsgi_application()
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
MODES = list(schemathesis.GenerationMode)
pytestmark = pytest.mark.usefixtures("connection_stays_open")


@pytest.fixture
def known(store, make_order, share_link, monkeypatch, settings) -> list[str]:
    """Ids that are there; nobody is counted, so that what lies behind the counters is reached."""
    settings.API_CALLS_PER_MINUTE = 10**9
    monkeypatch.setattr(guesses, "PER_KEY", 10**9)
    monkeypatch.setattr(guesses, "PER_STORE", 10**9)
    order = make_order("bea@example.com", code=share_link.code, days_ago=-0.01, recorded=NOW)
    referral = attribution.attribute_order(order, at=NOW)
    used = Redemption.objects.for_store(store).first()
    return [one.public_id for one in (order, order.customer, share_link.customer, referral, used) if one]


def test_every_operation_is_played():
    assert len(OPERATIONS) == 14


@pytest.mark.parametrize("label", OPERATIONS)
@given(data=st.data())
@examples(25)
def test_no_call_fails_and_each_refusal_is_explained(label, data, api, known):
    operation = OPERATIONS[label]
    named = {"public_id": data.draw(st.sampled_from(known))} if "{" in label and data.draw(st.booleans()) else None
    case = data.draw(operation.as_strategy(data.draw(st.sampled_from(MODES)), path_parameters=named))
    headers = {"Authorization": f"Bearer {api.key}"}
    answer = case.call(headers=headers)
    # A wrong value of a query may vanish on its way into the address: test_api_doors asks for strictness there.
    # A list is answered row by row.
    unfit = [] if isinstance(case.body, NotSet | list) else [negative_data_rejection]
    case.validate_response(answer, checks=[*CHECKS, *unfit], headers=headers)
    assert not complaint(_as_django(answer))


def _as_django(answer):
    """The few things that `complaint` reads."""
    answer.headers = {name.title(): values[0] for name, values in answer.headers.items()}
    return answer
