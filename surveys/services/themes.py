"""What comments are about: the only writer of themes and mentions.

Every comment is compared with every theme when it comes in or changes; every theme with every comment
when its words change, in batches (`Theme.matched_to` says how far).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from stores.models import Store, User
from stores.services import note
from surveys import rules
from surveys.matching import finder, fold_comment, words_of
from surveys.models import Response, Theme, ThemeMention
from surveys.starters import themes_of

LOOK_BACK = timedelta(hours=1)
BATCH = 20_000  # comments a theme is compared with in one go: about a second
AT_ONCE = 2_000  # while the person who saves waits


class NameTaken(Exception):
    """Another theme has this name."""


def start_with_ours(store: Store, at: datetime) -> int:
    """Our themes, for a store that has none; how many were made. They come back when all were removed."""
    if Theme.objects.for_store(store).exists():
        return 0
    ours = [Theme(store=store, name=name, words=words, changed_at=at) for name, words in themes_of(store)]
    return len(Theme.objects.bulk_create(ours, ignore_conflicts=True))


def match_new(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Compare the comments that came or changed after `since` (None: the last hour) with all themes.

    Returns how many mentions were written or dropped. Twice is harmless.
    """
    start_with_ours(store, at)
    after = since or at - LOOK_BACK
    # An answer can be changed for some days only: that bounds the index range.
    recent = Response.objects.for_store(store).filter(at__gt=after - rules.CHANGE_WINDOW)
    changed = recent.filter(Q(at__gt=after) | Q(changed_at__gt=after))
    themes = list(Theme.objects.for_store(store))
    return _compare(store, themes, list(changed.only("pk", "comment", "at")))


def rematch_due(store: Store, at: datetime, *, limit: int = BATCH) -> int:
    """Go on comparing changed themes with all comments; returns how many comments were looked at."""
    waiting = Theme.objects.for_store(store).exclude(matched_to=None).order_by("changed_at", "pk")
    themes = list(waiting.select_for_update(skip_locked=True))
    return sum(_rematch(store, theme, limit) for theme in themes)


def _rematch(store: Store, theme: Theme, limit: int) -> int:
    rows = Response.objects.for_store(store).filter(pk__gt=theme.matched_to).exclude(comment="")
    batch = list(rows.order_by("pk").only("pk", "comment", "at")[:limit])
    _compare(store, [theme], batch)
    theme.matched_to = batch[-1].pk if len(batch) == limit else None
    Theme.objects.for_store(store).filter(pk=theme.pk).update(matched_to=theme.matched_to)
    return len(batch)


def _compare(store: Store, themes: Sequence[Theme], responses: Sequence[Response]) -> int:
    """Bring the mentions of these answers of these themes in line with their words."""
    if not themes or not responses:
        return 0
    rows = ThemeMention.objects.for_store(store).filter(theme__in=themes, response__in=responses)
    known = {(row.theme_id, row.response_id): row.pk for row in rows}
    times = {response.pk: response.at for response in responses}
    wanted = set(_mentions(themes, responses))
    new = [
        ThemeMention(store=store, theme_id=theme, response_id=response, at=times[response])
        for theme, response in sorted(wanted - known.keys())
    ]
    ThemeMention.objects.bulk_create(new, ignore_conflicts=True, batch_size=5000)
    gone = [pk for pair, pk in known.items() if pair not in wanted]
    if gone:
        ThemeMention.objects.for_store(store).filter(pk__in=gone).delete()
    return len(new) + len(gone)


def _mentions(themes: Sequence[Theme], responses: Iterable[Response]) -> Iterable[tuple[int, int]]:
    finders = [(theme.pk, finder(tuple(words_of(theme.words)))) for theme in themes]
    for response in responses:
        folded = fold_comment(response.comment) if response.comment else ""
        yield from ((pk, response.pk) for pk, found in finders if folded and found.search(folded))


def repair(store: Store, at: datetime) -> int:
    """The nightly repair: every theme is compared with every comment again, batch by batch."""
    return Theme.objects.for_store(store).filter(matched_to=None).update(matched_to=0)


# -- What owners decide --


def save_theme(store: Store, theme: Theme | None, *, name: str, words: str, by: User | None, at: datetime) -> Theme:
    """Make a theme (None) or change one; its mentions follow, the first of them at once. Raises NameTaken."""
    kept = "\n".join(words_of(words))
    before = {"name": theme.name, "words": theme.words} if theme else {}
    try:
        with transaction.atomic():
            if theme is None:
                theme = Theme.objects.create(store=store, name=name, words=kept, changed_at=at)
            else:
                rows = Theme.objects.for_store(store).filter(pk=theme.pk)
                rows.update(name=name, words=kept, changed_at=at, matched_to=0)
            note(store, "theme.saved", subject=name, before=before, after={"words": kept}, by=by, at=at)
    except IntegrityError as error:
        raise NameTaken(name) from error
    theme.refresh_from_db()
    _rematch(store, theme, AT_ONCE)
    return theme


def remove_theme(theme: Theme, *, by: User | None, at: datetime) -> None:
    """Take a theme away with its mentions; `save_theme` with its name and words brings both back."""
    with transaction.atomic():
        Theme.objects.for_store(theme.store).filter(pk=theme.pk).delete()
        before = {"name": theme.name, "words": theme.words}
        note(theme.store, "theme.removed", subject=theme.name, before=before, by=by, at=at)
