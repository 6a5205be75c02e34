"""The language of owners' words: Django's template syntax, cut down to fields and `{% if %}`.

    Hello {{ name }}, {% if product %}how is your {{ product }}?{% else %}how was it?{% endif %}

Django's lexer and parser read it, but the parser knows one tag, one filter and the names it is given:
no look-ups, calls, includes, loads or translations exist, so no input can reach anything. `if` takes
fields, numbers, quoted texts, and/or/not and comparisons. Rendering cannot raise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from django.template import Context, TemplateSyntaxError
from django.template.base import Lexer, Node, NodeList, Parser, Token, TokenType
from django.template.defaulttags import IfNode, TemplateIfParser
from django.utils.text import smart_split
from django.utils.translation import gettext as _

LONGEST = 8000  # characters of one text
DEEPEST = 6  # ifs within ifs
MOST_IN_IF = 15  # words of one condition
OPERATORS = {"and", "or", "not", "==", "!=", ">", "<", ">=", "<="}
TAGS = ("if", "elif", "else", "endif")
BRACES = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
ONE_BRACE = re.compile(r"(?<!\{)\{\s*(\w+)\s*\}(?!\})")
NAME = re.compile(r"\w+")
FILTER = re.compile(r"\s*\|\s*(?P<filter>\w+)\s*(?::\s*(?P<text>\"[^\"]*\"|'[^']*'))?")
NUMBER = re.compile(r"\d{1,6}")
STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"})
KEPT = {"\n", "\u200c", "\u200d", "\u200e", "\u200f"}  # joiners and marks that Persian and emoji need
UNTIDY = re.compile(r"\A\s|\s\Z|  |\u00a0|[^\S\n]\n|\n[^\S\n]|\n{3}")
CAPITAL = "\ue000"  # stands before a word of ours that may begin a sentence
ISOLATE, ISOLATE_END = "\u2068", "\u2069"
SENTENCE_START = re.compile(rf"(?P<before>(?:^|[.!?…]\s+|\n\s*)[\"“«]?){CAPITAL}(?P<letter>.)", re.DOTALL)


class BadWords(ValueError):
    """The text cannot be used; `problems` are sentences that say how to mend it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Shown:
    """What a field is worth (`{% if %}` asks `raw`) and how it reads; `instead` stands in where `text` is empty."""

    raw: Any = ""
    text: str = ""
    instead: str = ""


NOTHING = Shown()


@dataclass(frozen=True)
class Words:
    """A text ready to be filled in.

    `used` are the fields it names; `unguarded` those it prints outside an `if` about them and without
    a default.
    """

    nodes: NodeList = field(repr=False)
    used: frozenset[str]
    unguarded: frozenset[str]

    def render(self, values: Mapping[str, Shown]) -> str:
        """The text with the fields filled in: no blank runs, no empty line twice. Plain text, not HTML."""
        written = str(self.nodes.render(Context(dict(values), autoescape=False)))
        if CAPITAL in written:
            written = SENTENCE_START.sub(_capital, written).replace(CAPITAL, "")
        return tidy(written)


def compile_words(text: str, allowed: Collection[str], conditions: Collection[str] = ()) -> Words:
    """Read a text that may print the fields `allowed`, and ask in `if` for those and `conditions`.

    Raises BadWords with every problem found, in the active language.
    """
    return _compiled(text, frozenset(allowed), frozenset(conditions))


@lru_cache(maxsize=4096)
def _compiled(text: str, allowed: frozenset[str], conditions: frozenset[str]) -> Words:
    if len(text) > LONGEST:
        raise BadWords([_("This text is too long.")])
    parser = _Parser(text, allowed, conditions)
    try:
        nodes = parser.parse()
    except _Unreadable:
        nodes = NodeList()
    if parser.problems:
        raise BadWords(list(dict.fromkeys(parser.problems)))
    return Words(nodes, frozenset(parser.used), frozenset(parser.unguarded))


def clean(text: str) -> str:
    """The text without control characters and direction overrides, line ends as \\n."""
    if text.isascii() and text.isprintable():
        return text
    unix = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(one for one in unix if one in KEPT or unicodedata.category(one)[0] != "C")


def tidy(text: str) -> str:
    """No blanks at the ends of lines or twice in a row, at most one empty line between paragraphs."""
    if not UNTIDY.search(text):
        return text
    lines = [" ".join(line.split(" ")).strip() for line in re.sub(r"[ \u00a0]+", " ", text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _capital(found: re.Match[str]) -> str:
    return found["before"] + found["letter"].upper()


class _Unreadable(Exception):
    """Reading on makes no sense; the problem is noted."""


class _Term:
    """A field or constant; `if` asks with `ignore_failures`, printing without (Django's protocol)."""

    def __init__(self, name: str = "", constant: Any = None, default: str | None = None) -> None:
        self.name, self.constant, self.default = name, constant, default

    def resolve(self, context: Context, ignore_failures: bool = False) -> Any:
        """The value to compare, or the text to print."""
        if self.constant is not None:
            return self.constant
        shown: Shown = context.get(self.name) or NOTHING
        if ignore_failures:
            return shown.raw
        if shown.text or self.default is not None:
            return shown.text or self.default
        return CAPITAL + shown.instead if shown.instead else ""


class _Printed(Node):
    """`{{ name }}`."""

    def __init__(self, term: _Term) -> None:
        self.term = term

    def render(self, context: Context) -> str:
        return str(self.term.resolve(context))


class _Never:
    """The condition of an `if` that could not be read."""

    def eval(self, context: Context) -> bool:
        return False


class _Tags(dict[str, Any]):
    """Every tag but `if` is a problem."""

    def __missing__(self, command: str) -> Any:
        return _unknown_tag


class _Parser(Parser):
    def __init__(self, text: str, allowed: frozenset[str], conditions: frozenset[str]) -> None:
        self.allowed, self.conditions = allowed, conditions
        self.problems: list[str] = []
        self.used: set[str] = set()
        self.unguarded: set[str] = set()
        self.guards: list[str] = []
        super().__init__([token for token in Lexer(clean(text)).tokenize() if self.is_fine(token)])
        self.tags = _Tags({"if": _if})

    def is_fine(self, token: Token) -> bool:
        """Look at a token on its own; one that must not reach Django's parser is noted and dropped."""
        if token.token_type == TokenType.TEXT:
            self.look_at_text(token.contents)
            return True
        if token.token_type == TokenType.COMMENT:
            self.problems.append(_("Notes in {# #} are not known here. Take this one out."))
            return False
        token.contents = token.contents.translate(STRAIGHT)
        if not token.contents:
            self.problems.append(_("There is a pair of empty braces. Write a field between them, or take them out."))
        return bool(token.contents)

    def look_at_text(self, text: str) -> None:
        """Braces that belong to nothing."""
        stray = BRACES.search(text)
        if stray:
            words = _("A “%(braces)s” stands alone. A field is written {{ name }}, a condition {%% if name %%}.")
            self.problems.append(words % {"braces": stray[0]})
        for one in ONE_BRACE.finditer(text):
            if one[1] in self.allowed:
                words = _("Write {{ %(name)s }} with two braces on each side, not %(typed)s.")
                self.problems.append(words % {"name": one[1], "typed": one[0]})

    def compile_filter(self, token: str) -> _Term:  # type: ignore[override]
        """What `{{ token }}` prints; looks like Django's FilterExpression from outside."""
        name = NAME.match(token)
        if name is None:
            self.problems.append(_("{{ %(typed)s }} cannot be read. Write one field: {{ name }}.") % {"typed": token})
            return _Term(constant="")
        rest, default = token[name.end() :], None
        if rest:
            default = self.default_in(token, rest)
        return self.field(name[0], default, shown=token)

    def default_in(self, token: str, rest: str) -> str | None:
        """The text after `|default:`; anything else after a name is a problem."""
        found = FILTER.fullmatch(rest)
        if found and found["filter"] == "default" and found["text"]:
            return found["text"][1:-1]
        if rest.startswith("."):
            words = _("{{ %(typed)s }} has a full stop in it. Fields are single words, for example {{ name }}.")
        elif found and found["filter"] != "default":
            words = _('{{ %(typed)s }}: the only thing that may follow a field is |default:"other words".')
        else:
            words = _('{{ %(typed)s }} cannot be read. Write {{ name }}, or {{ name|default:"other words" }}.')
        self.problems.append(words % {"typed": token})
        return ""

    def field(self, name: str, default: str | None, *, shown: str) -> _Term:
        """A field that is printed."""
        if name in self.allowed:
            self.used.add(name)
            if default is None and name not in self.guards:
                self.unguarded.add(name)
        elif name in self.conditions:
            words = _("{{ %(name)s }} cannot be printed, only asked: {%% if %(name)s %%}.")
            self.problems.append(words % {"name": name})
        elif not self.problems or shown not in self.problems[-1]:  # one problem a place
            self.problems.append(self.no_field(name))
        return _Term(name, default=default)

    def no_field(self, name: str) -> str:
        """The sentence about a name that is no field."""
        near = get_close_matches(name.lower(), sorted(self.allowed), n=1, cutoff=0.6)
        if near:
            words = _("There is no field {{ %(typed)s }}; did you mean {{ %(near)s }}?")
            return words % {"typed": name, "near": near[0]}
        listed = ", ".join(sorted(self.allowed))
        return _("There is no field {{ %(typed)s }}. You can use: %(fields)s.") % {"typed": name, "fields": listed}

    def condition(self, token: Token) -> Any:
        """What an `if` or `elif` asks; its fields are guarded from here to the end of the `if`."""
        bits = list(smart_split(token.contents))[1:]
        if not bits or len(bits) > MOST_IN_IF or any(bit in ("in", "is") for bit in bits):
            return self.bad_condition(token)
        before = len(self.problems)
        terms = {bit: self.asked(bit) for bit in bits if bit not in OPERATORS}
        if len(self.problems) > before:
            return _Never()
        try:
            return _Condition(terms, bits).parse()
        except TemplateSyntaxError:
            return self.bad_condition(token)

    def bad_condition(self, token: Token) -> _Never:
        """Note that a condition cannot be read."""
        words = _("{%% %(typed)s %%} cannot be read. Write {%% if product %%} or {%% if friends > 1 %%}.")
        self.problems.append(words % {"typed": token.contents})
        return _Never()

    def asked(self, bit: str) -> _Term:
        """A field, number or quoted text in a condition."""
        if NUMBER.fullmatch(bit) and bit.isascii():
            return _Term(constant=int(bit))
        if len(bit) > 1 and bit[0] in "\"'" and bit[-1] == bit[0]:
            return _Term(constant=bit[1:-1])
        if bit in self.allowed or bit in self.conditions:
            self.used.add(bit)
            self.guards.append(bit)
        else:
            self.problems.append(self.no_field(bit))
        return _Term(bit)

    def unclosed_block_tag(self, parse_until: Iterable[str]) -> None:
        """Called at the end of a text whose `if` has no end."""
        token = self.command_stack[-1][1]
        words = _("{%% %(typed)s %%} is not closed. Write {%% endif %%} where it ends.")
        self.problems.append(words % {"typed": token.contents})
        raise _Unreadable

    def extend_nodelist(self, nodelist: NodeList, node: Any, token: Token) -> None:
        """Django's VariableNode knows localisation and auto-escaping; ours prints what it is given."""
        nodelist.append(_Printed(node.filter_expression) if token.token_type == TokenType.VAR else node)


class _Condition(TemplateIfParser):
    """Django's reader of conditions over terms that were looked at before."""

    def __init__(self, terms: Mapping[str, _Term], bits: list[str]) -> None:
        self.terms = terms
        super().__init__(self, bits)  # type: ignore[arg-type]  # asked for `compile_filter` only

    def compile_filter(self, bit: str) -> _Term:
        return self.terms[bit]


def _if(parser: _Parser, token: Token) -> Node:
    """`{% if %}` to `{% endif %}`."""
    if len(parser.command_stack) > DEEPEST:
        parser.problems.append(_("There are too many conditions within conditions. Make it simpler."))
        raise _Unreadable
    branches: list[tuple[Any, NodeList]] = []
    known, word = len(parser.guards), "if"
    while word != "endif":
        if word == "else":
            _alone(parser, token)
            branches.append((None, parser.parse(("endif",))))
        else:
            branches.append((parser.condition(token), parser.parse(("elif", "else", "endif"))))
        token = parser.next_token()
        word = token.contents.split()[0]
    _alone(parser, token)
    del parser.guards[known:]
    return IfNode(branches)


def _alone(parser: _Parser, token: Token) -> None:
    """`else` and `endif` take nothing."""
    word, *more = token.contents.split()
    if more:
        words = _("{%% %(typed)s %%}: nothing may follow “%(word)s”. For another condition write {%% elif … %%}.")
        parser.problems.append(words % {"typed": token.contents, "word": word})


def _unknown_tag(parser: _Parser, token: Token) -> Node:
    """A tag that is not `if`, or a part of `if` without its beginning."""
    command, *more = token.contents.split()
    near = get_close_matches(command.lower(), TAGS, n=1, cutoff=0.7)
    near = ["elif"] if near == ["else"] and more else near
    if command in TAGS:
        words = _("{%% %(typed)s %%} stands alone: there is no {%% if %%} before it.")
    elif command in parser.allowed:
        words = _("{%% %(typed)s %%} is no condition. To print the field write {{ %(typed)s }}.")
    elif near:
        words = _("{%% %(typed)s %%} is not known. Did you mean {%% %(near)s %%}?")
    else:
        words = _("{%% %(typed)s %%} is not known. Only {%% if %%}, {%% elif %%}, {%% else %%} and {%% endif %%} are.")
    parser.problems.append(words % {"typed": token.contents, "near": near[0] if near else ""})
    return _Printed(_Term(constant=""))
