"""A page as people see it, shown in a frame beside an editor: no script runs there, and no link leads anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string

SCRIPT = re.compile(r"<script\b[^>]*></script>")  # ours are all of this form; the frame would only refuse them


@dataclass(frozen=True)
class Page:
    """A whole page in one language; `view` names which, where an editor shows several."""

    html: str
    language: str
    view: str = ""


def page(request: HttpRequest, template: str, context: dict[str, object], language: str, view: str = "") -> Page:
    """What the template says with this context, which stands for that of the public page."""
    # The dashboard's own messages are not for people.
    html = SCRIPT.sub("", render_to_string(template, {**context, "messages": []}, request))
    # Links open elsewhere, which the frame does not allow: nobody leaves the editor by a slip.
    return Page(html.replace("<head>", '<head><base target="_blank">', 1), language, view)


def chosen(typed: str, known: Iterable[str], usual: str) -> str:
    """What was chosen, if there is such a thing."""
    return typed if typed in set(known) else usual
