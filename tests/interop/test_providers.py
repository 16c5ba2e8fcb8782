"""Every shipped provider's row, against a simulator that refuses what that provider refuses.

Law: the same requests go to each, by a real gateway; each must be answered, or refused by name before anything is sent.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from conflux.catalogue.loader import load, shipped_dir
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script
from conflux.sim.server import SimServer
from tests.system.serving import Answer, Served
from tests.system.upstreams import Background

_FEW = ("logit_bias", "metadata", "user")
_GLM = Quirks(
    developer=False, effort_in="thinking", most_stops=1, choices=False, json_schema=False, required_tools=False,
    strict_tools=False, usage="with-finish",
    refuses=("stream_options", "parallel_tool_calls", "seed", "logprobs", "frequency_penalty", *_FEW),
)  # fmt: skip
_REASONS = Quirks(fixed_sampling=True, refuses=("max_tokens",), effort_in="reasoning_effort")

# the provider: how it differs from the protocol's text
MANNERS: dict[str, Quirks] = {
    "openai": _REASONS,
    "azure": _REASONS,
    "gemini": Quirks(signed_calls=True, call_ids=True),
    "vertex": Quirks(signed_calls=True, labels=True),
    "openrouter": Quirks(developer=False, effort_in="reasoning", reasoning_field="reasoning"),
    "nvidia": Quirks(developer=False, effort_in="chat_template_kwargs", choices=False, strict_tools=False,
                     refuses=_FEW),
    "deepseek": Quirks(developer=False, most_stops=16, choices=False, json_schema=False,
                       strict_tools=False, refuses=("seed", "parallel_tool_calls", *_FEW)),
    "glm": _GLM,
    "zhipu": _GLM,
    "minimax": Quirks(developer=False, think_tags=True, choices=False, required_tools=False, strict_tools=False,
                      refuses=("reasoning_effort", "seed", "logprobs", *_FEW)),
    "moonshot": Quirks(developer=False, effort_in="thinking", most_stops=5, required_tools=False, strict_tools=False,
                       refuses=("seed", "logprobs", *_FEW)),
    "qwen": Quirks(developer=False, effort_in="enable_thinking", required_tools=False, strict_tools=False,
                   refuses=_FEW),
    "bd": Quirks(developer=False, effort_in="thinking", choices=False, strict_tools=False,
                 refuses=("seed", "metadata", "user")),
    "bedrock": Quirks(developer=False, choices=False, strict_tools=False, refuses=("parallel_tool_calls",)),
    "ollama": Quirks(developer=False, choices=False, required_tools=False, strict_tools=False, usage="own-chunk",
                     reasoning_field="reasoning", refuses=("parallel_tool_calls", *_FEW)),
    "vllm": Quirks(developer=False, effort_in="chat_template_kwargs"),
    "llama.cpp": Quirks(developer=False, effort_in="chat_template_kwargs", strict_tools=False),
    "lm-studio": Quirks(developer=False, choices=False, strict_tools=False, usage="missing",
                        refuses=("parallel_tool_calls",)),
}  # fmt: skip
# Their dialects' own tests play them; an account is a person's.
ELSEWHERE = frozenset({"anthropic", "codex"})

MODELS = {"openai": "gpt-5.2", "azure": "gpt-5.2", "gemini": "gemini-3-pro", "vertex": "gemini-2.5-pro"}
ROW = 'storefront = "conflux"\ncontext = 100000\nprice = { input = "1.00", output = "2.00" }\n'
ROW += 'capabilities = ["text", "tools", "reasoning", "structured_outputs", "json_mode", "logprobs"]\n'
TOOL = {"type": "function", "function": {"name": "look", "strict": True, "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}}}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    background, sims, config = Background(), [], ""
    for name, quirks in MANNERS.items():
        sim = SimServer(Script(quirks=quirks))
        background.run(sim.start())
        sims.append(sim)
        config += f'[[provider]]\nid = "{name}"\nbase_url = "http://127.0.0.1:{sim.port}/v1"\nauth = "none"\n'
        config += "credentials = []\n"
        config += f'[[pool]]\nid = "to-{name}"\n[[pool.target]]\nprovider = "{name}"\n'
        config += f'model = "{MODELS.get(name, "some-model")}"\n'
        config += f'[[model]]\nid = "acme/{name}"\npool = "to-{name}"\n{ROW}'
    served = Served(tmp_path_factory.mktemp("providers"), config).start()
    yield served
    served.stop()
    for sim in sims:
        background.run(sim.stop())
    background.close()


@pytest.fixture(scope="module")
def key(served: Served) -> str:
    return served.key(name="providers")


def test_every_shipped_row_is_played() -> None:
    assert load([shipped_dir()]).providers.keys() == MANNERS.keys() | ELSEWHERE


ASKED: dict[str, dict[str, Any]] = {
    "plain": {},
    "limits": {"max_tokens": 50, "stop": ["END"]},
    "sampling": {"temperature": 0.5, "top_p": 0.9, "seed": 3, "user": "u", "metadata": {"a": "b"}},
    "effort": {"reasoning_effort": "low"},
    "no effort": {"reasoning_effort": "none"},
    "no tools": {"tools": [], "tool_choice": "auto", "parallel_tool_calls": False},
    "tools": {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": True},
    "json": {"response_format": {"type": "json_object"}},
    # these may be refused
    "many stops": {"stop": ["a", "b", "c", "d", "e"]},
    "choices": {"n": 2},
    "demanded tool": {"tools": [TOOL], "tool_choice": "required"},
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": TOOL["function"]
                                                                          ["parameters"]}}},  # type: ignore[index]
    "bias": {"logit_bias": {"5": 1}},
}  # fmt: skip
REFUSABLE = {"many stops": "stop", "choices": "n", "demanded tool": "tool_choice", "schema": "response_format",
             "bias": "logit_bias"}  # fmt: skip
MESSAGES = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?", "reasoning_content": "hm"},
    {"role": "assistant", "content": None},
    {"role": "user", "content": "[[say: hello world]]"},
]


def ask(served: Served, key: str, name: str, stream: bool, **fields: Any) -> Answer:
    body = {"model": f"acme/{name}", "messages": MESSAGES, "stream": stream, **fields}
    return served.call("POST", "/v1/chat/completions", body, key=key)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", MANNERS)
def test_nothing_is_sent_that_a_provider_refuses(served: Served, key: str, name: str, asked: str, stream: bool) -> None:
    answer = ask(served, key, name, stream, **ASKED[asked])
    if answer.status == 400 and asked in REFUSABLE:
        assert answer.json()["error"]["param"] == REFUSABLE[asked]  # by us: the simulator's words have none
        return
    assert answer.status == 200, answer.body
    usage = served.receipt(key, answer)["usage"]
    assert usage["output"] > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", MANNERS)
def test_thoughts_are_told_apart_from_the_answer(served: Served, key: str, name: str, stream: bool) -> None:
    said = [{"role": "user", "content": "[[think: hm hm]] [[say: hello world]]"}]
    answer = ask(served, key, name, stream, messages=said, reasoning_effort="low")
    assert answer.status == 200, answer.body
    choices = [event["choices"][0] for event in answer.events()[:-1] if event["choices"]] if stream else [
        answer.json()["choices"][0]]  # fmt: skip
    found = [one.get("delta") or one.get("message") or {} for one in choices]
    assert "".join(one.get("content") or "" for one in found) == "hello world"
    assert "".join(one.get("reasoning_content") or one.get("reasoning") or "" for one in found) == "hm hm"
