"""The official anthropic client lists models, page by page, and finds one."""

from collections.abc import Iterator
from datetime import UTC, datetime

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic

from tests.system.serving import Served

ID = "conflux/minimax-m2.7"


@pytest.fixture(scope="module")
def client(plain: Served, plain_key: str) -> Iterator[Anthropic]:
    with Anthropic(api_key=plain_key, base_url=plain.address, max_retries=0, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def ids(plain: Served, plain_key: str) -> list[str]:
    return [row["id"] for row in plain.get("/v1/models", key=plain_key).json()["data"]]


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_every_page_from_the_first_on(client: Anthropic, ids: list[str], limit: int) -> None:
    page = client.models.list(limit=limit)
    assert len(page.data) == min(limit, len(ids)) and page.has_more is (limit < len(ids))
    assert (page.first_id, page.last_id) == (page.data[0].id, page.data[-1].id)
    assert [model.id for model in page] == ids


def test_the_usual_page_and_the_way_back(client: Anthropic, ids: list[str]) -> None:
    assert [model.id for model in client.models.list().data] == ids[:20]
    back = client.models.list(limit=3, before_id=ids[10])
    assert [model.id for model in back.data] == ids[7:10] and back.has_more is True
    assert client.models.list(before_id=ids[0]).data == []


def test_a_model(client: Anthropic) -> None:
    model = client.models.retrieve(ID)
    assert (model.id, model.type, model.display_name) == (ID, "model", "MiniMax M2.7")
    assert model.created_at == datetime.fromtimestamp(0, UTC)  # not known
    assert model.max_input_tokens == 186_777


def test_a_token_in_place_of_a_key(plain: Served, plain_key: str, ids: list[str]) -> None:
    """What Claude Code sends for ANTHROPIC_AUTH_TOKEN."""
    with Anthropic(auth_token=plain_key, base_url=plain.address, max_retries=0) as other:
        assert [model.id for model in other.models.list(limit=1000)] == ids


def test_mistakes_are_the_clients_own_exceptions(client: Anthropic, plain: Served) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody/nothing")
    with pytest.raises(anthropic.BadRequestError, match="limit"):
        client.models.list(limit=1001)
    with (
        Anthropic(api_key="cf_live_nonsense", base_url=plain.address, max_retries=0) as nobody,
        pytest.raises(anthropic.AuthenticationError),
    ):
        nobody.models.list()


async def test_the_async_client(plain: Served, plain_key: str, ids: list[str]) -> None:
    async with AsyncAnthropic(api_key=plain_key, base_url=plain.address, max_retries=0) as client:
        assert [model.id async for model in client.models.list(limit=9)] == ids
        assert (await client.models.retrieve(ID)).id == ID
