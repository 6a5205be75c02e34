"""From a message row to a letter, a text or a script in the person's language.

The words come from the store or from `outreach.words`; what the message offers to do (scores, a gift
to pass on, a code, a button), who writes, why, and the way out are put around them here, the same for
all: templates/outreach/base_mail.html. The plain-text part is written from the HTML.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from customers.models import Channel, Customer
from outreach import fields, frames
from outreach.channels import Letter
from outreach.frames import in_html
from outreach.kinds import Action, Kind, Way
from outreach.language import ISOLATE, ISOLATE_END, BadWords, Shown, clean, compile_words, tidy
from outreach.models import Message
from outreach.own_words import wording, words_of
from outreach.words import ENGLISH, Wording, our_words
from stores import tokens
from stores.models import Store

logger = logging.getLogger(__name__)

LANGUAGES = {code for code, _name in settings.LANGUAGES}
LONGEST_SUBJECT = 200
PREHEADER = 140
SCORES = {"nps": (range(6), range(6, 11)), "csat": (range(1, 6),)}
# Where the button leads, the first that the message has.
LINKS = {
    Action.SCORES: ("survey", "action"),
    Action.SHARE: ("share", "action"),
    Action.BUTTON: ("action", "share", "landing"),
    Action.CODE: ("action", "share", "landing"),
}
# Where a message of its own words has them, by piece.
WRITTEN = {"subject": "subject", "body": "body", "sms": "body", "script": "body"}
RIGHT_TO_LEFT_MARK = "\u200f"


def language_of(store: Store, customer: Customer) -> str:
    """The person's language if we speak it, else the store's."""
    return next((code for code in (customer.locale, store.locale) if code in LANGUAGES), "en")


def unsubscribe_url(store: Store, customer: Customer) -> str:
    """The person's unsubscribe and preferences page."""
    return f"{settings.SITE_URL}/u/{tokens.make(tokens.Purpose.UNSUBSCRIBE, store.pk, customer)}"


def letter(store: Store, message: Message) -> Letter:
    """Render a claimed message for its channel."""
    language = language_of(store, message.customer)
    return compose(store, message, wording(store, message, language), language)


def script_of(store: Store, message: Message, way: Way) -> str:
    """What somebody of the store says or writes for a message, in the customer's language."""
    language = language_of(store, message.customer)
    return script(store, message, wording(store, message, language), language, way)


def compose(
    store: Store, message: Message, words: Wording, language: str, *, stop: str = "", framed: bool = False
) -> Letter:
    """The letter or text with these words. `framed`: for a page of ours, where style blocks are refused."""
    stop = stop or unsubscribe_url(store, message.customer)
    with translation.override(language):
        if message.channel == Channel.SMS:
            text = _sms(store, message, words, language, stop)
            return Letter(message.public_id, message.to, "", text, sender_name=store.name)
        values = fields.values(store, message, language)
        html, text = frames.page(_mail(store, message, words, language, values, stop=stop, framed=framed))
        return Letter(
            message.public_id,
            message.to,
            _subject(message, words, language, values),
            text,
            html,
            sender_name=store.name,
            headers={} if Kind(message.kind).is_transactional else _unsubscribe_headers(stop),
        )


def script(store: Store, message: Message, words: Wording, language: str, way: Way) -> str:
    """The script with these words."""
    with translation.override(language):
        asked = {str(one): Shown(raw=one == way) for one in fields.WAYS_ASKED}
        return _fill("script", words, message, fields.values(store, message, language) | asked, language)


def _fill(name: str, words: Wording, message: Message, values: Mapping[str, Shown], language: str) -> str:
    """A piece with its fields filled in. A translation that cannot be read gives way to the English original.

    What somebody of the store wrote for this one message goes out as it is.
    """
    kind, written = Kind(message.kind), message.context.get(WRITTEN.get(name, ""))
    if written:
        return tidy(clean(str(written)))
    conditions = fields.WAYS_ASKED if name == "script" else ()
    for read in (words.piece, lambda one: our_words(kind, language).piece(one), ENGLISH[kind].piece):
        try:
            return compile_words(read(name), fields.names_of(kind), conditions).render(values)
        except BadWords:
            logger.exception("the words of %s in %s cannot be read: %s", kind, language, name)
    return ""


def _subject(message: Message, words: Wording, language: str, values: Mapping[str, Shown]) -> str:
    return " ".join(_fill("subject", words, message, values, language).split())[:LONGEST_SUBJECT]


def _mail(
    store: Store,
    message: Message,
    words: Wording,
    language: str,
    values: Mapping[str, Shown],
    *,
    stop: str,
    framed: bool,
) -> dict[str, Any]:
    """What the layout needs; `parts` and `said` are its paragraphs and values before they were made HTML."""
    kind = Kind(message.kind)
    action, links = kind.spec.action, message.context.get("links") or {}
    body = _fill("body", words, message, values, language)
    said = {name: shown.text for name, shown in values.items()}
    return {
        **frames.directions(language),
        "store": store,
        "parts": parts_of(body),
        "paragraphs": paragraphs(body),
        "preheader": _preheader(body),
        "action": action.value,
        "button": _fill("button", words, message, values, language) or _("Open"),
        "url": _link(store, kind, links),
        "landing": links.get("landing", ""),
        "code": clean(str(message.context.get("code") or "")),
        "said": said,
        "shown": {name: in_html(text) for name, text in said.items()},
        "question": _question(store, message) if action is Action.SCORES else "",
        "rows": SCORES.get(str(message.context.get("question") or "nps"), SCORES["nps"]),
        "why": _why(store, kind),
        "unsubscribe_url": "" if kind.is_transactional else stop,
        "framed": framed,
    }


def _link(store: Store, kind: Kind, links: Mapping[str, str]) -> str:
    found = next((links[name] for name in LINKS.get(kind.spec.action, ()) if links.get(name)), "")
    if kind in (Kind.GIFT, Kind.GIFT_EXPIRING) and not links.get("action"):
        return store.website  # the code is used in the shop; the page it came from says nothing new
    return found


def parts_of(text: str) -> list[str]:
    """The paragraphs of a text."""
    return [part for part in text.split("\n\n") if part]


def paragraphs(text: str) -> list[SafeString]:
    """The paragraphs of a text as HTML."""
    return [SafeString(in_html(part).replace("\n", "<br>")) for part in parts_of(text)]


def _preheader(body: str) -> SafeString:
    """What a mail program shows beside the subject: the words after the greeting."""
    _greeting, _gap, rest = body.partition("\n\n")
    return in_html(_cut(" ".join((rest or body).split()), PREHEADER))


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    short = text[:longest].rsplit(" ", 1)[0]
    return short + (ISOLATE_END if short.count(ISOLATE) > short.count(ISOLATE_END) else "") + "…"


def _question(store: Store, message: Message) -> str:
    """The question over the row of scores: a survey's own wording, else ours, which never changes."""
    own = clean(str(message.context.get("asks") or ""))
    if own:
        return own
    if message.context.get("question") == "csat":
        return _("How satisfied are you with %(store)s?") % {"store": store.name}
    return _("How likely are you to recommend %(store)s to a friend?") % {"store": store.name}


def _why(store: Store, kind: Kind) -> str:
    """Why they get this, as the law asks for it in every letter."""
    if kind is Kind.GIFT:
        words = _("You get this one letter because you took this gift on the page of %(store)s.")
    elif kind is Kind.GIFT_EXPIRING:
        words = _("You get this because you took a gift on the page of %(store)s and agreed to hear from us.")
    elif kind.is_marketing:
        words = _("You get this because you bought something at %(store)s and agreed to hear from us.")
    else:
        words = _("You get this because you bought something at %(store)s.")
    return words % {"store": store.name}


def _sms(store: Store, message: Message, words: Wording, language: str, stop: str) -> str:
    """Who writes, the words, the link, the way out.

    Old phones show isolating marks as boxes; one plain mark at the start turns the whole text.
    """
    kind = Kind(message.kind)
    values = fields.values(store, message, language, longest=fields.SHORT)
    text = " ".join(_fill("sms", words, message, values, language).split())
    text = text.replace(ISOLATE, "").replace(ISOLATE_END, "")
    if not text.startswith(store.name):
        text = f"{store.name}: {text}"
    lines = [" ".join(part for part in (text, _sms_link(store, kind, message)) if part)]
    if not kind.is_transactional:
        lines += way_out(store, language, stop, can_be_answered=words_of(store).can_be_answered)
    mark = RIGHT_TO_LEFT_MARK if language == "fa" else ""
    return mark + "\n".join(lines)


def _sms_link(store: Store, kind: Kind, message: Message) -> str:
    """The link at the end; a code that the words name is enough."""
    if kind.spec.action is Action.CODE and message.context.get("code"):
        return ""
    return _link(store, kind, message.context.get("links") or {})


def way_out(store: Store, language: str, stop: str, *, can_be_answered: bool) -> list[str]:
    """How to get no more texts: by an answer where it reaches us, else by a page.

    Persian texts end in the word that people in Iran look for, and that operators there act on.
    Source: RELIABILITY section 4.
    """
    lines = []
    if language != "fa" and can_be_answered:
        return [_("No more texts? Reply STOP")]
    if not can_be_answered and (language != "fa" or store.country != "IR"):
        lines.append(_("Stop: %(url)s") % {"url": stop})
    return [*lines, "لغو۱۱"] if language == "fa" else lines


def _unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 8058: one click, no page."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
