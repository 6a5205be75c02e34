"""Icons drawn into the page itself: on customers' pages the sheet of all icons would be one more thing to wait for."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
SAFE = "=:/'()-.,"  # stand in such an address as they are
SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)" viewBox="0 0 24 24">(.*?)</symbol>', re.DOTALL)


@cache
def _shapes() -> dict[str, str]:
    """The inside of each icon of static/icons.svg, by its name."""
    text = (settings.BASE_DIR / "static" / "icons.svg").read_text()
    return {name: re.sub(r"\s+(?=<|/>)", "", shape) for name, shape in SYMBOL.findall(text)}


@register.simple_tag
@cache
def favicon() -> SafeString:
    """static/favicon.svg as an address that holds it: the tab's picture is no request."""
    text = (settings.BASE_DIR / "static" / "favicon.svg").read_text().strip()
    return mark_safe(f"data:image/svg+xml,{quote(text, safe=SAFE)}")  # our own file, quoted


@register.simple_tag
def drawn(name: str) -> SafeString:
    """The icon of that name as inline SVG. Raises KeyError for one that is not on the sheet."""
    return mark_safe(  # shapes of our own file
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_shapes()[name]}</svg>'
    )
