"""What a store's tables hold, as a hash for each: equal before and after means that nothing changed."""

from __future__ import annotations

from django.db import connection

from stores.models import Store
from stores.tenancy import act_as_user, acting_for

IGNORED = {"django_session", "django_migrations"}  # whoever logs in has a session


def fingerprint(*stores: Store) -> dict[tuple[str, str], str]:
    """(store, table) -> hash of its rows as that store's wall shows them; rows of nobody count for each."""
    found = {}
    for store in stores:
        with acting_for(store), connection.cursor() as cursor:
            act_as_user(0)  # whoever was logged in sees where they work besides
            cursor.execute(_every_table())
            found |= {(store.slug, table): digest for table, digest in cursor.fetchall()}
    return found


def _every_table() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
        )
        tables = sorted(name for (name,) in cursor.fetchall() if name not in IGNORED)
    one = "SELECT '{0}', md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM \"{0}\" AS t"
    return " UNION ALL ".join(one.format(table) for table in tables)
