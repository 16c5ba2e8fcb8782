"""Every operation of every room has a name of its own."""

from pathlib import Path

from conflux.faces.operations import OPERATIONS
from tests.faces.admins import office


async def test_all_groups_are_there_and_none_hides_another(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        assert {name.split(".")[0] for name in admin.work} == {
            "workspaces",
            "users",
            "policies",
            "models",
            "budgets",
            "probe",
            "route",
            "credits",
            "plans",
            "ledger",
        }
        assert not set(admin.work) & set(OPERATIONS)
