"""Subscription keys and the list for agents."""

from conflux.policy.agents import by_agent_list
from tests.policy.samples import caller, model


def test_an_agents_key_runs_the_list_for_agents_and_nothing_else() -> None:
    assert by_agent_list(caller(agent=True), model()) == "it is not on the list for agents"
    assert by_agent_list(caller(agent=True, admin=True), model()) is not None
    assert by_agent_list(caller(agent=True), model(agent=True)) is None
    assert by_agent_list(caller(), model()) is None
    assert by_agent_list(caller(), model(agent=True)) is None
