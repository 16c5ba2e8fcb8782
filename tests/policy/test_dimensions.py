"""Embeddings only of sizes the model makes."""

import pytest

from conflux.neutral.errors import GatewayError
from conflux.policy.case import Case
from conflux.policy.dimensions import check_dimensions
from tests.policy.samples import case, envelope, model


def asked(wanted: int | None, dimensions: tuple[int, ...] = (), most: int | None = None) -> Case:
    return case(of=model(dimensions=dimensions, max_dimension=most), asks=envelope(dimensions=wanted))


@pytest.mark.parametrize(("wanted", "listed", "most"), [(None, (64,), 64), (64, (64, 128), None), (9, (), None),
                                                         (9, (), 9)])  # fmt: skip
def test_what_the_model_makes_passes(wanted: int | None, listed: tuple[int, ...], most: int | None) -> None:
    check_dimensions(asked(wanted, listed, most))


@pytest.mark.parametrize(("listed", "most", "said"), [((64, 128), None, "64, 128"), ((), 8, "at most 8")])
def test_another_size_is_refused_with_what_there_is(listed: tuple[int, ...], most: int | None, said: str) -> None:
    with pytest.raises(GatewayError, match=said) as found:
        check_dimensions(asked(9, listed, most))
    assert found.value.param == "dimensions"
