"""Vouchers in numbers for the scenarios that spend them, made by COPY."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from bench.rows import copy, reserve
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Account, Budget, Commitment, Offer, Voucher
from rewards.services import ledger
from stores import codes
from stores.models import Store
from stores.tenancy import acting_for

BILL_MINOR, PERCENT, MOST_MINOR = 500_00, 10, 100_00


@dataclass(frozen=True)
class Vouchers:
    """What was made: `codes[n]` has the id `first + n`."""

    first: int
    codes: list[str]


def make(store: Store, number: int, *, at: datetime, is_program: bool = False) -> Vouchers:
    """So many vouchers of 10 %, at most 100.00, good for one use by whoever has the code.

    `is_program`: each was promised by one program, which has a budget and places for just so many.
    """
    with acting_for(store):
        terms = OfferTerms(Offer.Kind.PERCENT_OFF, percent=PERCENT, most_minor=MOST_MINOR)
        making = _Making(store, make_offer(store, terms), number, at)
        copy(Voucher, making.vouchers())
        if is_program:
            making.promises()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE rewards_voucher, rewards_commitment")  # as autovacuum would a minute later
    return Vouchers(making.first, making.codes)


class _Making:
    def __init__(self, store: Store, offer: Offer, number: int, at: datetime) -> None:
        self.store, self.offer, self.at = store, offer, at
        self.run = secrets.token_hex(6)
        self.first = reserve(Voucher, number)
        self.codes = codes.voucher_codes(number)

    def vouchers(self) -> Iterator[dict[str, Any]]:
        for number, code in enumerate(self.codes):
            yield {
                "id": self.first + number,
                "store_id": self.store.pk,
                "code": code,
                "key": self._key(number),
                "offer_id": self.offer.pk,
                "currency": self.store.currency,
                "issued_at": self.at,
                "expires_at": self.at + timedelta(days=90),
            }

    def promises(self) -> None:
        """The budget is just large enough, and everything in it is promised."""
        total = MOST_MINOR * len(self.codes)
        budget = Budget.objects.create(
            store=self.store,
            currency=self.store.currency,
            ceiling_minor=total,
            places=len(self.codes),
            committed_minor=total,
            places_taken=len(self.codes),
        )
        copy(Commitment, self._commitments(budget))
        kinds, currency = Account.Kind, self.store.currency
        promised = ledger.account(self.store, kinds.PROMISED, currency, budget=budget)
        contingent = ledger.account(self.store, kinds.CONTINGENT, currency, budget=budget)
        amounts = {promised: total, contingent: -total}
        ledger.post(self.store, key=f"promise:{self.run}", kind=ledger.Fact.PROMISE, amounts=amounts, at=self.at)

    def _commitments(self, budget: Budget) -> Iterator[dict[str, Any]]:
        for number in range(len(self.codes)):
            yield {
                "store_id": self.store.pk,
                "budget_id": budget.pk,
                "key": f"voucher:{self._key(number)}",
                "currency": self.store.currency,
                "promised_minor": MOST_MINOR,
                "amount_minor": MOST_MINOR,
                "places": 1,
                "at": self.at,
            }

    def _key(self, number: int) -> str:
        return f"bench:{self.run}:{number}"
