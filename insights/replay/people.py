"""Who plays the people in a replay: buyers answer as they did; friends come at published rates.

Everything a person does hangs on a generator seeded by the fact it answers, and carries an
external id made of it: a second run decides the same and finds it done.
Rates: EFFECTIVENESS section 2 (shares, visits and orders per advocate, answers, people's reaction times).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random

from django.db.models import Q

from customers.models import Channel, Order
from customers.services import OrderData, Person, record_order
from insights.replay.history import Answer, Fact
from outreach.models import Kind, Message
from referrals.models import Claim, ShareLink
from referrals.services import asking, claims, links
from referrals.services.redeeming import OrderRef, redeem
from rewards.models import Voucher
from rewards.services.vouchers import Bill, NotRedeemable
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response
from surveys.services import answering, recovery

PAGE_SHARE = 0.30  # of those asked on the answer page: what good programs see of people who look at the offer
MAIL_SHARE = 0.045  # of those asked by a later message
VISITS_A_SHARE = (1, 4)  # mean 2.5
CLAIM_A_VISIT = 0.22
BUY_A_CLAIM = 0.38  # .21 orders an advocate who shares, as in general retail
BUY_BY_CODE = 0.35  # of the buyers, who say the code without taking the gift first
BOT_A_SHARE = 0.6  # a chat app's preview
CASE_SOLVED, VOUCHER_SPENT, FRIEND_REFUND = 0.7, 0.6, 0.06
FRIEND_ANSWERS = 0.15
MOST_BILLS = 500
FRIEND_SCORES = ((10, 0.38), (9, 0.22), (8, 0.14), (7, 0.08), (5, 0.10), (3, 0.05), (1, 0.03))
NAMES = {
    "en": "Ava Chen,Noah Patel,Mia Lopez,Eli Brown,Zoe Kim,Leo Rossi,Ivy Clark,Max Weber,Ella Novak,Sam Reed,June Park",
    "fil": "Bea Cruz,Jun Reyes,Liza Santos,Paolo Garcia,Ana Mendoza,Carlo Bautista,Tess Aquino,Miguel Torres,Rina Flores",
    "fa": "نگار محمدی,آرش کریمی,لیلا حسینی,پویا رضایی,مهسا احمدی,سینا موسوی,الناز جعفری,کیان صادقی,شیما رستمی,بهار نوری",
}  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """How many of those who could go on do."""

    page_share: float = PAGE_SHARE
    claim: float = CLAIM_A_VISIT
    buy: float = BUY_A_CLAIM
    left_alone: float = 0.0  # unhappy people whom nobody calls


PUBLISHED = Rates()


@dataclass(frozen=True)
class Reply:
    """What somebody will say to an invitation."""

    invitation: Invitation
    answer: Answer

    def at(self, at: datetime) -> answering.Answer:
        """The reply, given at that time."""
        return answering.Answer(self.invitation, self.answer.score, self.answer.comment, at)


Deed = Reply | Callable[[datetime], None]


@dataclass
class People:
    """The cast of one store's replay; acts are kept in a queue by time."""

    store: Store
    answers: dict[str, Answer]
    friends: bool
    consent: frozenset[Channel]
    rates: Rates = PUBLISHED
    queue: list[tuple[datetime, int, Deed]] = field(default_factory=list)
    ticket: count = field(default_factory=count)
    bills: list[OrderData] = field(default_factory=list)

    def with_consent(self, order: OrderData) -> OrderData:
        """The order, its buyer agreeing to marketing where the owner states so."""
        if order.person is None or not self.consent:
            return order
        agreed = {str(channel): True for channel in self.consent}
        return replace(order, person=replace(order.person, consent=agreed))

    def happen(self, facts: Sequence[Fact]) -> None:
        """Remember what people buy here: friends buy the like."""
        bought = [fact.order for fact in facts if fact.order.total_minor > 0 and fact.order.lines]
        self.bills += bought[: MOST_BILLS - len(self.bills)]

    def act(self, since: datetime, until: datetime) -> None:
        """Do what is due up to `until`, each at its own time; answers that come in a row are taken together."""
        replies: dict[int, answering.Answer] = {}  # one a person: what somebody said first bears on what comes next
        while self.queue and self.queue[0][0] <= until:
            at, _, deed = heapq.heappop(self.queue)
            if not isinstance(deed, Reply) or deed.invitation.customer_id in replies:
                self._answer(replies)
                replies = {}
            if isinstance(deed, Reply):
                replies[deed.invitation.customer_id] = deed.at(at)
            else:
                deed(at)
        self._answer(replies)

    def later(self, at: datetime, deed: Deed) -> None:
        """Plan a deed."""
        heapq.heappush(self.queue, (at, next(self.ticket), deed))

    def notice(self, since: datetime, until: datetime, sent: Sequence[Message]) -> None:
        """See what the engine did in (since, until], and what it `sent`; plan how people react."""
        self._notice_letters(sent, until)
        if self.friends:
            self._notice_asks(since, until)
            self._notice_rewards(since, until)
            opened = RecoveryCase.objects.for_store(self.store).filter(opened_at__gt=since, opened_at__lte=until)
            for case in opened.select_related("response__invitation__order", "customer", "store"):
                self._expect_help(case)

    def remember(self) -> None:
        """Letters of an earlier run that may not have been answered yet."""
        earlier = Message.objects.for_store(self.store).filter(status=Message.Status.SENT, invitation__response=None)
        for message in earlier.select_related("customer"):
            assert message.sent_at is not None
            self._notice_letters([message], message.sent_at)

    def _notice_letters(self, sent: Sequence[Message], at: datetime) -> None:
        """People read what came `at`."""
        questions = [message.pk for message in sent if message.kind == Kind.SURVEY]
        if questions:
            invitations = Invitation.objects.for_store(self.store).filter(message__in=questions)
            for invitation in invitations.select_related("order", "customer").order_by("pk"):
                self._expect_answer(invitation, at)
        for message in sent:
            if self.friends and message.kind == Kind.ASK:
                fact = f"mail-{message.customer.email_norm}-{at:%Y%m%d}"
                self._maybe_share(fact, message.customer_id, MAIL_SHARE, at)

    # -- buyers --

    def _expect_answer(self, invitation: Invitation, sent_at: datetime) -> None:
        assert invitation.order is not None  # `_notice_letters` takes questions about orders
        answer = self.answers.get(invitation.order.external_id) or self._made_up_answer(invitation)
        if answer:
            self.later(sent_at + answer.delay, Reply(invitation, answer))

    def _made_up_answer(self, invitation: Invitation) -> Answer | None:
        """Friends who bought are asked too, and nobody wrote down what they said."""
        assert invitation.order is not None
        luck = self._luck("answer", invitation.order.external_id)
        if not self.friends or invitation.order.source != "replay" or luck.random() > FRIEND_ANSWERS:
            return None
        scores, weights = zip(*FRIEND_SCORES, strict=True)
        return Answer(timedelta(hours=luck.uniform(0.2, 40)), luck.choices(scores, weights)[0], "")

    def _answer(self, replies: dict[int, answering.Answer]) -> None:
        if replies:
            times = {reply.invitation.pk: reply.at for reply in replies.values()}
            responses = answering.respond_all(self.store, list(replies.values()))
            asking.ask_on_answers(self.store, [(one, times[one.invitation_id or 0]) for one in responses])

    # -- advocates and friends --

    def _notice_asks(self, since: datetime, until: datetime) -> None:
        shown = Response.objects.for_store(self.store).filter(ask_shown_at__gt=since, ask_shown_at__lte=until)
        for response in shown.exclude(invitation__order=None).select_related("invitation__order"):
            assert response.ask_shown_at is not None
            assert response.customer_id is not None
            fact = f"page-{response.invitation.order.external_id}"
            self._maybe_share(fact, response.customer_id, self.rates.page_share, response.ask_shown_at)

    def _maybe_share(self, fact: str, customer_id: int, chance: float, asked_at: datetime) -> None:
        luck = self._luck("share", fact)
        if luck.random() < chance:
            self.later(
                asked_at + timedelta(hours=luck.expovariate(1 / 8)), lambda at: self._share(fact, customer_id, at)
            )

    def _share(self, fact: str, customer_id: int, at: datetime) -> None:
        luck = self._luck("visits", fact)
        link = (
            ShareLink.objects.for_store(self.store).select_related("customer__store", "store").get(customer=customer_id)
        )
        links.note_shared(link, at=at)
        if luck.random() < BOT_A_SHARE:
            links.record_visit(link, visitor="a chat app's preview", is_bot=True, at=at)
        for number in range(luck.randint(*VISITS_A_SHARE)):
            friend = f"{fact}-{number}"
            self.later(at + timedelta(hours=luck.expovariate(1 / 10)), partial(self._visit, link, friend))

    def _visit(self, link: ShareLink, friend: str, at: datetime) -> None:
        links.record_visit(link, visitor=links.visitor_of("replay", friend, ""), is_bot=False, at=at)
        luck = self._luck("friend", friend)
        if luck.random() >= self.rates.claim:
            return
        person = self._friend(friend, luck)
        buys = luck.random() < self.rates.buy
        by_code = luck.random() < BUY_BY_CODE
        when = at + timedelta(hours=luck.expovariate(1 / 12))
        code = link.code
        if not by_code:
            taken = self._claim(link, person, at)
            code = taken.voucher.code if taken and taken.voucher else code
        if buys and self.bills:
            self.later(when, lambda at: self._buy(friend, person, code, at))

    def _claim(self, link: ShareLink, person: Person, at: datetime) -> Claim | None:
        try:
            return claims.claim(link, person, at=at)
        except claims.NotForThem:
            return None

    def _friend(self, friend: str, luck: Random) -> Person:
        name = luck.choice(NAMES.get(self.store.locale, NAMES["en"]).split(","))
        agreed = {str(channel): True for channel in self.consent}
        number = luck.randrange(10**9)
        return Person(name=name, email=f"friend.{number:09d}@example.com", locale=self.store.locale, consent=agreed)

    def _buy(self, friend: str, person: Person, code: str, at: datetime) -> None:
        """At the counter with the code, or online with the code on the order."""
        luck = self._luck("buy", friend)
        model = luck.choice(self.bills)
        external_id = f"friend-{friend}"
        order = OrderData(
            source="replay",
            external_id=external_id,
            currency=model.currency,
            total_minor=model.total_minor,
            placed_at=at,
            location=model.location,
            person=person,
            lines=model.lines,
            code=code,
        )
        if luck.random() < 0.5:
            self._redeem(code, Bill(model.total_minor, model.currency), person, OrderRef("replay", external_id), at)
        order = replace(order, delivered_at=at + timedelta(days=luck.randint(2, 9)))
        record_order(self.store, replace(order, delivered_at=None), at=at)
        if not order.location:
            self.later(order.delivered_at or at, lambda at: self._record(order, at))
        if luck.random() < FRIEND_REFUND:
            refunded = replace(order, refunded_minor=order.total_minor)
            self.later(at + timedelta(days=luck.randint(10, 25)), lambda at: self._record(refunded, at))

    def _record(self, order: OrderData, at: datetime) -> None:
        record_order(self.store, order, at=at)

    # -- rewards and help --

    def _notice_rewards(self, since: datetime, until: datetime) -> None:
        issued = Voucher.objects.for_store(self.store).filter(issued_at__gt=since, issued_at__lte=until)
        for voucher in issued.filter(Q(kind=Voucher.Kind.CREDIT) | ~Q(reward=None)).select_related("customer", "offer"):
            luck = self._luck("spend", _name(voucher))
            if luck.random() < VOUCHER_SPENT and self.bills and voucher.customer:
                when = voucher.issued_at + timedelta(days=luck.uniform(3, 30))
                self.later(when, partial(self._spend, voucher))

    def _spend(self, voucher: Voucher, at: datetime) -> None:
        assert voucher.customer is not None
        model = self._luck("bill", _name(voucher)).choice(self.bills)
        reference = OrderRef("replay", f"reward-{voucher.key}")
        person = Person(email=voucher.customer.email, phone=voucher.customer.phone_norm)
        self._redeem(voucher.code, Bill(model.total_minor, voucher.currency), person, reference, at)

    def _redeem(self, code: str, bill: Bill, person: Person, reference: OrderRef, at: datetime) -> None:
        """Once: a second run finds the order known and leaves the code alone."""
        known = Order.objects.for_store(self.store).filter(source=reference.source, external_id=reference.external_id)
        if known.exists():
            return
        try:
            redeem(self.store, code, bill, person=person, order_ref=reference, at=at)
        except NotRedeemable:
            return

    def _expect_help(self, case: RecoveryCase) -> None:
        about = case.response.invitation
        fact = about.order.external_id if about and about.order else f"{case.opened_at:%Y%m%d%H%M%S}"
        if self._luck("left alone", fact).random() < self.rates.left_alone:
            return
        luck = self._luck("case", fact)
        solved, when = luck.random() < CASE_SOLVED, case.opened_at + timedelta(hours=luck.uniform(2, 120))
        self.later(when, lambda at: self._help(case, solved, at))

    def _help(self, case: RecoveryCase, solved: bool, at: datetime) -> None:
        recovery.end_case(case, solved=solved, note="", at=at, by=None)

    def _luck(self, purpose: str, fact: str) -> Random:
        """A generator of its own for each decision: the same in every run."""
        return Random(f"{self.store.slug}:{purpose}:{fact}")


def _name(voucher: Voucher) -> str:
    """What a voucher is called in seeds: no row number, which differs from database to database."""
    return f"{voucher.customer and voucher.customer.email_norm}:{voucher.kind}:{voucher.issued_at:%Y%m%d%H}"
