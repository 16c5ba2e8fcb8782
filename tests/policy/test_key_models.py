"""Keys made for some models."""

from conflux.policy.key_models import by_key_models
from tests.policy.samples import caller, model


def test_a_key_runs_what_it_was_made_for() -> None:
    assert by_key_models(caller(), model()) is None
    assert by_key_models(caller(models=frozenset({"shop/one", "shop/two"})), model()) is None
    for models in (frozenset(), frozenset({"uno"})):
        assert by_key_models(caller(models=models), model(aliases=("uno",))) == "the key was made for other models"
