"""Codes in numbers: made for a campaign, or brought in from the shop's own system to be given out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, QuerySet

from customers.models import Customer
from rewards.models import Offer, Pool, Reward, Voucher
from stores import codes, jobs
from stores.models import Job, Location, Store, User
from stores.services import note

KIND = "codes"
PIECE = 5_000  # codes in one transaction: half a second
MOST = 1_000_000
LONGEST = 40  # of a code, folded


class NameTaken(Exception):
    """The store has codes under this name."""


class BadCodes(ValueError):
    """Lines that cannot be codes: `lines` has (number, text) of the first few, `more` how many others."""

    def __init__(self, lines: Sequence[tuple[int, str]], more: int) -> None:
        super().__init__(f"{len(lines) + more} lines are no codes")
        self.lines, self.more = list(lines), more


@dataclass(frozen=True)
class Conditions:
    """What every code of a pool has in common; `uses` 0 is as often as one likes."""

    uses: int = 1
    location: Location | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


def make(
    store: Store, name: str, offer: Offer, number: int, conditions: Conditions, *, by: User | None, at: datetime
) -> tuple[Pool, Job]:
    """`number` new codes of ours; a job makes them piece by piece. Raises NameTaken."""
    data = {"number": number, **_plain(conditions, offer, at)}
    with transaction.atomic():
        pool = _pool(store, name, offer, by=by, at=at)
        job, _is_new = jobs.begin(
            store, kind=KIND, key=f"codes:{pool.pk}", subject=f"pool:{pool.pk}", data=data, total=number, by=by, at=at
        )
    return pool, job


def bring_in(
    store: Store,
    name: str,
    offer: Offer,
    lines: Iterable[str],
    conditions: Conditions,
    *,
    give_out: bool,
    by: User | None,
    at: datetime,
) -> tuple[Pool, Job]:
    """Codes of the shop's own system, a line each; those the store knows already are left out.

    `give_out`: they wait for rewards worth the same; else they are good at once for whoever has them.
    Raises NameTaken, BadCodes.
    """
    wanted = _read(lines)
    data = {"codes": wanted, "number": len(wanted), "give_out": give_out, **_plain(conditions, offer, at)}
    with transaction.atomic():
        pool = _pool(store, name, offer, by=by, at=at, is_imported=True, is_given_out=give_out)
        job, _is_new = jobs.begin(
            store,
            kind=KIND,
            key=f"codes:{pool.pk}",
            subject=f"pool:{pool.pk}",
            data=data,
            total=len(wanted),
            by=by,
            at=at,
        )
    return pool, job


def _plain(conditions: Conditions, offer: Offer, at: datetime) -> dict[str, object]:
    ends = conditions.expires_at or at + timedelta(days=offer.valid_days)
    return {
        "uses": conditions.uses,
        "location": conditions.location.pk if conditions.location else None,
        "starts_at": conditions.starts_at.isoformat() if conditions.starts_at else None,
        "expires_at": ends.isoformat(),
    }


def _pool(store: Store, name: str, offer: Offer, *, by: User | None, at: datetime, **facts: bool) -> Pool:
    try:
        with transaction.atomic():
            if offer.pk is None:
                offer.save()
            pool: Pool = Pool.objects.create(store=store, name=name, offer=offer, made_at=at, by=by, **facts)
    except IntegrityError as error:
        raise NameTaken(name) from error
    note(store, "codes.made", subject=pool.public_id, after={"name": name}, by=by, at=at)
    return pool


def _read(lines: Iterable[str]) -> list[str]:
    """The codes as written, each once however it is folded. Raises BadCodes."""
    found: dict[str, str] = {}
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        text = line.replace("\x00", "").strip().strip('"').strip()
        folded = codes.normalise(text)
        if not text:
            continue
        if len(folded) < 4 or len(text) > LONGEST or "/" in text:
            bad.append((number, text[:60]))
        found.setdefault(folded, text)
    if bad or len(found) > MOST:
        raise BadCodes(bad[:5], max(len(bad) - 5, 0))
    return list(found.values())


def continue_all(at: datetime) -> int:
    """The sweep: make the codes that were asked for, go on where a worker died; returns how many jobs."""
    return jobs.continue_all(KIND, work, at)


def work(store: Store, job_id: int) -> Job:
    """Make the job's codes until it is done or the turn is over."""
    return jobs.work(store, job_id, lambda job, at: _piece(store, job, at))


def _piece(store: Store, job: Job, at: datetime) -> jobs.Piece:
    pool = Pool.objects.for_store(store).select_related("offer").get(pk=int(job.subject.partition(":")[2]))
    begun, number = job.done + job.failed, job.data["number"]
    size = min(PIECE, number - begun)
    own: list[str] | None = job.data.get("codes")
    wanted = own[begun : begun + size] if own is not None else codes.voucher_codes(size)
    made = _insert(pool, job, wanted, at)
    if own is None and made < size:  # a code that exists: one in 10^9, made anew with the next piece
        return jobs.Piece(done=made)
    return jobs.Piece(done=made, failed=size - made, is_last=begun + size >= number)


def _insert(pool: Pool, job: Job, wanted: Sequence[str], at: datetime) -> int:
    """Write vouchers with these codes, but not those that exist; returns how many.

    Only what differs travels: 100,000 rows of everything would take four times as long.
    """
    like = _like(pool, job, at)
    values = {field.column: getattr(like, field.attname) for field in Voucher._meta.concrete_fields}
    for name in ("id", "code", "shown", "key", "public_id"):
        del values[name]
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(["%s"] * len(values))
    own = pool.is_imported
    drawn = [
        [codes.normalise(code) if own else code for code in wanted],
        [code if own else "" for code in wanted],
        codes.public_ids(len(wanted)),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO rewards_voucher (code, shown, public_id, key, {columns}) "  # noqa: S608  # our own columns
            f"SELECT code, shown, public_id, 'pool:' || %s || ':' || public_id, {places} "
            "FROM unnest(%s::text[], %s::text[], %s::text[]) AS fresh(code, shown, public_id) ON CONFLICT DO NOTHING",
            [pool.pk, *values.values(), *drawn],
        )
        return cursor.rowcount


def _like(pool: Pool, job: Job, at: datetime) -> Voucher:
    """What every voucher of the pool is like."""
    data = job.data
    return Voucher(
        store_id=pool.store_id,
        kind=Voucher.Kind.OFFER.value,
        offer_id=pool.offer_id,
        pool_id=pool.pk,
        currency=pool.offer.currency,
        status=(Voucher.Status.WAITING if data.get("give_out") else Voucher.Status.ISSUED).value,
        uses=data["uses"],
        location_id=data["location"],
        starts_at=_moment(data["starts_at"]),
        expires_at=_moment(data["expires_at"]),
        issued_at=at,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Counts:
    """How many codes of a pool wait, are out, were used, have ended."""

    waiting: int = 0
    issued: int = 0
    redeemed: int = 0
    ended: int = 0


def counts_of(store: Store, pools: Iterable[int]) -> dict[int, Counts]:
    """The counts of these pools (ids), in one statement."""
    status = Voucher.Status
    rows = Voucher.objects.for_store(store).filter(pool__in=list(pools)).order_by().values("pool")
    found = rows.annotate(
        waiting=Count("pk", filter=Q(status=status.WAITING)),
        issued=Count("pk", filter=Q(status=status.ISSUED)),
        redeemed=Count("pk", filter=Q(status=status.REDEEMED)),
        ended=Count("pk", filter=Q(status__in=(status.EXPIRED, status.VOIDED))),
    )
    return {row.pop("pool"): Counts(**row) for row in found}


def worth_the_same(store: Store, offer: Offer) -> QuerySet[Pool]:
    """The pools whose codes may carry a reward of this offer."""
    same = ("kind", "percent", "amount_minor", "most_minor", "currency", "product_id")
    facts = {f"offer__{name}": getattr(offer, name) for name in same}
    return Pool.objects.for_store(store).filter(is_given_out=True, **facts)  # type: ignore[no-any-return]


def take(
    store: Store, offer: Offer, *, key: str, customer: Customer | None, reward: Reward | None, at: datetime
) -> Voucher | None:
    """Give a waiting code to somebody; None when no pool has one. Of many at once each gets another."""
    pools = list(worth_the_same(store, offer).values_list("pk", flat=True))
    if not pools:
        return None
    waiting = Voucher.objects.for_store(store).filter(pool__in=pools, status=Voucher.Status.WAITING)
    fresh = waiting.exclude(expires_at__lte=at).order_by("pk").select_for_update(skip_locked=True)
    voucher: Voucher | None = fresh.first()
    if voucher is None:
        return None
    voucher.status, voucher.key, voucher.customer, voucher.reward = Voucher.Status.ISSUED, key, customer, reward
    voucher.issued_at, voucher.is_personal = at, offer.is_personal and customer is not None
    voucher.save(update_fields=["status", "key", "customer", "reward", "issued_at", "is_personal"])
    return voucher


def close(pool: Pool, *, by: User | None, at: datetime) -> int:
    """Void what is not used of a pool, so that it is good nowhere any more; returns how many."""
    with transaction.atomic():
        open_ones = Voucher.objects.for_store(pool.store).filter(pool=pool, used=0)
        held = (Voucher.Status.WAITING, Voucher.Status.ISSUED)
        closed = open_ones.filter(status__in=held, customer=None).update(status=Voucher.Status.VOIDED)
        note(pool.store, "codes.closed", subject=pool.public_id, after={"closed": closed}, by=by, at=at)
    return closed
