"""Twin of faces/admin/choosing.py."""

from conflux.faces.admin.choosing import BY_TASK, STOREFRONT, choosing


def test_what_is_not_there_is_not_recommended() -> None:
    everything = {(STOREFRONT, model) for _, models in BY_TASK for model in models}
    assert [len(row["models"]) for row in choosing(everything)["by_task"]] == [3, 3, 3]
    assert [row["models"] for row in choosing(set())["by_task"]] == [[], [], []]
    assert all(row["look_at"] for row in choosing(set())["by_need"])
