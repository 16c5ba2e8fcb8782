"""A caller, a model and a request that every rule lets pass, for tests that change one thing of them."""

from typing import Any

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.policies import Override, Policy, Terms
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope
from conflux.policy import RULES, Rule
from conflux.policy.case import Case

NOW = 1_800_000_000.0
SHOP = Storefront(id="shop", name="Shop", mount="/")


def model(**fields: Any) -> Model:
    base: dict[str, Any] = {"storefront": "shop", "id": "shop/one", "name": "One", "pool": "pond",
                            "price": PriceSheet(input=1_000_000, output=2_000_000)}  # fmt: skip
    return Model(**base | fields)


def caller(**fields: Any) -> Caller:
    base: dict[str, Any] = {"key_id": 1, "name": "laptop", "storefront": "shop", "workspace_id": 1,
                            "workspace": "default", "user_id": 1, "user": "default"}  # fmt: skip
    return Caller(**base | fields)


def policy(kind: str = "workspace", **terms: Any) -> Policy:
    return Policy(kind=kind, owner_id=1, terms=Terms(**terms))


def rule(action: str, *models: str, client: str = "any", to: str | None = None) -> Override:
    return Override(client=client, models=models, action=action, to=to)


def envelope(**fields: Any) -> Envelope:
    base: dict[str, Any] = {"dialect": "openai-chat", "body": {}, "size": 100, "model": "shop/one"}
    return Envelope(**base | fields)


def case(*, by: Caller | None = None, of: Model | None = None, asks: Envelope | None = None, **fields: Any) -> Case:
    return Case(by or caller(), SHOP, of or model(), asks or envelope(), fields.pop("now", NOW), **fields)


def refusal(rule: Rule, one: Case) -> GatewayError | None:
    try:
        rule(one)
    except GatewayError as error:
        return error
    return None


def first_refusal(one: Case) -> Kind | None:
    """What the request is told, all rules asked in their order."""
    for rule in RULES:
        found = refusal(rule, one)
        if found is not None:
            return found.kind
    return None
