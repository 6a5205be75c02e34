"""A version of a program's terms as sentences for those who were promised something by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from referrals.public.ladders import gets
from rewards.models import Offer, Terms, Tier
from rewards.services.vouchers import is_given_later
from rewards.wording import offer_text
from stores import tokens
from stores.l10n import format_money, format_number
from stores.models import Store


@dataclass(frozen=True)
class Wording:
    """What both sides get, what counts, and what becomes of it."""

    friend: list[str]
    you: list[str]
    counting: list[str]


class Speaker:
    """Says terms in the active language; `tiers` are their ladder's, `friend_tiers` those of later purchases."""

    def __init__(self, terms: Terms, store: Store, language: str) -> None:
        self.terms, self.store, self.language = terms, store, language

    def wording(self, tiers: Sequence[Tier], friend_tiers: Sequence[Tier] = ()) -> Wording:
        """Everything, in an order that people read."""
        return Wording(
            friend=[*self._friend(), *(self._friend_step(tier) for tier in friend_tiers)],
            you=[*(self._step(tier) for tier in tiers), *self._second(), *self._limits()],
            counting=[*self._counting(), *self._refunds(), *map(str, ALWAYS)],
        )

    def _number(self, value: int) -> str:
        return format_number(value, self.language)

    def _money(self, minor: int) -> str:
        return format_money(minor, self.terms.budget.currency, self.language, toman=self.store.toman)

    def _friend(self) -> Iterator[str]:
        offer, terms = self.terms.friend_offer, self.terms
        words = {"gift": offer_text(offer, self.store), "store": self.store.name}
        yield _("Your friend gets %(gift)s on the first order at %(store)s.") % words
        if terms.new_only and terms.look_back_days:
            yield (
                ngettext(
                    "It is for people who have not bought here in the last %(count)s day.",
                    "It is for people who have not bought here in the last %(count)s days.",
                    terms.look_back_days,
                )
                % {"count": self._number(terms.look_back_days)}
            )
        elif terms.new_only:
            yield _("It is for people who have not bought here before.")
        if terms.one_a_household:
            yield _("It is for one person of each household.")
        if offer.minimum_minor:
            yield self._least(offer)
        if is_given_later(offer):
            yield _("It is given when the order counts.")
        else:
            yield (
                ngettext(
                    "The friend's gift is good for %(count)s day after they take it.",
                    "The friend's gift is good for %(count)s days after they take it.",
                    offer.valid_days,
                )
                % {"count": self._number(offer.valid_days)}
            )
        yield (
            ngettext(
                "After taking it they have %(count)s day to buy, so that you are thanked for it.",
                "After taking it they have %(count)s days to buy, so that you are thanked for it.",
                terms.claim_days,
            )
            % {"count": self._number(terms.claim_days)}
        )

    def _least(self, offer: Offer) -> str:
        return _("The bill has to be %(least)s or more.") % {"least": self._money(offer.minimum_minor)}

    def _friend_step(self, tier: Tier) -> str:
        words = {"count": self._number(tier.threshold), "gift": gets(tier, self.store)}
        if tier.gives == Tier.Gives.ONCE:
            return _("With their purchase number %(count)s your friend gets %(gift)s once.") % words
        if tier.gives == Tier.Gives.EVERY:
            return _("With every purchase number %(count)s your friend gets %(gift)s.") % words
        return _("From purchase number %(count)s on your friend gets %(gift)s each time.") % words

    def _step(self, tier: Tier) -> str:
        parts = [self._earned(tier)]
        if tier.within_days:
            words = ngettext(
                "They must count within %(count)s day.", "They must count within %(count)s days.", tier.within_days
            )
            parts.append(words % {"count": self._number(tier.within_days)})
        offer = tier.offer
        if offer.minimum_minor:
            parts.append(self._least(offer))
        if Offer.Kind(offer.kind).is_code:
            words = ngettext("It is good for %(count)s day.", "It is good for %(count)s days.", offer.valid_days)
            parts.append(words % {"count": self._number(offer.valid_days)})
        return " ".join(parts)

    def _earned(self, tier: Tier) -> str:
        words = {"count": self._number(tier.threshold), "gift": gets(tier, self.store)}
        if tier.gives == Tier.Gives.ONCE:
            sentence = ngettext(
                "When %(count)s friend has bought you get %(gift)s once.",
                "When %(count)s friends have bought you get %(gift)s once.",
                tier.threshold,
            )
        elif tier.gives == Tier.Gives.EVERY:
            sentence = ngettext(
                "Each time %(count)s friend has bought you get %(gift)s.",
                "Each time %(count)s friends have bought you get %(gift)s.",
                tier.threshold,
            )
        elif tier.threshold == 1:
            sentence = _("For each friend who buys you get %(gift)s.")
        else:
            sentence = _("From friend number %(count)s on, each friend brings you %(gift)s.")
        return sentence % words

    def _second(self) -> Iterator[str]:
        if self.terms.second_offer:
            gift = offer_text(self.terms.second_offer, self.store)
            yield _("When a friend of your friend buys, you get %(gift)s.") % {"gift": gift}

    def _limits(self) -> Iterator[str]:
        terms = self.terms
        if terms.most_rewards is not None:
            words = ngettext(
                "You are rewarded for %(count)s friend at most.",
                "You are rewarded for %(count)s friends at most.",
                terms.most_rewards,
            )
            yield words % {"count": self._number(terms.most_rewards)}
        if terms.most_in_period is not None:
            words = ngettext(
                "You are rewarded for %(count)s friend in %(days)s days at most.",
                "You are rewarded for %(count)s friends in %(days)s days at most.",
                terms.most_in_period,
            )
            yield words % {"count": self._number(terms.most_in_period), "days": self._number(terms.period_days)}

    def _counting(self) -> Iterator[str]:
        terms = self.terms
        words = ngettext(
            "An order counts %(count)s day after it was placed.",
            "An order counts %(count)s days after it was placed.",
            terms.hold_days,
        )
        yield words % {"count": self._number(terms.hold_days)}
        if terms.minimum_order_minor:
            least = self._money(terms.minimum_order_minor)
            yield _("It has to come to %(least)s or more.") % {"least": least}
        only, without = _named(terms.only_products), _named(terms.not_products)
        if only:
            yield _("Only these count: %(things)s.") % {"things": only}
        if without:
            yield _("These do not count: %(things)s.") % {"things": without}
        first = terms.touch == Terms.Touch.FIRST
        yield (
            _("If several people sent the same friend, whoever was first is thanked.")
            if first
            else _("If several people sent the same friend, whoever was last is thanked.")
        )

    def _refunds(self) -> Iterator[str]:
        yield _("If the order is returned or cancelled, it does not count and its reward is taken back.")
        yield str(REFUNDS[Terms.Refund(self.terms.refund)])


REFUNDS = {
    Terms.Refund.KEEP: gettext_lazy("If only a part of it is returned, the reward stays as it is."),
    Terms.Refund.PROPORTION: gettext_lazy("If a part of it is returned, the reward becomes smaller in proportion."),
    Terms.Refund.TAKE_BACK: gettext_lazy("That is so, too, if only a part of it is returned."),
}
ALWAYS = (
    gettext_lazy("Your own orders do not count."),
    gettext_lazy("When you recommend us, say that you get something for it; the words we prepared do."),
)


def _named(rules: Sequence[dict[str, str]]) -> str:
    return ", ".join(rule.get("category") or rule.get("sku", "") for rule in rules)


def terms_path(terms: Terms) -> str:
    """Where this version of the terms can be read, for as long as we exist."""
    return reverse("referral:terms", args=[tokens.make(tokens.Purpose.TERMS, terms.store_id, terms)])
