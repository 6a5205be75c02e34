"""Facts about what customers say, whom they brought, and who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from customers.models import CustomerTag
from customers.tagging import PARTNER, BadTag, folded_tag
from referrals.audiences.facts import counted, either, fact, is_so
from referrals.audiences.values import NO, YES, BadCondition, Names, OneOf, Value, Whole, isolated, number
from referrals.models import Referral
from stores.models import Store
from surveys.models import Question, RecoveryCase, Response

MOST_FRIENDS = 10_000
_YES_NO = OneOf(lambda _names: (YES, NO))

# -- What they say --

SAYING = lazy("What they say")
PROMOTER, PASSIVE, UNHAPPY, NONE = "promoter", "passive", "unhappy", "none"
BANDS = {PROMOTER: (9, 10), PASSIVE: (7, 8), UNHAPPY: (0, 6)}  # as surveys.rules.group_of
_LAST_ANSWER = {
    PROMOTER: lazy("Would recommend us (last answer 9 or 10)"),
    PASSIVE: lazy("Is content (last answer 7 or 8)"),
    UNHAPPY: lazy("Was unhappy (last answer 0 to 6)"),
    NONE: lazy("Has never answered"),
}


@fact(SAYING, lazy("Last answer"), OneOf(lambda _names: _LAST_ANSWER), lambda _names, band: str(_LAST_ANSWER[band]))
def score(store: Store, band: str, at: datetime) -> Q:
    """The group of their last answer from 0 to 10; what looks like a robot's does not count."""
    answers = Response.objects.for_store(store).filter(
        question=Question.NPS, is_suspect=False, at__lte=at, customer__isnull=False
    )
    if band == NONE:
        return ~Q(Exists(answers.filter(customer=OuterRef("pk"))))
    last = answers.order_by("customer", "-at", "-pk").distinct("customer").values("pk")
    lowest, highest = BANDS[band]
    found = answers.filter(pk__in=last, score__gte=lowest, score__lte=highest)
    return Q(pk__in=found.values("customer"))


@fact(
    SAYING,
    lazy("Unhappy at the moment"),
    _YES_NO,
    either(lazy("Is unhappy and waits for help"), lazy("Is not waiting for help")),
)
def open_case(store: Store, value: str, _at: datetime) -> Q:
    """A case of theirs is open."""
    cases = RecoveryCase.objects.for_store(store).filter(customer=OuterRef("pk"), status=RecoveryCase.Status.OPEN)
    return is_so(value, Q(Exists(cases)))


# -- Friends --

FRIENDS = lazy("Friends")


def _approved(store: Store, least: int, at: datetime) -> Q:
    counted = Referral.objects.for_store(store).filter(status=Referral.Status.APPROVED, created_at__lte=at)
    advocates = counted.order_by().values("advocate").annotate(n=Count("pk")).filter(n__gte=least)
    return Q(pk__in=advocates.values("advocate"))


@fact(
    FRIENDS,
    lazy("Friends who count, at least"),
    Whole(1, MOST_FRIENDS, 1),
    lambda _names, n: counted(
        ngettext("Has brought at least %(n)s friend who counts", "Has brought at least %(n)s friends who count", n), n
    ),
)
def friends_at_least(store: Store, least: int, at: datetime) -> Q:
    """That many referrals of theirs are approved, or more."""
    return _approved(store, least, at)


def _tier_words(names: Names, value: str) -> str:
    threshold = int(value)
    words = {"name": isolated(names.tiers.get(threshold, "")), "n": number(threshold)}
    if names.tiers.get(threshold):
        return (
            ngettext(
                "Has reached the step %(name)s (%(n)s friend)",
                "Has reached the step %(name)s (%(n)s friends)",
                threshold,
            )
            % words
        )
    return (
        ngettext("Has reached the step from %(n)s friend", "Has reached the step from %(n)s friends", threshold) % words
    )


@dataclass(frozen=True)
class Step(OneOf):
    """A step of the ladder by its number of friends; the ladder may change, so any number is kept."""

    is_open: bool = True

    def check(self, value: Value) -> str:
        """The number as text; raises BadCondition."""
        found = super().check(value)
        if not (found.isascii() and found.isdigit() and 1 <= int(found[:6]) <= MOST_FRIENDS):
            raise BadCondition(_("Choose one of the list."))
        return found


@fact(FRIENDS, lazy("Step reached"), Step(lambda names: [str(one) for one in names.tiers]), _tier_words)
def tier(store: Store, threshold: str, at: datetime) -> Q:
    """They have as many approved referrals as that step of the ladder asks for."""
    return _approved(store, int(threshold), at)


@fact(
    FRIENDS,
    lazy("Brought by a friend"),
    _YES_NO,
    either(lazy("A friend brought them"), lazy("They came by themselves")),
)
def referred(store: Store, value: str, at: datetime) -> Q:
    """They are the friend of a referral that waits or counts."""
    mine = _live(store, at).filter(friend=OuterRef("pk"))
    return is_so(value, Q(Exists(mine)))


@fact(
    FRIENDS,
    lazy("Has brought friends"),
    _YES_NO,
    either(lazy("Has brought a friend"), lazy("Has not brought a friend yet")),
)
def has_referred(store: Store, value: str, at: datetime) -> Q:
    """A referral of theirs waits or counts."""
    mine = _live(store, at).filter(advocate=OuterRef("pk"))
    return is_so(value, Q(Exists(mine)))


def _live(store: Store, at: datetime) -> Any:
    made = Referral.objects.for_store(store).filter(created_at__lte=at)
    return made.exclude(status=Referral.Status.VOIDED)


# -- Who they are --

PERSON = lazy("Who they are")


@dataclass(frozen=True)
class Tag(OneOf):
    """A tag; anything that may be one is kept, whether or not somebody has it today."""

    is_open: bool = True

    def check(self, value: Value) -> str:
        """The folded tag; raises BadCondition."""
        try:
            return folded_tag(super().check(value))
        except BadTag as error:
            raise BadCondition(str(error)) from error


_TAG = Tag(lambda names: names.tags)


def _tagged(store: Store, tag: str) -> Q:
    return Q(Exists(CustomerTag.objects.for_store(store).filter(customer=OuterRef("pk"), tag=tag)))


@fact(PERSON, lazy("Has the tag"), _TAG, lambda _names, tag: _("Has the tag “%(tag)s”") % {"tag": isolated(tag)})
def tag(store: Store, value: str, _at: datetime) -> Q:
    """The tag is on them."""
    return _tagged(store, value)


@fact(
    PERSON,
    lazy("Does not have the tag"),
    _TAG,
    lambda _names, tag: _("Does not have the tag “%(tag)s”") % {"tag": isolated(tag)},
)
def without_tag(store: Store, value: str, _at: datetime) -> Q:
    """The tag is not on them."""
    return ~_tagged(store, value)


@fact(PERSON, lazy("Partner"), _YES_NO, either(lazy("Is a partner"), lazy("Is not a partner")))
def partner(store: Store, value: str, _at: datetime) -> Q:
    """They have the tag that marks partners."""
    return is_so(value, _tagged(store, PARTNER))


@fact(
    PERSON,
    lazy("Language"),
    OneOf(lambda _names: dict(settings.LANGUAGES)),
    lambda _names, code: _("Is written to in %(language)s") % {"language": str(dict(settings.LANGUAGES)[code])},
)
def language(store: Store, code: str, _at: datetime) -> Q:
    """We write to them in this language: their own if we speak it, else the store's."""
    spoken = dict(settings.LANGUAGES)
    fallback = store.locale if store.locale in spoken else "en"
    return Q(locale=code) | ~Q(locale__in=list(spoken)) if code == fallback else Q(locale=code)


@fact(PERSON, lazy("E-mail address"), _YES_NO, either(lazy("Has an e-mail address"), lazy("Has no e-mail address")))
def has_email(_store: Store, value: str, _at: datetime) -> Q:
    """An address is known."""
    return ~Q(email_norm="") if value == YES else Q(email_norm="")


@fact(PERSON, lazy("Phone number"), _YES_NO, either(lazy("Has a phone number"), lazy("Has no phone number")))
def has_phone(_store: Store, value: str, _at: datetime) -> Q:
    """A number is known."""
    return ~Q(phone_norm="") if value == YES else Q(phone_norm="")


@fact(PERSON, lazy("Agreed to mail"), _YES_NO, either(lazy("Agreed to mail"), lazy("Did not agree to mail")))
def agreed_to_mail(_store: Store, value: str, _at: datetime) -> Q:
    """Their newest word about advertising by mail was yes."""
    return Q(email_consent=value == YES)


@fact(PERSON, lazy("Agreed to texts"), _YES_NO, either(lazy("Agreed to texts"), lazy("Did not agree to texts")))
def agreed_to_texts(_store: Store, value: str, _at: datetime) -> Q:
    """Their newest word about advertising by text was yes."""
    return Q(sms_consent=value == YES)
