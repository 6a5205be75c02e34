"""Which question an order gets, and what its message says of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import F
from django.utils import translation

from customers.models import OrderLine
from outreach.rendering import language_of
from stores.models import Store
from surveys import wording
from surveys.models import Invitation, Survey


def choose_surveys(store: Store, invitations: Sequence[Invitation]) -> None:
    """Give each invitation the survey about what was bought, if the store has one; None is the standard question.

    One about a product goes before one about its category, a newer before an older.
    """
    surveys = Survey.objects.for_store(store).filter(occasion=Survey.Occasion.PRODUCT, is_on=True)
    wanted = list(surveys.order_by(F("product").asc(nulls_last=True), "-pk"))
    changed: dict[Survey | None, list[int]] = defaultdict(list)
    bought = _bought(store, invitations) if wanted else {}
    for invitation in invitations:
        things = bought.get(invitation.order_id or 0, set())
        survey = next((one for one in wanted if _is_about(one, things)), None)
        if invitation.survey_id != (survey.pk if survey else None):
            changed[survey].append(invitation.pk)
        invitation.survey = survey
    for survey, ids in changed.items():
        Invitation.objects.for_store(store).filter(pk__in=ids).update(survey=survey)


Things = set[tuple[str, int | None]]


def _bought(store: Store, invitations: Sequence[Invitation]) -> dict[int, Things]:
    """Products and categories by order."""
    lines = OrderLine.objects.for_store(store).filter(order__in=[one.order_id for one in invitations])
    things: dict[int, Things] = defaultdict(set)
    for order, product, category in lines.values_list("order_id", "product_id", "product__category_id"):
        things[order] |= {("product", product), ("category", category)}
    return things


def _is_about(survey: Survey, things: Things) -> bool:
    if survey.product_id:
        return ("product", survey.product_id) in things
    return survey.category_id is not None and ("category", survey.category_id) in things


def message_words(store: Store, invitation: Invitation) -> dict[str, str]:
    """What a message adds for a question that is not the standard one: `question` (nps, csat) and `asks`, its words
    in the customer's language."""
    if invitation.survey is None and not invitation.is_follow_up:
        return {}
    with translation.override(language_of(store, invitation.customer)):
        return {"question": str(invitation.question.value), "asks": wording.asked_by(invitation, store)}
