"""What the pages of rewards read: the list with its filters, one reward with all that became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from rewards.models import Commitment, Entry, LedgerTransaction, Offer, Payout, Redemption, Reward
from rewards.services.ledger import Fact
from stores.l10n import fold_text
from stores.lists import Page, keyset_page
from stores.models import AuditEvent, Store


@dataclass(frozen=True)
class Filters:
    """What somebody wants to see of the rewards; '' is all."""

    status: str = ""
    kind: str = ""
    person: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered."""
        return not (self.status or self.kind or self.person)


def read_filters(sent: dict[str, str]) -> Filters:
    """Filters as they stand in an address; what means nothing is left out."""
    status, kind = sent.get("status", ""), sent.get("kind", "")
    return Filters(
        status if status in Reward.Status.values else "",
        kind if kind in Offer.Kind.values else "",
        sent.get("q", "").strip()[:200].replace("\x00", ""),
    )


def rewards(store: Store, filters: Filters) -> QuerySet[Reward]:
    """The store's rewards that match. A person is found by the beginning of their name, or e-mail, phone or number."""
    rows = Reward.objects.for_store(store).select_related("customer", "offer__product", "voucher")
    if filters.status:
        rows = rows.filter(status=filters.status)
    if filters.kind:
        rows = rows.filter(offer__kind=filters.kind)
    if filters.person:
        typed = fold_text(filters.person)
        exact = Q(customer__email_norm=typed) | Q(customer__external_id=filters.person) | Q(customer__phone_norm=typed)
        rows = rows.filter(Q(customer__name_norm__startswith=typed) | exact)
    return rows


def page(store: Store, filters: Filters, cursor: str) -> Page:
    """The newest first."""
    return keyset_page(rewards(store, filters), "granted_at", cursor)


@dataclass(frozen=True)
class Step:
    """One transaction about a reward, with its entries."""

    posted: LedgerTransaction
    label: str
    entries: list[Entry]


def steps_of(store: Store, reward: Reward) -> list[Step]:
    """Everything the books say about one reward, oldest first; four queries."""
    keys = [f"reward:{reward.pk}", f"reward:{reward.pk}:chosen", f"voucher:reward:{reward.pk}"]
    promises = Commitment.objects.for_store(store).filter(key__in=keys).values_list("pk", flat=True)
    facts = [f"{fact}:{reward.pk}" for fact in ("grant", "clawback")]
    facts += [f"{fact}:{pk}" for pk in promises for fact in ("promise", "release", "keep")]
    about = Q(key__in=facts) | Q(key__startswith=f"reduce:{reward.pk}:")
    voucher, fulfilment = getattr(reward, "voucher", None), getattr(reward, "fulfilment", None)
    if fulfilment:
        done = f"deliver:{fulfilment.pk}:"
        about |= Q(key__startswith=done) | Q(key__startswith=f"undo:{done}")
    if voucher:
        used = Redemption.objects.for_store(store).filter(voucher=voucher).exclude(transaction=None)
        about |= Q(pk__in=used.values("transaction")) | Q(reverses__in=used.values("transaction"))
        about |= Q(key=f"expire:{voucher.pk}")
    posted = list(LedgerTransaction.objects.for_store(store).filter(about).order_by("at", "pk"))
    return [Step(one, fact_label(one.kind), entries) for one, entries in _with_entries(store, posted)]


def _with_entries(store: Store, posted: list[LedgerTransaction]) -> Iterable[tuple[LedgerTransaction, list[Entry]]]:
    entries = Entry.objects.for_store(store).filter(transaction__in=posted).select_related("account").order_by("pk")
    by_transaction: dict[int, list[Entry]] = {one.pk: [] for one in posted}
    for entry in entries:
        by_transaction[entry.transaction_id].append(entry)
    return [(one, by_transaction[one.pk]) for one in posted]


def fact_label(kind: str) -> str:
    """What a transaction is about, in words."""
    return str(Fact(kind).label) if kind in Fact.values else kind


def payouts_of(store: Store, reward: Reward) -> list[Payout]:
    """Payments to the holder of a reward in cash, the newest first: cash is one account, whatever earned it."""
    if reward.offer.kind not in (Offer.Kind.CASH, Offer.Kind.COMMISSION):
        return []
    paid = Payout.objects.for_store(store).filter(customer=reward.customer_id, currency=reward.offer.currency)
    return list(paid.select_related("batch").order_by("-pk")[:20])


def words_of(store: Store, reward: Reward) -> str:
    """What a person wrote when they took it back."""
    event = AuditEvent.objects.for_store(store).filter(action="reward.taken_back", subject=reward.public_id).first()
    return str(event.after.get("words", "")) if event else ""
