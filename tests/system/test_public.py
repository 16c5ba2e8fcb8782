"""What is answered besides generation: lists, keys, receipts, health, mounts, CORS."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.system.serving import Served

MOUNTS = {"conflux": "", "tokenflux": "/tokenflux", "inference": "/inference", "llmbase": "/llmbase"}
LISTS = {"conflux": "/v1/models", "tokenflux": "/models", "inference": "/models", "llmbase": "/v1/models"}


# What is charged never exceeds the hold, so the text is as long as its tokens are said to be many.
KNOWN_USAGE = "[[usage: prompt=1000 completion=500]]" + " word" * 300


def rows(served: Served, path: str = "/v1/models", **more: Any) -> list[Any]:
    found = served.get(path, **more)
    assert found.status == 200, found.body
    content = found.json()
    listed: list[Any] = content.get("data") or content["models"]
    return listed


@pytest.fixture(scope="module")
def keys(plain: Served) -> dict[str, str]:
    """A key of each storefront."""
    return {name: plain.key(storefront=name, name=f"of {name}") for name in MOUNTS}


# --- lists


def test_models_are_listed_without_a_key_and_with_one(plain: Served, plain_key: str) -> None:
    public, own = rows(plain), rows(plain, key=plain_key)
    ids = [row["id"] for row in public]
    assert "conflux/deepseek-v4-pro" in ids and "gpt-4o-mini" in ids
    assert len(set(ids)) == len(ids)
    assert own == public
    for row in public:
        assert row["object"] == "model"
        assert not {"pool", "targets"} & set(row)


def test_a_key_for_some_models_lists_and_runs_those(plain: Served) -> None:
    key = plain.key(models=["gpt-4o-mini", "conflux/glm-5.1"])
    assert {row["id"] for row in rows(plain, key=key)} == {"gpt-4o-mini", "conflux/glm-5.1"}
    assert plain.chat(key, "hello").status == 200
    for name in ("conflux/deepseek-v4-pro", "no-such-model"):
        unlisted = plain.chat(key, "hello", model=name)
        assert unlisted.status == 404
        assert unlisted.json()["message"] == f"Unknown model: {name}"
        assert plain.get(f"/v1/models/{name}", key=key).status == 404


def test_a_bad_key_is_refused_where_none_is_needed(plain: Served) -> None:
    for path in ("/v1/models", "/models", "/v1/models/gpt-4o-mini", "/tokenflux/models", "/v1/key"):
        for headers in (
            {"authorization": "Bearer cf_live_nonsense"},
            {"authorization": "Basic dTpw"},
            {"authorization": "Bearer"},
            {"x-api-key": "inf_nonsense"},
            {"api-key": "nonsense"},
        ):
            found = plain.get(path, headers=headers)
            assert found.status == 401, (path, headers, found.body)
            assert found.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key", "X-API-KEY"])
def test_a_key_is_taken_from_each_header(plain: Served, plain_key: str, header: str) -> None:
    value = f"Bearer {plain_key}" if header == "authorization" else plain_key
    assert plain.get("/v1/key", headers={header: value}).status == 200
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    assert plain.call("POST", "/v1/chat/completions", body, headers={header: value}).status == 200


@pytest.mark.parametrize("name", ["conflux/deepseek-v4-pro", "gpt-4o-mini"])
@pytest.mark.parametrize("encode", [str, lambda name: quote(name, safe="")], ids=["plain", "encoded"])
def test_one_model(plain: Served, name: str, encode: Any) -> None:
    found = plain.get(f"/v1/models/{encode(name)}")
    assert found.status == 200
    assert found.json() == next(row for row in rows(plain) if row["id"] == name)


ODD = ["nobody", "conflux/", "%2e%2e%2fetc", "%00", "a%0d%0ab", "%ff%fe", "%F0%9F%8C%8A", "a%20b", "..",
       "conflux%252fglm-5.1", "conflux//glm-5.1", "%", "%2", "%zz", "a%2", "%%%", "%e2%82", "x" * 10_000,
       "%25" * 3000]  # fmt: skip


@pytest.mark.parametrize("name", ODD, ids=lambda name: name[:24])
def test_a_model_that_is_not_there(plain: Served, plain_key: str, name: str) -> None:
    for key in (None, plain_key):
        found = plain.get(f"/v1/models/{name}", key=key)
        assert found.status == 404
        content = found.json()
        assert content["error"] == "Model not found"
        assert content["message"].startswith("Unknown model: ")
        assert (content["type"], content["param"], content["code"]) == (
            "invalid_request_error", "model", "model_not_found",
        )  # fmt: skip
        assert len(found.body) < 1000


def test_a_query_that_is_none(plain: Served) -> None:
    assert plain.get("/llmbase/v1/models?" + "&".join(["metadata=true"] * 60)).status == 400
    assert plain.get("/llmbase/v1/models?metadata=%ff&%ff=1").status == 200
    assert plain.get("/llmbase/v1/models?filter=nonsense").status == 400
    assert plain.get("/v1/models?limit=1000&anything=1").status == 200


def test_without_a_key_each_root_path_is_its_own_documents(plain: Served, keys: dict[str, str]) -> None:
    assert rows(plain, "/models") == rows(plain, "/tokenflux/models") == rows(plain, "/tokenflux/v1/models")
    rich = rows(plain, "/v1/model-metadata")
    assert rich == rows(plain, "/llmbase/v1/models?metadata=true") == rows(plain, "/llmbase/v1/model-metadata")
    agents = rows(plain, "/api/v1/agents/models")
    assert agents == rows(plain, "/llmbase/v1/models?filter=agents") != rows(plain, "/llmbase/v1/models")
    assert [row["id"] for row in rows(plain, "/v1/models?filter=agents")] == [
        row["id"] for row in rows(plain) if "tools" in row["supported_features"]
    ]


def test_the_inference_api_shows_its_list_to_keys_only(plain: Served, keys: dict[str, str]) -> None:
    for path in ("/inference/models", "/inference/models/gpt-5.2"):
        refused = plain.get(path)
        assert refused.status == 401
        assert refused.json()["error"]["message"].startswith("Missing or invalid authentication")
        assert plain.get(path, headers={"x-api-key": keys["inference"]}).status == 200
        assert plain.get(path, headers={"x-api-key": "inf_nonsense"}).status == 401


def test_an_agents_key_sees_and_runs_agents_models_only(plain: Served) -> None:
    key = plain.key(storefront="llmbase", agent=True, name="agent")
    for path in ("/api/v1/agents/models", "/v1/models", "/llmbase/v1/models"):
        assert rows(plain, path, key=key) == rows(plain, "/api/v1/agents/models")
    assert plain.get("/v1/models/paddlepaddle/paddleocr-vl-0.9b", key=key).status == 404


def test_aliases_and_slugs_lead_to_their_model(plain: Served) -> None:
    for name, id in (("gpt-4.1", "openai/gpt-4.1"), ("claude-sonnet-4", "anthropic/claude-sonnet-4")):
        for encoded in (name, quote(name, safe=""), id, quote(id, safe="")):
            for path in ("/models/", "/tokenflux/v1/models/"):
                found = plain.get(path + encoded)
                assert (found.status, found.json()["id"]) == (200, id)


def test_unknown_models_are_refused_in_their_storefronts_style(plain: Served, keys: dict[str, str]) -> None:
    for name, key in keys.items():
        for path in (f"{MOUNTS[name]}/v1/models/nobody", "/v1/models/nobody"):
            content = plain.get(path, key=key).json()
            if name == "conflux":
                assert (content["error"], content["message"]) == ("Model not found", "Unknown model: nobody")
            else:
                assert content["error"]["message"] == "Unknown model: nobody"
                assert content["error"]["code"] == "model_not_found"


def test_a_list_is_not_sent_twice(plain: Served, plain_key: str) -> None:
    for key, kept in ((None, "public, max-age=86400"), (plain_key, "private, no-cache")):
        first = plain.get("/v1/models", key=key)
        assert first.headers["cache-control"] == kept
        again = plain.get("/v1/models", key=key, headers={"if-none-match": first.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"] and again.headers["cache-control"] == kept
        assert "content-length" not in again.headers and "content-type" not in again.headers
        other = plain.get("/v1/models", key=key, headers={"if-none-match": '"something-else"'})
        assert other.status == 200 and other.body == first.body


# --- mounts


@pytest.mark.parametrize("name", MOUNTS)
def test_a_storefront_at_the_root_and_under_its_mount(plain: Served, keys: dict[str, str], name: str) -> None:
    path, mount = LISTS[name], MOUNTS[name]
    under = rows(plain, mount + path, key=keys[name])
    assert under == rows(plain, path, key=keys[name])
    assert [row["id"] for row in under] == [row["id"] for row in rows(plain, mount + "/v1/models")]


@pytest.mark.parametrize("name", [name for name, mount in MOUNTS.items() if mount])
def test_a_mount_takes_its_own_keys_only(plain: Served, keys: dict[str, str], name: str) -> None:
    mount = MOUNTS[name]
    for other, key in keys.items():
        wanted = 200 if other == name else 401
        assert plain.get(mount + LISTS[name], key=key).status == wanted
        model = rows(plain, mount + "/v1/models")[0]["id"]
        found = plain.chat(key, "hi", path=mount + "/v1/chat/completions", model=model)
        assert (found.status == 401) == (other != name), found.body


def test_each_storefront_labels_its_answers(plain: Served, keys: dict[str, str]) -> None:
    for name, key in keys.items():
        runnable = [row["id"] for row in rows(plain, MOUNTS[name] + LISTS[name], key=key)]
        for model in runnable:
            found = plain.chat(key, "hi", path=MOUNTS[name] + "/v1/chat/completions", model=model)
            if found.status == 200:
                break
        assert found.status == 200, found.body
        assert found.headers[f"x-{name}-simulated"] == "true"
        assert found.headers[f"x-{name}-requested-model"] == model
        assert not [header for header in found.headers if header.startswith("x-") and name not in header
                    and header != "x-request-id"]  # fmt: skip


def test_a_mount_is_a_whole_step_of_the_path(plain: Served) -> None:
    for path in ("/tokenfluxx/models", "/tokenflux/v1/nothing", "/TOKENFLUX/models", "/tokenflux//models"):
        assert plain.get(path).status == 404, path


# --- the caller's own


def test_a_key_sees_itself(plain: Served) -> None:
    key = plain.key(name="mine", workspace="default", models=["gpt-4o-mini"], expires="30d")
    view = plain.get("/v1/key", key=key).json()
    assert (view["name"], view["storefront"], view["workspace"], view["user"]) == (
        "mine", "conflux", "default", "default",
    )  # fmt: skip
    assert (view["admin"], view["test"], view["models"]) == (False, False, ["gpt-4o-mini"])
    assert key not in plain.get("/v1/key", key=key).body.decode()
    assert plain.get("/v1/key").status == 401


def test_a_keys_budget_is_seen_and_spent(real: Served) -> None:
    key = real.key(name="spender", budget_usd="0.01")
    before = real.get("/v1/key", key=key).json()["budgets"]
    assert [(one["cap_usd"], one["spent_usd"]) for one in before if one["cap_usd"]] == [("0.01", "0")]
    answer = real.chat(key, KNOWN_USAGE, model="acme/good", max_tokens=600)
    assert answer.headers["x-conflux-cost-usd"] == "0.002"
    after = next(one for one in real.get("/v1/key", key=key).json()["budgets"] if one["cap_usd"])
    assert (after["spent_usd"], after["held_usd"], after["left_usd"]) == ("0.002", "0", "0.008")
    refused = real.chat(key, "hello", model="acme/good", max_tokens=90_000)
    assert refused.status == 402
    assert refused.json()["error"]["type"] == "insufficient_quota"


def test_a_receipt_is_its_keys_and_the_admins(real: Served) -> None:
    mine, other, admin = real.key(), real.key(), real.key(admin=True)
    answer = real.chat(mine, KNOWN_USAGE, model="acme/good", max_tokens=600)
    number = answer.headers["x-request-id"]
    receipt = real.receipt(mine, answer)
    assert receipt["id"] == number
    assert (receipt["requested_model"], receipt["served_model"]) == ("acme/good", "acme/good")
    assert (receipt["storefront"], receipt["status"], receipt["provenance"]) == ("conflux", "done", "provider")
    assert receipt["cost_usd"] == answer.headers["x-conflux-cost-usd"] == "0.002"
    assert {line["bucket"]: (line["quantity"], line["unit_price"], line["amount"]) for line in receipt["lines"]} == {
        "input": (1000, "0.000001", "0.001"),
        "output": (500, "0.000002", "0.001"),
    }
    assert receipt["simulated"] is False
    assert "target" not in receipt["calls"][0] and "house" not in str(receipt)
    assert real.receipt(admin, answer)["calls"][0]["target"] == "house/good-model/cloud"
    for name, key in ((number, other), ("req_0000000000000000", mine), ("nonsense", mine), (number + "0", mine)):
        asked = real.get(f"/v1/receipts/{name}", key=key)
        assert asked.status == 404
        assert asked.json()["error"]["code"] == "not_found"
    assert real.get(f"/v1/receipts/{number}").status == 401


# --- health, metrics, what is not there


def test_health(plain: Served) -> None:
    assert plain.get("/health/live").json() == {"status": "live"}
    assert plain.get("/health/ready").json() == {"status": "ready"}


def test_metrics_are_for_admins(plain: Served, plain_key: str) -> None:
    admin = plain.key(admin=True)
    assert plain.get("/metrics").status == 401
    assert plain.get("/metrics", key=plain_key).status == 403
    answer = plain.get("/metrics", key=admin)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain")
    assert b"conflux_in_flight 0.0" in answer.body
    assert plain_key.encode() not in answer.body


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1", "/v1/", "/v1/receipts/", "/admin/api/v1/keys.list", "/v1/chat", "/%2e%2e/", "//v1/models"],
)
def test_what_is_not_there(plain: Served, plain_key: str, path: str) -> None:
    found = plain.get(path, key=plain_key)
    assert found.status == 404
    assert found.json()["error"]["code"] == "not_found"


WRONG_METHODS = [
    ("GET", "/v1/chat/completions", "POST"),
    ("PUT", "/v1/chat/completions", "POST"),
    ("DELETE", "/tokenflux/v1/chat/completions", "POST"),
    ("POST", "/v1/models", "GET"),
    ("DELETE", "/v1/models/gpt-4o-mini", "GET"),
    ("POST", "/health/live", "GET"),
    ("PATCH", "/v1/key", "GET"),
    ("BREW", "/v1/models", "GET"),
]


@pytest.mark.parametrize(("method", "path", "right"), WRONG_METHODS, ids=lambda one: one)
def test_the_wrong_method(plain: Served, plain_key: str, method: str, path: str, right: str) -> None:
    found = plain.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None, key=plain_key)
    if method == "BREW" and found.status == 400:
        return  # llhttp knows methods by name
    assert found.status == 405
    assert found.json()["error"]["code"] == "method_not_allowed"
    assert right in found.headers["allow"]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/gpt-4o-mini", "/health/live", "/nothing"])
def test_head_is_get_without_a_body(plain: Served, path: str) -> None:
    head, get = plain.call("HEAD", path), plain.get(path)
    assert head.status == get.status
    assert head.body == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["content-type"] == get.headers["content-type"]


def test_every_answer_has_a_request_id(plain: Served, plain_key: str) -> None:
    found = [
        plain.get("/"),
        plain.get("/v1/models"),
        plain.get("/v1/key", key=plain_key),
        plain.get("/v1/key"),
        plain.get("/health/live"),
        plain.get("/nothing"),
        plain.call("PUT", "/v1/models", {}),
        plain.call("OPTIONS", "/v1/models"),
        plain.call("OPTIONS", "/inference/models", headers={"origin": "https://page.test"}),
        plain.call("POST", "/v1/chat/completions", b"{", key=plain_key),
        plain.call("POST", "/v1/chat/completions", b"{}", key=plain_key, headers={"content-encoding": "gzip"}),
        plain.call("POST", "/v1/chat/completions", b"{}"),
        plain.chat(plain_key, "hello"),
        plain.chat(plain_key, "hello", stream=True),
    ]
    ids = [answer.headers["x-request-id"] for answer in found]
    assert all(one.startswith("req_") for one in ids)
    assert len(set(ids)) == len(ids)


# --- browsers


def test_browsers_are_let_in_where_the_storefront_says_so(plain: Served, keys: dict[str, str]) -> None:
    asks = {"origin": "https://page.test", "access-control-request-method": "POST",
            "access-control-request-headers": "x-api-key"}  # fmt: skip
    allowed = plain.call("OPTIONS", "/inference/v1/chat/completions", headers=asks)
    assert allowed.status == 204 and allowed.body == b""
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "x-api-key" in allowed.headers["access-control-allow-headers"]
    assert "POST" in allowed.headers["access-control-allow-methods"]
    refused = plain.call("OPTIONS", "/tokenflux/v1/chat/completions", headers=asks)
    assert refused.status == 403
    assert not [name for name in refused.headers if name.startswith("access-control")]


def test_answers_and_errors_carry_the_storefronts_word_to_browsers(plain: Served, keys: dict[str, str]) -> None:
    origin = {"origin": "https://page.test"}
    model = rows(plain, "/inference/v1/models")[0]["id"]
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    for answer in (
        plain.get("/inference/models", headers=origin),
        plain.get("/models", headers={**origin, "x-api-key": keys["inference"]}),
        plain.get("/inference/nothing", headers=origin),
        plain.get("/inference/models", headers={**origin, "x-api-key": "inf_bad"}),
        plain.call("POST", "/inference/v1/chat/completions", body, headers=origin),
        plain.call("POST", "/inference/v1/chat/completions", b"{", key=keys["inference"], headers=origin),
        plain.call("POST", "/inference/v1/chat/completions", body, key=keys["inference"], headers=origin),
        plain.call("POST", "/inference/v1/chat/completions", {**body, "stream": True}, key=keys["inference"],
                   headers=origin),
        plain.call("POST", "/inference/v1/chat/completions", body, key=keys["inference"],
                   headers={**origin, "content-encoding": "gzip"}),
    ):  # fmt: skip
        assert answer.headers.get("access-control-allow-origin") == "*", (answer.status, answer.body[:200])
    for answer in (
        plain.get("/v1/models", headers=origin),
        plain.call(
            "POST", "/v1/chat/completions", {**body, "model": "gpt-4o-mini"}, key=keys["conflux"], headers=origin
        ),
    ):
        assert "access-control-allow-origin" not in answer.headers


def test_options_from_no_browser(plain: Served) -> None:
    found = plain.call("OPTIONS", "/v1/models")
    assert found.status == 204
    assert "GET" in found.headers["allow"]
