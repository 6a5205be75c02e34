"""What owners see about the counter: who used codes in a way that is worth a question. A bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Customer, Order
from referrals import changes
from referrals.fraud import counter_rules
from referrals.fraud.counter_rules import Share
from rewards.models import Redemption
from stores.models import AuditEvent, Location, Store, User

LOOK_BACK = timedelta(days=90)
MOST = 50  # rows of one kind
COUNTER = "checkout"  # the source of orders that the counter records itself


@dataclass(frozen=True)
class Oddity:
    """Something worth a question: who, what, and the numbers it comes from."""

    title: str
    who: str
    words: str
    last: datetime | None = None
    customer: Customer | None = None


@dataclass(frozen=True)
class _Work:
    """One member of staff's redemptions: all, those undone within the hour, those without a sale of the till."""

    who: str
    done: int
    undone_soon: int
    without_sale: int


def oddities(store: Store, at: datetime) -> list[Oddity]:
    """Everything odd of the last 90 days, by kind."""
    since = at - LOOK_BACK
    rows = Redemption.objects.for_store(store).filter(at__gte=since, at__lte=at)
    work = _work(rows.exclude(by=None))
    return [
        *_own_codes(store, since, at),
        *_same_customers(store, rows.exclude(voucher__customer=None), work),
        *_rates(work),
        *_locations(store, since, at),
    ]


def _own_codes(store: Store, since: datetime, at: datetime) -> Iterator[Oddity]:
    rows = AuditEvent.objects.for_store(store).filter(action="checkout.own_code", at__gte=since, at__lte=at)
    counted = rows.order_by().values("user__name", "user__email").annotate(n=Count("pk"), last=Max("at"))
    for row in counted.order_by("-n")[:MOST]:
        words = ngettext(
            "Redeemed %(count)s code that was their own.", "Redeemed %(count)s codes that were their own.", row["n"]
        )
        who = row["user__name"] or row["user__email"] or ""
        yield Oddity(_("Own code"), who, words % {"count": changes.number(row["n"])}, row["last"])


def _work(rows: QuerySet[Redemption]) -> dict[int, _Work]:
    lasted = ExpressionWrapper(F("reversed_at") - F("at"), output_field=DurationField())
    counted = (
        rows.annotate(lasted=lasted)
        .order_by()
        .values_list("by_id")
        .annotate(
            done=Count("pk"),
            undone=Count("pk", filter=Q(lasted__lte=counter_rules.SOON)),
            alone=Count("pk", filter=Q(order=None) | Q(order__source=COUNTER)),
        )
    )
    found = list(counted)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=[row[0] for row in found])}
    return {by: _Work(names[by], done, undone, alone) for by, done, undone, alone in found}


def _same_customers(store: Store, rows: QuerySet[Redemption], work: dict[int, _Work]) -> Iterator[Oddity]:
    pairs = rows.exclude(by=None).order_by().values_list("by_id", "voucher__customer_id").annotate(n=Count("pk"))
    many = list(pairs.filter(n__gte=counter_rules.MANY_FOR_ONE).order_by("-n", "by_id")[:MOST])
    if not many:
        return
    customers = {customer for _by, customer, _n in many}
    mine = rows.filter(voucher__customer__in=customers).order_by().values_list("voucher__customer_id")
    total = dict(mine.annotate(n=Count("pk")))
    known = Customer.objects.for_store(store).in_bulk(customers)
    for by, customer, n in many:
        if counter_rules.is_close(n, total[customer], staff=len(work)):
            words = _("Redeemed %(count)s of the %(all)s codes of one customer.") % _numbers(n, total[customer])
            yield Oddity(_("Often for the same customer"), work[by].who, words, customer=known[customer])


def _rates(work: dict[int, _Work]) -> Iterator[Oddity]:
    """Who undoes, or redeems without a sale at the till, far more often than the others."""
    undone = _("%(count)s of %(all)s redemptions were undone within the hour: far more than others do.")
    alone = _("%(count)s of %(all)s redemptions have no sale that the till reported: far more than others have.")
    shares = {by: Share(one.undone_soon, one.done) for by, one in work.items()}
    yield from _odd(_("Undone soon after"), undone, shares, work)
    shares = {by: Share(one.without_sale, one.done) for by, one in work.items()}
    yield from _odd(_("Without a sale of the till"), alone, shares, work)


def _odd(title: str, words: str, shares: dict[int, Share], work: dict[int, _Work]) -> Iterator[Oddity]:
    whole = Share(sum(share.cases for share in shares.values()), sum(share.of for share in shares.values()))
    for by, share in sorted(shares.items()):
        if counter_rules.is_odd(share, whole - share):
            yield Oddity(title, work[by].who, words % _numbers(share.cases, share.of))


def _numbers(count: int, of: int) -> dict[str, str]:
    return {"count": changes.number(count), "all": changes.number(of)}


def _locations(store: Store, since: datetime, at: datetime) -> Iterator[Oddity]:
    """Where codes are redeemed on far more of the sales than elsewhere."""
    period = {"at__gte": since, "at__lte": at}
    used = Redemption.objects.for_store(store).filter(**period).exclude(location=None)
    redeemed = dict(used.order_by().values_list("location_id").annotate(n=Count("pk")))
    if not redeemed:
        return
    sold = Order.objects.for_store(store).filter(placed_at__gte=since, placed_at__lte=at).exclude(location=None)
    orders = dict(sold.order_by().values_list("location_id").annotate(n=Count("pk")))
    whole = Share(sum(redeemed.values()), sum(orders.values()))
    names = dict(Location.objects.for_store(store).values_list("pk", "name"))
    for place, n in sorted(redeemed.items()):
        share = Share(n, orders.get(place, 0))
        if counter_rules.is_odd(share, whole - share):
            words = _("Codes were redeemed on %(count)s of %(all)s sales: far more often than elsewhere.")
            yield Oddity(_("A place with many codes"), names[place], words % _numbers(n, share.of))
