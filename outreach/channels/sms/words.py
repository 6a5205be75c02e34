"""Which texts ask for silence, and which take that back.

Sources: 47 CFR 64.1200(a)(10) (stop, quit, end, revoke, opt out, cancel, unsubscribe, and any words a
reasonable person understands so), CTIA messaging principles (stopall, arret; start, unstop), Iranian
operators' "لغو۱۱" and 12, PH NTC MC 03-03-2005. "Yes" answers too many questions to count as consent.
"""

from __future__ import annotations

import re

from stores.l10n import fold_text

STOP_WORDS = frozenset(
    {"stop", "stop it", "stop all", "stopall", "stop this", "stop now", "quit", "end", "revoke", "opt out", "optout"}
    | {"cancel", "unsubscribe", "arret", "enough", "leave me alone", "no more", "remove", "remove me"}
    | {"لغو", "11", "لغو11", "لغو 11", "11 لغو", "لغو اشتراک", "لغو عضویت", "لغو پیامک", "لغو ارسال"}
    | {"کنسل", "بس است", "بسه"}
    | {"itigil", "tigil", "huwag na", "wag na", "ayoko na", "ayaw ko na", "tama na", "tigilan"}
)
START_WORDS = frozenset(
    {"start", "unstop", "restart", "resume", "subscribe", "resubscribe", "opt in", "optin", "opt me in"}
    | {"12", "عضویت", "شروع", "شروع مجدد", "وصل", "simulan", "ituloy"}
)
FILLERS = frozenset(
    {"please", "pls", "plz", "kindly", "thanks", "thank", "you", "thx", "ok", "okay", "hi", "hello", "sir", "maam"}
    | {"po", "opo", "naman", "nyo", "niyo", "ninyo", "mo", "yan", "iyan", "salamat", "paki", "pakiusap"}
    | {"لطفا", "ممنون", "مرسی", "سلام", "رو", "را", "کنید", "کن", "شود"}
)

# What somebody wants no more of: "texts", "your messages", "any more of these offers".
THINGS = r"(?:text|txt|message|msg|sms|notification|link|offer|ad|advert|promo|spam|stuff|whatsapp)\w*"
OF_THEM = rf"(?:(?:me|us|to|any|anymore|more|of|all|these|those|this|the|your|with|from|you|such) ){{0,5}}{THINGS}"
AT_ME = r"(?:me|us|my number|my phone|this number|this phone|this|these|those|it)\b"
SENDING = r"(?:text|txt|messag|sms|send|contact|writ|spam|bother|harass|pester|promot)\w*"
SENTENCES_EN = (
    rf"stop {SENDING} (?:to )?(?:{AT_ME}|{OF_THEM})",
    rf"stop (?:{OF_THEM}|receiving {OF_THEM}|getting {OF_THEM})",
    rf"(?:dont|do not|never|please not) (?:ever )?(?:text|txt|message|sms|contact|write|spam|bother) "
    rf"(?:to )?(?:me\b|us\b|my number|this number|{OF_THEM})",
    rf"(?:dont|do not|never) (?:ever )?send (?:{OF_THEM}|me any)",
    rf"(?:dont|do not|no longer|not) (?:want|wish|like)(?: to)? (?:get |receive |have |see |be sent )?{OF_THEM}",
    rf"no more {THINGS}",
    r"(?:remove|delete|take|drop) (?:me|us|my number|this number|my phone)"
    r" (?:off|from (?:your|the|this|all|these)(?: \w+)? (?:list|database|system|contacts|messages|texts)\w*)",
    r"(?:i|we|id|we d) (?:want|wish|would like|need|like) to (?:opt out|unsubscribe|be removed)",
    r"unsubscribe (?:me|us|my number|this number)",
    r"opt (?:me|us|my number|this number) out",
    rf"(?:cancel|end|revoke) (?:my )?(?:subscription|consent|permission|{OF_THEM})",
    r"leave me alone",
)
SENTENCES_FIL = (
    r"(?:hu)?wag (?:(?:na|nyo|niyo|ninyo|nang|po|kayo|kayong|akong|ako|mo) ){1,4}"
    r"(?:mag |i )?(?:magtext|itext|text|message|send|magpadala|padala)",
    r"(?:ayoko|ayaw ko) na(?: po)? (?:(?:ng|nang|makatanggap|tumanggap|sa|mga) ){1,3}(?:text|message|sms|mensahe)",
    r"(?:itigil|tigilan|tigil) (?:(?:na|nyo|niyo|ninyo|mo|po|ang|ako|yung|mga) ){1,5}"
    r"(?:pag ?text|text|message|mensahe|pagpapadala|send)",
)
MESSAGE_FA = r"(?:پیام|پیامک|اس ام اس|تبلیغ|تبلیغات)"
SENTENCES_FA = (
    rf"{MESSAGE_FA}(?: \w+){{0,2}} (?:نده|ندهید|ندین|ندید|نفرست|نفرستید|نفرستین)\b",
    rf"{MESSAGE_FA}(?: \w+){{0,2}} (?:نزن|نزنید|نکن|نکنید|نیاد|نیاید)\b",
    rf"{MESSAGE_FA}(?: \w+)? نمی ?(?:خوام|خواهم)\b",
    r"لغو (?:اشتراک|عضویت|پیامک|پیام|ارسال)\b",
)
STOP_SENTENCES = re.compile("|".join(rf"\b(?:{one})" for one in (*SENTENCES_EN, *SENTENCES_FIL, *SENTENCES_FA)))
# "I can't stop texting my friends about it" and "don't stop sending offers" ask for nothing.
NOT_STOP = re.compile(
    r"\b(?:cant|cannot|can not|couldnt|could not|dont|do not|wont|will not|never|not|didnt|doesnt|wouldnt|nobody can"
    r"|(?:why|when) (?:did|do|have) (?:you|u|they))"
    r" (?:\w+ )?(?:stop|quit|cancel|unsubscribe|end)\w*"
)
LONGEST = 2000  # characters looked at; the longest concatenated SMS has fewer


def is_stop(text: str) -> bool:
    """Whether somebody asks to be written to no more: a stop word, alone or politely, or a plain sentence."""
    plain = _plain(text)
    if _is_one_of(plain, STOP_WORDS):
        return True
    return bool(STOP_SENTENCES.search(NOT_STOP.sub(" ", plain)))


def is_start(text: str) -> bool:
    """Whether somebody takes their stop back; only the words for it count, no sentences."""
    return _is_one_of(_plain(text), START_WORDS)


def _plain(text: str) -> str:
    """Folded, without apostrophes and punctuation: "Don't." and "DONT" are one."""
    folded = re.sub(r"['’‘`´]", "", fold_text(text[:LONGEST]))
    return " ".join(re.sub(r"[^\w\s]|_", " ", folded).split())


def _is_one_of(plain: str, words: frozenset[str]) -> bool:
    """Whether the text is one of the words, as it stands or without what is said for politeness."""
    polite = [word for word in plain.split() if word not in FILLERS]
    bare = [word for word in polite if word != "na"]  # "already": part of some words, politeness in others
    return bool({plain, " ".join(polite), " ".join(bare)} & words)
