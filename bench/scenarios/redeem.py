"""The redemption service, a code a call, 32 clients, against pgbench writing the same rows one by one."""

from __future__ import annotations

import os

from django.utils import timezone

from bench import clients, vouchers
from bench.measuring import Figure, compare
from bench.tools import pgbench
from bench.world import World
from referrals.services import redeeming
from rewards.models import Account
from rewards.services import ledger
from rewards.services.vouchers import Bill
from stores.tenancy import acting_for

CLIENTS, SECONDS = 32, 4
A_ROUND = 16_000  # vouchers, more than any machine of ours redeems in that time
# The plainest way to write what the service writes: look, then a statement a row.
PLAIN = """
\\set n :n + 1
\\set voucher {first} + :client_id * {share} + :n
BEGIN;
SELECT set_config('app.store', '{store}', true);
SELECT status, used FROM rewards_voucher WHERE store_id = {store} AND id = :voucher FOR UPDATE;
UPDATE rewards_voucher SET status = 'redeemed', used = 1 WHERE store_id = {store} AND id = :voucher;
INSERT INTO customers_order (store_id, public_id, source, external_id, currency, total_minor, refunded_minor, placed_at,
    code, visit, named, card_hash, recorded_at, updated_at)
  VALUES ({store}, 'o' || :voucher::text, 'checkout', 'o' || :voucher::text, '{currency}', {paid}, 0, now(),
    'C' || :voucher::text, '', '', '', now(), now())
  RETURNING id AS order \\gset
INSERT INTO rewards_ledgertransaction (store_id, key, kind, at, recorded_at)
  VALUES ({store}, 'redeem-plain-' || :voucher::text, 'redeem', now(), now()) RETURNING id AS posted \\gset
INSERT INTO rewards_entry (store_id, transaction_id, account_id, amount_minor, currency)
  VALUES ({store}, :posted, {cost}, -{discount}, '{currency}');
INSERT INTO rewards_entry (store_id, transaction_id, account_id, amount_minor, currency)
  VALUES ({store}, :posted, {used}, {discount}, '{currency}');
INSERT INTO rewards_redemption (store_id, public_id, voucher_id, single_use, order_id, amount_minor, discount_minor,
    currency, transaction_id, at)
  VALUES ({store}, 'r' || :voucher::text, :voucher, true, :order, {bill}, {discount}, '{currency}', :posted, now());
COMMIT;
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """The service's rate against pgbench's."""
    ours, theirs = Spending(world, rounds), _Plain(world, rounds)
    return [
        compare(
            "redeem",
            ours.round,
            theirs.round,
            unit="redemptions/s",
            limit_name="plain SQL, pgbench",
            reach=1.0,
            rounds=rounds,
        )
    ]


class Spending:
    """Rounds of the service; each spends vouchers that no other has."""

    def __init__(self, world: World, rounds: int, *, is_program: bool = False) -> None:
        self.store = world.store
        self.codes = vouchers.make(self.store, A_ROUND * (rounds + 1), at=world.now, is_program=is_program).codes

    def round(self) -> float:
        """Redemptions a second."""
        mine, self.codes = self.codes[:A_ROUND], self.codes[A_ROUND:]
        return clients.rate(self._redeem, mine, clients=CLIENTS, seconds=SECONDS)

    def _redeem(self, code: str) -> None:
        bill = Bill(vouchers.BILL_MINOR, self.store.currency)
        with acting_for(self.store):
            done = redeeming.redeem(self.store, code, bill, at=timezone.now())
        assert done.redemption.discount_minor == vouchers.BILL_MINOR * vouchers.PERCENT // 100


class _Plain:
    """Rounds of pgbench."""

    def __init__(self, world: World, rounds: int) -> None:
        self.store = world.store
        self.first = vouchers.make(self.store, A_ROUND * (rounds + 1), at=world.now).first
        with acting_for(self.store):
            kinds, currency = Account.Kind, self.store.currency
            self.cost = ledger.account(self.store, kinds.COST, currency).pk
            self.used = ledger.account(self.store, kinds.REDEEMED, currency).pk

    def round(self) -> float:
        """Transactions a second."""
        discount = vouchers.BILL_MINOR * vouchers.PERCENT // 100
        script = PLAIN.format(
            first=self.first,
            share=A_ROUND // CLIENTS,
            store=self.store.pk,
            currency=self.store.currency,
            bill=vouchers.BILL_MINOR,
            paid=vouchers.BILL_MINOR - discount,
            discount=discount,
            cost=self.cost,
            used=self.used,
        )
        self.first += A_ROUND
        return pgbench(os.environ["DATABASE_URL"], script, clients=CLIENTS, seconds=SECONDS, variables={"n": -1})
