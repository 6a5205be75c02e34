"""Customers found by what was typed, among a million in some milliseconds (docs/decisions/0015-customer-search.md).

An order's number, a code, an id, a whole e-mail or phone find exactly. Anything else is the beginning of a term: of
any word of the name, of an e-mail, of a phone, or the last digits of one. starts_with() is leakproof and reads the
index; LIKE is not, and row-level security would keep it out of it (RELIABILITY rule 38).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value

from customers.models import Customer, Order, SearchTerm
from customers.rules import BadEmail, BadPhone, folded_name, normal_email, normal_phone
from stores.codes import normalise
from stores.l10n import fold_digits
from stores.models import Store

MOST = 200  # found by a beginning; whoever sees that many writes more
MOST_OF_CHOSEN = 2_000  # the same, of whom those are shown who have a tag or the like
CANDIDATES = 1_000  # of the rarest word, when several words are looked for
LONGEST_TYPED = 200
SHORTEST_CODE = 5
FEWEST_DIGITS, FEWEST_LAST_DIGITS = 3, 4
FEW = 50  # matches of an exact search by one of its ways
CUTS = re.compile(r'[-.,;:/()"_\s]+')  # as goodword_search_terms() cuts names
NUMBER = re.compile(r"[+\d\s().\-/]+")


@dataclass(frozen=True)
class Found:
    """Ids of customers as they are known today; `is_cut` when there are more than are shown."""

    ids: list[int]
    is_cut: bool = False


def search(store: Store, typed: str, *, most: int = 0) -> Found:
    """Whom the text means exactly; else whose terms begin with it. A handful of statements, each bounded."""
    text, most = _plain(typed), most or MOST
    ids = _exactly(store, text) or _by_beginnings(store, text, most)
    if len(ids) >= most > MOST:
        return Found([], is_cut=True)  # `among` finds them
    return Found(_as_known_today(store, ids), len(ids) >= most)


def among(people: QuerySet[Customer], store: Store, typed: str) -> QuerySet[Customer]:
    """Those of `people` whom a beginning means that very many share: some are soon met among the newest."""
    text = _plain(typed)
    begins = reduce(or_, (Q(_begins(one)) for one in [*_digits(store, text), *_phrases(text)]))
    return people.filter(Exists(SearchTerm.objects.for_store(store).filter(begins, customer=OuterRef("pk"))))


def _plain(typed: str) -> str:
    return typed.replace("\x00", "").strip()[:LONGEST_TYPED]


# -- Exactly --


def _exactly(store: Store, text: str) -> list[int]:
    """Ids of those whom the text names without doubt, each way tried by its own index, in one statement."""
    people, orders = Customer.objects.for_store(store), Order.objects.for_store(store).exclude(customer=None)
    number = text.lstrip("#")
    ways: list[Any] = [
        people.filter(public_id=text).values_list("pk", flat=True),
        people.filter(external_id=text).exclude(external_id="").values_list("pk", flat=True),
        orders.filter(public_id=text).values_list("customer_id", flat=True),
        orders.filter(external_id__in=[number, f"#{number}", text]).values_list("customer_id", flat=True),
    ]
    email, phone, code = _email(text), _phone(store, text), normalise(text)
    if email:
        ways.append(people.filter(email_norm=email).values_list("pk", flat=True))
    if phone:
        ways.append(people.filter(phone_norm=phone).values_list("pk", flat=True))
    if len(code) >= SHORTEST_CODE:  # codes stand in tables of higher floors; they are reached by their rows' names
        ways.append(people.filter(share_links__code_norm=code).values_list("pk", flat=True))
        ways.append(people.filter(vouchers__code=code).values_list("pk", flat=True))
    first, *others = (way.order_by()[:FEW] for way in ways)
    return sorted(set(first.union(*others, all=True)))


def _as_known_today(store: Store, found: list[int]) -> list[int]:
    """Their ids; of a row that was merged away, that of whom it leads to."""
    rows = Customer.objects.for_store(store).filter(pk__in=found).values_list("pk", "merged_into_id")
    return sorted({survivor or pk for pk, survivor in rows})


def _email(text: str) -> str:
    try:
        return normal_email(text)
    except BadEmail:
        return ""


def _phone(store: Store, text: str) -> str:
    try:
        return normal_phone(text, store.country)
    except BadPhone:
        return ""


# -- By the beginning --


def _by_beginnings(store: Store, text: str, most: int) -> list[int]:
    """Ids, those with the very word first, then the newest: by a phone's digits, the words as typed, each word."""
    beginnings = [*_digits(store, text), *_phrases(text)]
    if not beginnings:
        return []
    found = _in_ranges(store, beginnings, most)
    words = _words(text)
    if len(words) > 1 and len(found) < most:
        found = list(dict.fromkeys([*found, *_with_every(store, words)]))
    return found[:most]


def _phrases(text: str) -> list[str]:
    """What a term may begin with: the words in a row, and the text as an e-mail begins."""
    phrase = " ".join(_words(text))
    folded = folded_name(text)
    return [one for one in dict.fromkeys([phrase, folded if "@" in folded else phrase]) if one.strip("@")]


def _words(text: str) -> list[str]:
    return [word for word in CUTS.split(folded_name(text)) if any(sign.isalnum() for sign in word)]


def _digits(store: Store, text: str) -> list[str]:
    """How the phone terms begin of which these may be the first or the last digits."""
    plain = fold_digits(text)
    digits = re.sub(r"\D", "", plain)
    if len(digits) < FEWEST_DIGITS or not NUMBER.fullmatch(plain):
        return []
    found = [f"+{digits.removeprefix('00')}"]
    if "+" not in plain and not digits.startswith("00") and store.country:
        found.append(f"+{phonenumbers.country_code_for_region(store.country)}{digits.lstrip('0')}")
    if len(digits) >= FEWEST_LAST_DIGITS:
        found.append(f"<{digits[::-1]}")
    return found


_RANGE = """
    (SELECT customer_id FROM customers_searchterm WHERE store_id = %s AND starts_with(term, %s)
     ORDER BY term, customer_id DESC LIMIT %s)
"""
_COUNT = """
    (SELECT %s::int, count(*) FROM (
        SELECT FROM customers_searchterm WHERE store_id = %s AND starts_with(term, %s) LIMIT %s
    ) AS first_ones)
"""
_ALSO = """
    EXISTS (SELECT FROM customers_searchterm AS other WHERE other.store_id = %s
            AND other.customer_id = rare.customer_id AND starts_with(other.term, %s))
"""


def _in_ranges(store: Store, beginnings: list[str], most: int) -> list[int]:
    parameters: list[Any] = [value for one in beginnings for value in (store.pk, one, most)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([_RANGE] * len(beginnings)), parameters)
        return list(dict.fromkeys(pk for (pk,) in cursor.fetchall()))


def _with_every(store: Store, words: list[str]) -> list[int]:
    """Ids of customers who have a term for each word, in any order: the rarest word is gone through, the others asked.

    Where even the rarest has more than CANDIDATES, only those are gone through.
    """
    words = words[:6]
    with connection.cursor() as cursor:
        counted = [value for place, one in enumerate(words) for value in (place, store.pk, one, CANDIDATES)]
        cursor.execute(" UNION ALL ".join([_COUNT] * len(words)), counted)
        ranked = [words[place] for place, _count in sorted(cursor.fetchall(), key=lambda row: (row[1], row[0]))]
        rarest, *others = ranked
        cursor.execute(
            f"SELECT rare.customer_id FROM ({_RANGE}) AS rare WHERE {' AND '.join([_ALSO] * len(others))} LIMIT %s",  # noqa: S608
            [store.pk, rarest, CANDIDATES, *(value for one in others for value in (store.pk, one)), MOST],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _begins(beginning: str) -> Func:
    return Func(F("term"), Value(beginning), function="starts_with", output_field=BooleanField())
