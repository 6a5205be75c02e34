"""What every endpoint shares: the key's store, strict query parameters, objects by public_id."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.views import APIView

from checkout.api.fields import bad_field
from stores.models import ApiKey, Store
from stores.tenancy import StoreQuerySet


class ApiView(APIView):
    """An endpoint of one store. `scope`: what the key must hold; `parameters`: the query's names."""

    scope: str
    parameters: tuple[str, ...] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse doubled and unknown query parameters once the key is known."""
        super().initial(request, *args, **kwargs)
        for name, values in request.query_params.lists():
            if name not in self.parameters:
                raise bad_field(name[:80], "This parameter is not known here.")
            if len(values) > 1:
                raise bad_field(name, "This parameter was given twice.")
            if "\x00" in values[0]:
                raise bad_field(name, "NUL characters are not accepted.")

    @property
    def store(self) -> Store:
        """The key's store."""
        found: Store = self.request.store  # type: ignore[attr-defined]
        return found

    @property
    def key(self) -> ApiKey:
        """The key the call came with."""
        found = self.request.auth
        assert isinstance(found, ApiKey)
        return found


def get_or_404(rows: StoreQuerySet, public_id: str) -> Any:
    """The store's row of that name; another store's does not exist."""
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found
