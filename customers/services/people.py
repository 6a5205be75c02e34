"""Who somebody is: customers found by their names or made, and what they agreed to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from customers import rules
from customers.models import Channel, Consent, Customer
from customers.particulars import LONGEST_ADDRESS, clean_address
from stores.models import Store
from stores.rows import as_json, insert_rows, insert_values, typed

TRIES = 5
FOUND_BY = ("external_id", "email_norm", "phone_norm")
CONSENTS = {Channel.EMAIL: "email_consent", Channel.SMS: "sms_consent"}
# What may be filled in later: the column that must be blank for it -> what is written then.
BLANKS = {
    "external_id": ("external_id",),
    "name": ("name", "name_norm"),
    "email_norm": ("email", "email_norm", "email_alias"),
    "phone_norm": ("phone", "phone_norm"),
    "locale": ("locale",),
    "postal_address": ("postal_address", "address_norm"),
}


@dataclass(frozen=True)
class Person:
    """Who somebody says they are. E-mail, phone and address as typed; `consent` maps channel to yes or no."""

    name: str = ""
    email: str = ""
    phone: str = ""
    external_id: str = ""
    locale: str = ""
    address: str = ""  # where they live
    consent: dict[str, bool] = field(default_factory=dict)


Names = dict[str, str]  # what a person is found by, the strongest first: column -> value in the compared form


@dataclass(frozen=True)
class Mention:
    """A person as somebody named them `at` a time; `source` is where they said what they agree to."""

    person: Person
    names: Names
    at: datetime
    source: str


def mention(store: Store, person: Person, *, at: datetime, source: str) -> Mention:
    """What was said of a person, their addresses read. Raises BadEmail, BadPhone."""
    return Mention(person, names_of(store, person), at, source)


def names_of(store: Store, person: Person) -> Names:
    """By what this person is found: the shop's id, e-mail, phone. Raises BadEmail, BadPhone."""
    names = {
        "external_id": person.external_id,
        "email_norm": rules.normal_email(person.email),
        "phone_norm": rules.normal_phone(person.phone, store.country),
    }
    return {column: value for column, value in names.items() if value}


def find_or_create_customer(store: Store, person: Person, *, at: datetime, source: str) -> Customer:
    """The customer this person is; see `find_or_create_customers`. Raises BadEmail, BadPhone."""
    return find_or_create_customers(store, [mention(store, person, at=at, source=source)])[0]


def find_or_create_customers(store: Store, mentions: Sequence[Mention]) -> list[Customer]:
    """The customer each is: by the shop's id, else e-mail, else phone; made when unknown.

    The list counts as if it were told one after the other: who is made by one is known to the next.
    What was blank is filled in; a filled value is never overwritten, and an e-mail or phone that
    belongs to another customer stays theirs.
    """
    for _ in range(TRIES):
        book = _AddressBook(store, _known(store, [one.names for one in mentions]))
        found = [book.find_or_add(one) for one in mentions]
        if not book.has_news:
            return found
        with suppress(IntegrityError), transaction.atomic():
            book.write()
            return found
        # A twin was faster with one of these names: with their row in sight it comes out right.
    raise IntegrityError("customers conflict with some that cannot be seen")


Snapshot = dict[str, str]  # columns that may be filled in later, and what stood there


def known_before(store: Store, mentions: Sequence[Mention]) -> dict[int, Snapshot]:
    """Whoever of these people is known, by id, with what stands in the columns that may be filled in."""
    found = _known(store, [one.names for one in mentions])
    return {one.pk: {column: getattr(one, column) for column in BLANKS} for one in found}


def was_filled(before: Snapshot, customer: Customer) -> Snapshot:
    """What `customer` has now in columns that were blank."""
    return {
        name: getattr(customer, name)
        for column, stood in before.items()
        if not stood and getattr(customer, column)
        for name in BLANKS[column]
    }


def find_customer(store: Store, person: Person) -> Customer | None:
    """The customer this person is, None when unknown; changes nothing. Raises BadEmail, BadPhone."""
    names = names_of(store, person)
    return _AddressBook(store, _known(store, [names])).find(names)


def _known(store: Store, people: Sequence[Names]) -> list[Customer]:
    """Every customer that has one of these names; with a row that was merged away comes whom it leads to."""
    same = Q()
    for column in FOUND_BY:
        values = {names[column] for names in people if column in names}
        if values:
            same |= Q(**{f"{column}__in": values})
    found = list(Customer.objects.for_store(store).filter(same)) if same else []
    known = {one.pk: one for one in found}
    missing = {one.merged_into_id for one in found if one.merged_into_id} - known.keys()
    if missing:  # seldom: most people have one row
        known |= Customer.objects.for_store(store).in_bulk(list(missing))
    for one in found:
        if one.merged_into_id:
            one.merged_into = known[one.merged_into_id]
    return list(known.values())


class _AddressBook:
    """Customers by each of their names, in memory; what it learns is written down at the end, all at once."""

    def __init__(self, store: Store, known: Iterable[Customer]) -> None:
        self.store = store
        self.by_name: dict[tuple[str, str], Customer] = {}
        self.made: list[Customer] = []
        self.learnt: dict[int, dict[str, Any]] = {}  # customer's id -> columns
        self.consents: list[tuple[Customer, dict[str, Any]]] = []  # whose, the other columns
        for customer in known:
            self._enter(customer)

    @property
    def has_news(self) -> bool:
        """Whether there is something to write."""
        return bool(self.made or self.learnt or self.consents)

    def find(self, names: Names) -> Customer | None:
        """Who that is, by the strongest name that somebody has."""
        return next((self.by_name[name] for name in names.items() if name in self.by_name), None)

    def find_or_add(self, said: Mention) -> Customer:
        """Who that is, brought up to date with what was said of them."""
        customer = self.find(said.names)
        if customer is None:
            customer = Customer(store=self.store, recorded_at=said.at)
            self.made.append(customer)
        self._fill_in(customer, said)
        for channel, granted in said.person.consent.items():
            self._agree(customer, Channel(channel), granted, said)
        return customer

    def _enter(self, customer: Customer) -> None:
        for column in FOUND_BY:
            value = getattr(customer, column)
            if value:
                self.by_name[column, value] = customer.today

    def _fill_in(self, customer: Customer, said: Mention) -> None:
        """Fill blanks; a name that another customer holds is left with them."""
        told = {
            **said.names,
            "name": said.person.name,
            "locale": said.person.locale,
            "postal_address": said.person.address,
        }
        if any(told[blank] and not getattr(customer, blank) for blank in told):
            values = _columns(said)
            for blank, columns in BLANKS.items():
                if values.get(blank) and not getattr(customer, blank) and (blank, values[blank]) not in self.by_name:
                    self._learn(customer, {column: values[column] for column in columns})
        self._enter(customer)

    def _agree(self, customer: Customer, channel: Channel, granted: bool, said: Mention) -> None:
        """Note a yes or no; a yes that stands already is no news."""
        column = CONSENTS[channel]
        if granted and getattr(customer, column):
            return
        self._learn(customer, {column: granted})
        facts = {"store_id": self.store.pk, "channel": channel, "granted": granted}
        self.consents.append((customer, {**facts, "source": said.source[:80], "at": said.at}))

    def _learn(self, customer: Customer, values: dict[str, Any]) -> None:
        for column, value in values.items():
            setattr(customer, column, value)
        if customer.pk:
            self.learnt.setdefault(customer.pk, {}).update(values)

    def write(self) -> None:
        """Put everything into the database. Raises IntegrityError when a twin was faster."""
        self._insert()
        self._update()
        insert_values(Consent, [{"customer_id": customer.pk, **facts} for customer, facts in self.consents])

    def _insert(self) -> None:
        # Twins that write the same people do it in the same order, or each would wait for the other.
        rows = sorted(self.made, key=lambda one: (one.email_norm, one.phone_norm, one.external_id))
        if len(insert_rows(rows)) < len(rows):
            raise IntegrityError("one of these customers was made by somebody else meanwhile")

    def _update(self) -> None:
        if self.learnt:
            rows = [{"id": pk, **values} for pk, values in sorted(self.learnt.items())]
            with connection.cursor() as cursor:
                cursor.execute(_fill_in_statement(), [as_json(rows), self.store.pk, list(self.learnt)])


def _columns(said: Mention) -> dict[str, str]:
    """All that was said, as it is kept."""
    name, address = rules.clean_name(said.person.name), clean_address(said.person.address)[:LONGEST_ADDRESS]
    return {
        **said.names,
        "name": name,
        "name_norm": rules.folded_name(name),
        "email": said.person.email.strip(),
        "email_alias": rules.mailbox_of(said.names.get("email_norm", "")),
        "phone": said.names.get("phone_norm", ""),
        "locale": said.person.locale,
        "postal_address": address,
        "address_norm": rules.folded_address(address),
    }


def _fill_in_statement() -> str:
    """Blanks are filled and consents set by the row as it stands now: nothing that a twin wrote is undone."""
    changes = [
        f"{column} = CASE WHEN kept.{blank} = '' THEN coalesce(said.{column}, '') ELSE kept.{column} END"
        for blank, columns in BLANKS.items()
        for column in columns
    ]
    changes += [f"{column} = coalesce(said.{column}, kept.{column})" for column in CONSENTS.values()]
    names = ["id", *(column for columns in BLANKS.values() for column in columns), *CONSENTS.values()]
    return (
        f"UPDATE customers_customer AS kept SET {', '.join(changes)} "  # noqa: S608  # the names are ours
        f"FROM jsonb_to_recordset(%s::jsonb) AS said({typed(Customer, names)}) "
        # The list of ids tells Postgres how few they are, so that it takes the index.
        "WHERE kept.store_id = %s AND kept.id = said.id AND kept.id = ANY(%s)"
    )


def record_consent(
    customer: Customer, channel: Channel, *, granted: bool, source: str, at: datetime, wording: str = ""
) -> bool:
    """Write down a yes or no for marketing on `channel`; True when it differs from what stood."""
    column = CONSENTS[channel]
    if granted and getattr(customer, column):
        return False
    mine = Customer.objects.filter(pk=customer.pk, store_id=customer.store_id, **{column: not granted})
    changed = mine.update(**{column: granted})
    if changed or not granted:
        Consent.objects.create(
            store_id=customer.store_id,
            customer=customer,
            channel=channel,
            granted=granted,
            source=source[:80],
            wording=wording[:250],
            at=at,
        )
    setattr(customer, column, granted)
    return bool(changed)
