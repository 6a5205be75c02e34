"""PATCH customers/{id}/: what a shop writes down about a person."""

import json

import pytest

from customers import tagging
from customers.models import Customer, CustomerTag
from stores.models import ApiKey


@pytest.fixture
def bea(make_customer):
    return make_customer("Bea Cruz", "bea@example.com")


@pytest.fixture
def patch(bea):
    def send(client, body, public_id=""):
        return client.patch(
            f"/api/v1/customers/{public_id or bea.public_id}/", json.dumps(body), content_type="application/json"
        )

    return send


GOOD = {"birthday": "11-05", "time_zone": "Asia/Manila", "address": "1 Main St", "tags": ["VIP", "vip", "Partner"]}


def kept(bea):
    bea.refresh_from_db()
    return bea.birth_month, bea.birth_day, bea.time_zone, bea.postal_address, tagging.tags_of(bea)


def test_it_writes_down_and_answers_in_full(api, patch, bea):
    answer = patch(api, GOOD)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["birthday"], body["tags"]) == ("11-05", ["partner", "vip"])
    assert body["public_id"] == bea.public_id
    assert body["share_url"]
    assert kept(bea) == (11, 5, "Asia/Manila", "1 Main St", ["partner", "vip"])
    assert api.get(f"/api/v1/customers/{bea.public_id}/").json() == body


def test_what_is_left_out_stays(api, patch, bea):
    patch(api, GOOD)
    assert patch(api, {}).status_code == 200
    patch(api, {"birthday": "1990-02-28"})
    assert kept(bea) == (2, 28, "Asia/Manila", "1 Main St", ["partner", "vip"])


def test_empty_takes_away(api, patch, bea):
    patch(api, GOOD)
    body = patch(api, {"birthday": "", "time_zone": "", "address": "", "tags": []}).json()
    assert body["birthday"] is None
    assert kept(bea) == (None, None, "", "", [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"birthday": "02-30"}, "birthday"),
        ({"birthday": "2023-02-29"}, "birthday"),
        ({"birthday": "5 November"}, "birthday"),
        ({"birthday": "۱۱-۰۵"}, "birthday"),
        ({"birthday": None}, "birthday"),
        ({"birthday": 1105}, "birthday"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": 8}, "time_zone"),
        ({"address": "x" * 301}, "address"),
        ({"tags": "vip"}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"tags": [f"t{n}" for n in range(51)]}, "tags"),
        ({"email": "new@example.com"}, "email"),
        ({"name": "New"}, "name"),
    ],
)
def test_a_refusal_names_the_field_and_changes_nothing(api, patch, bea, body, field):
    patch(api, GOOD)
    answer = patch(api, {"address": "2 Other St", "tags": ["other"], **body})
    assert answer.status_code == 400
    assert [name for name in answer.json()["errors"] if name.split(".")[0] == field]
    assert kept(bea) == (11, 5, "Asia/Manila", "1 Main St", ["partner", "vip"])


def test_only_with_a_key_that_may_and_of_this_store(api, foreign_api, client, patch, bea, now):
    assert patch(client, GOOD).status_code == 401
    assert patch(foreign_api, GOOD).status_code == 404
    assert patch(api, GOOD, public_id="nobody").status_code == 404
    ApiKey.objects.all().update(scopes=["orders"])
    assert patch(api, GOOD).status_code == 403
    ApiKey.objects.all().update(scopes=["customers"])
    Customer.objects.filter(pk=bea.pk).update(erased_at=now)
    assert patch(api, GOOD).status_code == 404
    assert not CustomerTag.objects.exists()


def test_the_schema_knows_it(client, db):
    schema = client.get("/api/v1/schema/", headers={"accept": "application/json"}).json()
    operation = schema["paths"]["/api/v1/customers/{public_id}/"]["patch"]
    assert "ParticularsIn" in json.dumps(operation["requestBody"])
