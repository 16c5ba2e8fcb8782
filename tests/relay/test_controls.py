"""Controls beside the protocol: what makes no sense is refused by name, wherever it stands."""

from typing import Any

import pytest
from msgspec.structs import replace

from conflux.catalogue.catalogue import Catalogue
from conflux.dialects import DIALECTS
from conflux.neutral.errors import GatewayError, Kind
from conflux.relay.admit import let_in
from conflux.relay.admitted import Admitted
from conflux.relay.controls import Controls, controls_of
from conflux.relay.parts import Incoming
from conflux.routing.board import NEVER
from tests.policy.samples import caller
from tests.relay.answers import request
from tests.relay.panels import house
from tests.relay.shops import shop
from tests.relay.test_admit import TASKED, admitted
from tests.relay.world import World

NAMED: dict[str, Any] = {"model": "shop/one"}
A_TASK: dict[str, Any] = {"model": None, "task_type": "creative"}
A_PANEL: dict[str, Any] = {"model": "shop/one", "flux": {"sources": ["shop/one"], "fuser": "shop/one"}}
FRONT = shop().storefronts["shop"]


def said(headers: list[tuple[bytes, bytes]], **fields: Any) -> Controls:
    return controls_of(FRONT, headers, DIALECTS["openai-chat"].open(request(**fields)))


def refused(headers: list[tuple[bytes, bytes]], catalogue: Catalogue = TASKED, **fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as wrong:
        admitted(request(**fields), catalogue, headers=headers)
    return wrong.value


@pytest.mark.parametrize("fields", [NAMED, A_TASK, A_PANEL])
@pytest.mark.parametrize("prefix", ["conflux", "shop"])
@pytest.mark.parametrize(
    ("control", "value", "told"),
    [
        ("fallback", b"maybe", "'maybe' is neither on nor off"),
        ("fallback", b"", "'' is neither on nor off"),
        ("fallback", b"\xff", "neither on nor off"),
        ("prefer", b"fast", "is not one of cost, balanced, speed, quality"),
        ("max-cost-usd", b"a lot", "is not an amount of USD above 0"),
    ],
)
def test_nonsense_is_refused_by_the_headers_name(
    fields: dict[str, Any], prefix: str, control: str, value: bytes, told: str
) -> None:
    name = f"x-{prefix}-{control}"
    error = refused([(name.encode(), value)], **fields)
    assert (error.kind, error.param) == (Kind.INVALID, name)
    assert error.message.startswith(f"{name}: ") and told in error.message


@pytest.mark.parametrize("fields", [NAMED, A_TASK, A_PANEL])
def test_a_wish_in_the_body_is_judged_even_where_nothing_is_chosen(fields: dict[str, Any]) -> None:
    error = refused([], prefer="fast", **fields)
    assert (error.kind, error.param) == (Kind.INVALID, "prefer")


def test_each_of_several_is_judged_and_other_headers_are_nobodys_business() -> None:
    assert refused([(b"x-shop-prefer", b"quick"), (b"x-shop-prefer", b"speed")], **A_TASK).param == "x-shop-prefer"
    found = admitted(request(), headers=[(b"x-other-fallback", b"maybe"), (b"x-shop-fallback", b" On ")])
    assert found.model.id == "shop/one"


def test_who_says_off_once_has_said_no() -> None:
    assert said([]).stands_in
    assert said([(b"x-shop-fallback", b"ON"), (b"x-other-fallback", b"off")]).stands_in
    assert not said([(b"x-conflux-fallback", b"off"), (b"x-shop-fallback", b"on")]).stands_in


def test_of_two_caps_the_last_counts() -> None:
    assert said([]).most == NEVER
    found = said([(b"x-shop-max-cost-usd", b"1"), (b"x-conflux-max-cost-usd", b"0.02")])
    assert (found.most, found.cap) == (20_000_000, (20_000_000, "x-conflux-max-cost-usd"))


def test_the_field_s_preset_counts_before_the_headers_and_theirs_before_the_storefront_s() -> None:
    heard = [(b"x-shop-prefer", b"cost"), (b"x-conflux-prefer", b" speed ")]
    front = replace(FRONT, prefer="quality")
    assert said([]).preset(front).name == "quality"
    assert said(heard).preset(front).name == "speed"
    assert said(heard, prefer="balanced").preset(front).name == "balanced"


# --- what the caller lets an answer cost

CAP = b"x-shop-max-cost-usd"


async def let(catalogue: Catalogue, cap: bytes, **fields: Any) -> Admitted:
    """As admitted, counted where that is needed."""
    world = World(catalogue)
    front = world.snapshot.catalogue.storefronts["shop"]
    incoming = Incoming(dialect="openai-chat", body=request(**fields), secret=None, mount=front, headers=[(CAP, cap)])
    return await let_in(world.parts, world.snapshot, caller(), front, DIALECTS["openai-chat"], incoming)


@pytest.mark.parametrize("fields", [NAMED, A_TASK])
async def test_no_answer_is_longer_than_the_cap_pays_for(fields: dict[str, Any]) -> None:
    long = [{"role": "user", "content": "hello " * 1000}]  # 6,000 bytes, and 0.0015 USD by its 1,500 tokens
    found = await let(shop(), b"0.0045", messages=long, max_tokens=4000, **fields)
    assert 1024 < found.max_output < 4000 and found.dropped == ("max_tokens",)
    assert 0.0044 < found.hold.amount / 1e9 <= 0.0045 and found.tight and found.most_input < 6000
    found = await let(shop(), b"0.0045", messages=long, **fields)
    assert found.hold.amount <= 4_500_000 and found.dropped == ()
    found = await let(shop(), b"0.5", messages=long, max_tokens=4000, **fields)
    assert (found.max_output, found.dropped, found.tight) == (4000, (), False)


async def test_what_the_cap_does_not_pay_for_is_refused_by_the_headers_name() -> None:
    for fields in (NAMED, NAMED | {"max_tokens": 1000}):
        with pytest.raises(GatewayError, match="can cost up to") as error:
            await let(shop(), b"0.0015", **fields)
        assert (error.value.kind, error.value.param) == (Kind.INVALID, CAP.decode())
    assert (await let(shop(), b"0.0015", **NAMED, max_tokens=500)).max_output == 500


async def test_a_panel_costs_no_more_than_the_header_says() -> None:
    body: dict[str, Any] = {"model": "shop/flux"}
    with pytest.raises(GatewayError, match="this panel can cost up to") as error:
        await let(house(), b"0.00001", **body)
    assert error.value.param == CAP.decode()
    assert (await let(house(), b"10", **body)).flux is not None
