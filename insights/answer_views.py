"""What people answered."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from insights import answers
from insights.numbers.period import CHOICES
from stores.access import for_role
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def answers_page(request: HttpRequest, store: Store) -> HttpResponse:
    """The score with its interval, where it differs, and the answers; `?format=csv` gives the list as a file.

    `?show=invited` lists who was asked in place of the answers.
    """
    chosen = answers.chosen_by(store, request.GET, timezone.now())
    invited = request.GET.get("show") == "invited"
    found = answers.invited_rows(store, chosen) if invited else answers.answer_rows(store, chosen)
    if request.GET.get("format") == "csv":
        newest = found.rows.order_by(f"-{found.column}", "-pk")[:EXPORT_LIMIT]
        name = "invitations" if invited else "answers"
        return csv_response(name, found.header, ([cell.plain for cell in found.cells(row)] for row in newest))
    page = keyset_page(found.rows, found.column, request.GET.get("after", ""))
    context = {
        "nav_key": "reports",
        "tab": "answers",
        "chosen": chosen,
        "period": chosen.period,
        "periods": CHOICES,
        "filters": answers.filters_of(chosen),
        "groups": answers.groups(chosen.question),
        "board": answers.board(store, chosen, step=request.GET.get("by", "")),
        "invited": invited,
        "header": found.header,
        "rows": [found.cells(row) for row in page.rows],
        "page": page,
    }
    return render(request, "insights/answers.html", context)
