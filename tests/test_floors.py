"""An app imports its own and lower floors only; two apps on one floor do not know each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "stores": 1,
    "customers": 2,
    "outreach": 3,
    "rewards": 4,
    "surveys": 5,
    "referrals": 6,
    "checkout": 7,
    "insights": 7,
}


def imported_apps(source: str) -> set[str]:
    """Names of our apps that a module imports, at its top or anywhere inside."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found & (set(FLOORS) | {"config", "tests"})


def breaches(app: str, source: str) -> set[str]:
    """The imports of a module of `app` that its floor does not allow."""
    return {
        other
        for other in imported_apps(source) - {app}
        if other == "tests" or other == "config" or FLOORS[other] >= FLOORS[app]
    }


@pytest.mark.parametrize("app", FLOORS)
def test_an_app_imports_lower_floors_only(app):
    modules = list((ROOT / app).rglob("*.py"))
    assert modules
    found = {str(path.relative_to(ROOT)): bad for path in modules if (bad := breaches(app, path.read_text()))}
    assert not found


def test_a_breach_is_found():
    assert breaches("customers", "def f():\n    from referrals.models import Referral\n") == {"referrals"}
    assert breaches("checkout", "import insights.views") == {"insights"}
    assert breaches("referrals", "from rewards.models import Offer") == set()


def test_every_app_has_a_floor():
    from django.conf import settings

    ours = {name for name in settings.INSTALLED_APPS if (ROOT / name).is_dir()}
    assert ours == set(FLOORS)
