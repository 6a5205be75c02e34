"""Print runs: made with their codes, large ones by a job; scanned; and the friends' senders they win.

A gift of customers has a share link of its own on each piece. An invitation has one code; whoever follows it gets a
share link that names the run. Why: docs/decisions/0012-materials.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from customers.models import Customer, Segment
from customers.services import Person, find_or_create_customer
from outreach.models import Hold
from referrals import audiences, rules
from referrals.fraud import blocks
from referrals.materials import drawing, words
from referrals.models import PrintRun, PrintScan, PrintSheets, Program, ShareLink
from referrals.services.links import new_link
from referrals.services.programs import live_program, program_for, programs_for
from stores import codes, directory, jobs
from stores.models import Job, Location, Store, User
from stores.rows import insert_rows
from stores.services import note
from stores.tenancy import insert_new

KIND = "prints"
PIECE = 80  # cards in one transaction: a second
MOST_FOR_ONE = 80  # pieces for one customer: drawn when they are fetched
MOST_EACH = 8
KEPT = timedelta(days=7)  # sheets of a large run; they can be made again
PRINTED_APART = (PrintRun.Material.CARDS, PrintRun.Material.PARCEL)  # each piece goes to another hand
TRIES = 20

Whom = PrintRun.Whom


class NotNow(Exception):
    """No program runs for them: the codes would lead nowhere."""


class NotForThem(Exception):
    """The store has blocked this person."""


@dataclass(frozen=True)
class Wish:
    """What is to be printed, for whom. `copies` are pieces, or for a segment pieces a person; `days` it is good for."""

    material: str
    language: str
    whom: str
    copies: int = 1
    name: str = ""
    location: Location | None = None
    staff: User | None = None
    customer: Customer | None = None
    segment: Segment | None = None
    cost_minor: int | None = None
    days: int | None = None


def begin(store: Store, wish: Wish, *, by: User | None, at: datetime) -> PrintRun:
    """A print run with its codes; for a segment a job makes them, and the sheets. Raises NotNow, BadCondition."""
    _refuse_without_program(store, wish, at)
    run = draft(store, wish, at=at)
    run.by = by
    with transaction.atomic():
        _write(run)
        if wish.customer:
            pieces = wish.copies if wish.material in PRINTED_APART else 1
            make_links(run, [wish.customer] * pieces, at=at)
        elif wish.segment:
            _begin_job(run, wish.segment, by, at)
        note(
            store, "print.made", subject=run.public_id, after={"material": run.material, "for": run.whom}, by=by, at=at
        )
    return run


def _refuse_without_program(store: Store, wish: Wish, at: datetime) -> None:
    open_now = program_for(wish.customer, at) if wish.customer else live_program(store, at)
    if open_now is None and not wish.segment:
        raise NotNow


def draft(store: Store, wish: Wish, *, at: datetime) -> PrintRun:
    """The run as it would be, not stored: what a preview shows."""
    return PrintRun(
        store=store,
        name=wish.name,
        material=wish.material,
        language=wish.language,
        whom=wish.whom,
        location=wish.location,
        staff=wish.staff,
        copies=wish.copies if not wish.segment else 0,
        each=wish.copies if wish.segment else 1,
        cost_minor=wish.cost_minor,
        expires_at=at + timedelta(days=wish.days) if wish.days else None,
        made_at=at,
    )


def _write(run: PrintRun) -> None:
    """Store the run; an invitation with a code that nobody has."""
    for _ in range(TRIES):
        if not run.is_gift:
            run.code = rules.new_code("", run.store.slug)
            run.code_norm = codes.normalise(run.code)
        if insert_new(run):
            return
    raise RuntimeError("no free code was found")


def make_links(run: PrintRun, customers: Sequence[Customer], *, at: datetime) -> list[ShareLink]:
    """A share link of this run for each of them, in their order; whoever stands there twice gets two."""
    made: list[ShareLink] = []
    missing = list(customers)
    for _ in range(TRIES):
        facts = {"is_main": False, "run": run, "expires_at": run.expires_at}
        fresh = [new_link(run.store, customer, at, **facts) for customer in missing]
        stored = {link.public_id for link in insert_rows(fresh)}
        made += [link for link in fresh if link.public_id in stored]
        missing = [link.customer for link in fresh if link.public_id not in stored]
        if not missing:
            return made
    raise RuntimeError("no free share codes were found")


# -- Large runs --


def _begin_job(run: PrintRun, segment: Segment, by: User | None, at: datetime) -> None:
    people = audiences.people(run.store, segment.conditions, at).count()
    jobs.begin(
        run.store,
        kind=KIND,
        key=f"prints:{run.pk}",
        subject=_subject(run),
        data={"conditions": segment.conditions, "segment": segment.name, "after": 0, "parts": 0},
        total=people,
        by=by,
        at=at,
    )


def _subject(run: PrintRun) -> str:
    return f"print:{run.pk}"


def job_of(run: PrintRun) -> Job | None:
    """The last job that worked on it."""
    found: Job | None = (
        Job.objects.for_store(run.store).filter(kind=KIND, subject=_subject(run)).order_by("-pk").first()
    )
    return found


def continue_all(at: datetime) -> int:
    """The sweep: begin what was asked for, go on with what a dead worker left; returns how many runs."""
    return jobs.continue_all(KIND, work, at)


def work(store: Store, job_id: int, *, seconds: float = jobs.TURN) -> Job:
    """Make the job's codes and sheets until it is done or the turn is over."""
    return jobs.work(store, job_id, _piece, seconds=seconds)


def _piece(job: Job, at: datetime) -> jobs.Piece:
    run = _run_of(job)
    return _redraw(run, job, at) if job.data.get("again") else _make(run, job, at)


def _run_of(job: Job) -> PrintRun:
    rows = PrintRun.objects.for_store(job.store).select_related("store", "location")
    found: PrintRun = rows.get(pk=int(job.subject.partition(":")[2]))
    return found


def _make(run: PrintRun, job: Job, at: datetime) -> jobs.Piece:
    """Codes and sheets for the next people of the segment."""
    size = people_a_piece(run)
    meant = audiences.people(run.store, job.data["conditions"], job.started_at).filter(pk__gt=job.data["after"])
    batch = list(meant.order_by("pk")[:size])
    if not batch:
        return jobs.Piece(is_last=True)
    chosen, programs = _printable(run.store, batch, at)
    links = make_links(run, [one for one in chosen for _ in range(run.each)], at=at)
    parts = job.data["parts"]
    if links:
        parts += 1
        _keep(run, parts, words.gifts(run, links, programs), at)
        PrintRun.objects.filter(pk=run.pk, store_id=run.store_id).update(copies=run.copies + len(links))
    data = {"after": batch[-1].pk, "parts": parts}
    return jobs.Piece(len(chosen), len(batch) - len(chosen), data, is_last=len(batch) < size)


def people_a_piece(run: PrintRun) -> int:
    """How many people one piece of the work is for: their cards fill whole sheets."""
    return max(PIECE // run.each // 8 * 8, 8)


def _printable(store: Store, people: Sequence[Customer], at: datetime) -> tuple[list[Customer], dict[int, Program]]:
    """Those whose gift may be passed on now: a program is theirs, nobody asks to leave them alone, none is blocked."""
    ids = [one.pk for one in people]
    programs = programs_for(store, ids, at)
    held = set(Hold.objects.for_store(store).filter(customer__in=ids).values_list("customer_id", flat=True))
    blocked = _blocked(store, people)
    return [one for one in people if one.pk in programs and one.pk not in held | blocked], programs


def _blocked(store: Store, people: Sequence[Customer]) -> set[int]:
    """Which of them (ids) the store has blocked by e-mail, mail domain or phone; a query or two."""
    if not blocks.standing(store).exists():
        return set()
    found = blocks.matching(store, [blocks.names_of(one.email_norm, one.phone_norm) for one in people])
    return {one.pk for one, kinds in zip(people, found, strict=True) if kinds}


def _keep(run: PrintRun, number: int, pieces: Sequence[words.Piece], at: datetime) -> None:
    content = drawing.pdf(run, pieces)
    insert_new(PrintSheets(store=run.store, run=run, number=number, content=content, made_at=at))


def draw_again(run: PrintRun, *, by: User | None, at: datetime) -> Job:
    """Make the sheets of a large run again, with the codes they had: they are kept for some days only."""
    job, _is_new = jobs.begin(
        run.store,
        kind=KIND,
        key=f"prints:{run.pk}:{at.isoformat()}",
        subject=_subject(run),
        data={"again": True, "after": 0, "parts": 0},
        total=links_of(run).count(),
        by=by,
        at=at,
    )
    return job


def _redraw(run: PrintRun, job: Job, at: datetime) -> jobs.Piece:
    if not job.data["parts"]:
        PrintSheets.objects.for_store(run.store).filter(run=run).delete()
    links = list(links_of(run).filter(pk__gt=job.data["after"])[:PIECE])
    if not links:
        return jobs.Piece(is_last=True)
    pieces, parts = pieces_of(run, at, links=links), job.data["parts"]
    if pieces:
        parts += 1
        _keep(run, parts, pieces, at)
    data = {"after": links[-1].pk, "parts": parts}
    return jobs.Piece(len(pieces), len(links) - len(pieces), data, is_last=len(links) < PIECE)


def forget_sheets(store: Store, at: datetime) -> int:
    """Delete sheets that were made long ago: they hold names, and can be made again."""
    old = PrintSheets.objects.for_store(store).filter(made_at__lt=at - KEPT)
    return int(old.delete()[0])


def forget_sheets_of(store: Store, customers: Sequence[int]) -> None:
    """Delete the sheets on which these customers (ids) stand: they are forgotten."""
    runs = ShareLink.objects.for_store(store).filter(customer__in=customers).exclude(run=None).values("run")
    PrintSheets.objects.for_store(store).filter(run__in=runs).delete()


# -- What is on it --


def links_of(run: PrintRun) -> QuerySet[ShareLink]:
    """The share links on its pieces, or that were got by it, with their customers."""
    rows: QuerySet[ShareLink] = ShareLink.objects.for_store(run.store).filter(run=run)
    return rows.select_related("customer__store", "store").order_by("pk")


def pieces_of(run: PrintRun, at: datetime, *, links: Sequence[ShareLink] | None = None) -> list[words.Piece]:
    """What is to be drawn of a run: an invitation once on a page of its own, cards as many as a sheet has.

    Whoever has no program any more, or is forgotten, is left out. Raises NotNow where nothing is left to print.
    """
    if not run.is_gift:
        program = live_program(run.store, at)
        if program is None:
            raise NotNow
        shape = drawing.SHAPES[PrintRun.Material(run.material)]
        return [words.invitation(run, program)] * shape.a_page
    found = [link for link in (links_of(run) if links is None else links) if not link.customer.erased_at]
    programs = programs_for(run.store, {link.customer_id for link in found}, at)
    pieces = words.gifts(run, found, programs)
    if not pieces and links is None:
        raise NotNow
    return pieces


def has_sheets(run: PrintRun) -> bool:
    """Whether sheets of a large run wait to be fetched."""
    return bool(PrintSheets.objects.for_store(run.store).filter(run=run).exists())


def document(run: PrintRun, at: datetime) -> bytes | None:
    """The run as PDF: what the job has made, else drawn now; None while a large one is not ready. Raises NotNow."""
    if run.whom != Whom.SEGMENT:
        return drawing.pdf(run, pieces_of(run, at))
    job = job_of(run)
    if job is None or job.state == Job.State.RUNNING:
        return None
    parts = PrintSheets.objects.for_store(run.store).filter(run=run).order_by("number")
    found = [bytes(part) for part in parts.values_list("content", flat=True)]
    return drawing.joined(found) if found else None


# -- Invitations --


def site_run(store: Store) -> PrintRun | None:
    """The invitation that stands on the shop's own site."""
    found: PrintRun | None = PrintRun.objects.for_store(store).filter(on_site=True).first()
    return found


def open_site(store: Store, *, name: str, by: User | None, at: datetime) -> PrintRun:
    """The same, made when first wanted; `name` is what the list of print runs calls it. Raises NotNow."""
    wish = Wish(PrintRun.Material.BANNER, store.locale, Whom.STORE, name=name)
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # two taps at once make one
        known = site_run(store)
        if known:
            return known
        _refuse_without_program(store, wish, at)
        run = draft(store, wish, at=at)
        run.by, run.on_site = by, True
        _write(run)
        note(store, "site.opened", subject=run.public_id, by=by, at=at)
    return run


def enter_by_code(typed: str) -> PrintRun | None:
    """The invitation of a code whose store is not yet known; binds the transaction to its store."""
    code = codes.normalise(typed)
    store_id = directory.store_id_by_print_code(code) if code else None
    store = directory.enter(store_id) if store_id else None
    rows = PrintRun.objects.for_store(store).select_related("store", "location") if store else PrintRun.objects.none()
    found: PrintRun | None = rows.filter(code_norm=code).first()
    return found


def record_scan(run: PrintRun, *, visitor: str, is_bot: bool, at: datetime) -> None:
    """Count an opening once a person and hour."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    insert_new(PrintScan(store=run.store, run=run, visitor=visitor, hour=hour, at=at, is_bot=is_bot))


def join(run: PrintRun, person: Person, *, at: datetime) -> ShareLink:
    """A share link for somebody who followed an invitation; the same person again gets the same.

    Its code says nothing of who they are: whoever types another's address learns nothing by it. Raises NotNow,
    NotForThem, BadEmail, BadPhone.
    """
    with transaction.atomic():
        found = find_or_create_customer(run.store, person, at=at, source="print")
        customer = _held(found)
        if blocks.is_blocked(run.store, [customer]):
            raise NotForThem
        if run.is_over(at) or program_for(customer, at) is None:
            raise NotNow
        known: ShareLink | None = links_of(run).filter(customer=customer).first()
        return known or _new_joined(run, customer, at)


def _held(customer: Customer) -> Customer:
    """Their row, held: two taps at once give one link."""
    rows = Customer.objects.for_store(customer.store).select_related("store")
    held: Customer = rows.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
    return held


def _new_joined(run: PrintRun, customer: Customer, at: datetime) -> ShareLink:
    facts: dict[str, Any] = {"store": run.store, "customer": customer, "is_main": False, "run": run, "created_at": at}
    for _ in range(TRIES):
        code = rules.new_code("", run.store.slug)
        link = ShareLink(code=code, code_norm=codes.normalise(code), **facts)
        if insert_new(link):
            return link
    raise RuntimeError("no free share code was found")
