"""What every dialect hands over."""

from conflux.sim.ask import BadRequest, Offered


def test_a_refusal_says_which_parameter() -> None:
    error = BadRequest("no", "model")
    assert (str(error), error.param) == ("no", "model")
    assert BadRequest("no").param is None


def test_tools_are_free_to_be_called_unless_said() -> None:
    assert Offered() == Offered({}, forced=None, forbidden=False, parallel=True)
