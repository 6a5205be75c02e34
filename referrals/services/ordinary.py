"""The ordinary redemption in one call to the database: the rows that `redeeming.redeem` writes one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from rewards.models import Redemption
from rewards.services.vouchers import Bill
from stores import codes
from stores.models import Store, User


def redeem(
    store: Store,
    typed_code: str,
    bill: Bill,
    *,
    at: datetime,
    source: str,
    public_id: str,
    location: str = "",
    shown_minor: int | None = None,
    by: User | None = None,
) -> Redemption | None:
    """Use an ordinary voucher on a bill of its own, or do nothing: None says that the long way must decide.

    Ordinary is a code of ours for one use of a percentage or amount off, that is good for this bill, was not
    brought by a share link, and whose promise covers it. For it this is the plain transaction

        SELECT ... FROM rewards_voucher WHERE code = ... FOR UPDATE         -- with rules.refusal and rules.discount
        SELECT ... FROM rewards_commitment WHERE key = ... FOR UPDATE       -- what was promised with it, if anything
        UPDATE rewards_voucher SET status = 'redeemed', used = 1            -- vouchers._use
        UPDATE rewards_commitment SET status = 'spent', amount_minor = ...  -- budgets.settle
        INSERT INTO customers_order ...                                     -- redeeming._record_order
        INSERT INTO rewards_ledgertransaction, rewards_entry ...            -- ledger.post: 2 entries, 4 with a promise
        INSERT INTO rewards_redemption ...

    which stands in referrals/migrations/0017_redeem_at_once.py; tests/referrals/test_ordinary.py holds that both
    ways say and write the same. What the promise did not need is left to `budgets.gather`, so that those who redeem
    do not wait for each other at the budget's row.
    """
    code = codes.normalise(typed_code)
    if not codes.has_good_check(code) or bill.is_reduced:
        return None
    wish: list[Any] = [store.pk, code, bill.amount_minor, bill.currency, at, public_id, codes.public_id(), source]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM goodword_redeem(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [*wish, location, shown_minor, by.pk if by else None],
        )
        row = cursor.fetchone()
    return _redemption(row, store, bill, at, public_id, by) if row else None


def _redemption(
    row: tuple[int, int, int, int, int | None, int | None, int],
    store: Store,
    bill: Bill,
    at: datetime,
    public_id: str,
    by: User | None,
) -> Redemption:
    """The row as it was written."""
    pk, voucher, order, posted, _customer, place, discount = row
    used = Redemption(
        pk=pk,
        store=store,
        public_id=public_id,
        voucher_id=voucher,
        order_id=order,
        amount_minor=bill.amount_minor,
        discount_minor=discount,
        currency=bill.currency,
        transaction_id=posted,
        at=at,
        by=by,
        location_id=place,
    )
    used._state.adding, used._state.db = False, connection.alias
    return used
