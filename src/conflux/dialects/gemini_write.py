"""A neutral request, written as a generateContent request.

Law: instructions go to the front as one, calls and their results stand next to each other in the order of the calls,
schemas are cleaned, and a signature goes out only where it is Gemini's own. What has no place is named in `dropped`
where it was a hint, and refused by name where it was not. What the target fixes is set last, in `fit`.
"""

from typing import Any

import msgspec

from conflux.dialects import gemini_wire as wire
from conflux.dialects import losses, names, strict_json
from conflux.dialects.base import Shape, Written
from conflux.dialects.gemini_contents import write_contents
from conflux.dialects.gemini_schema import clean, reads_all
from conflux.dialects.thinking_effort import BUDGETS, budget_of, effort_of
from conflux.neutral.errors import Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.request import Reasoning, Request, Tool, ToolChoice

MOST_STOPS = 5
_SEED_MOST = 2**31 - 1
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_LEVELS = {"none": "minimal", "xhigh": "high", "max": "high"}


def write_request(request: Request, shape: Shape) -> Written:
    own = request.dialect == wire.NAME
    dropped: list[str] = []
    request, restored = (request, {}) if own else names.fit(request)
    system, contents, unsaid = write_contents(request, shape)
    dropped += unsaid
    body: dict[str, Any] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    _write_tools(request, shape, body, dropped)
    settings = _settings(request, shape, dropped)
    if settings:
        body["generationConfig"] = settings
    if own:
        _put_extra(request.extra, body)
    _think(request.reasoning, body, shape, shows=not own)
    dropped += fit(body, shape)
    dropped += losses.unsaid(request, wire.NAME) + losses.parts(request, wire.NAME)
    return Written(body=strict_json.encode(body), dropped=tuple(dict.fromkeys(dropped)), names=restored)


def _put_extra(extra: dict[str, Any], body: dict[str, Any]) -> None:
    for path, value in extra.items():
        if "[" in path:
            continue  # went with the declaration it belongs to
        place = body
        *steps, last = path.split(".")
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value


def fit(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Set what the target fixes. The names of what that leaves no room for."""
    settings = body.get("generationConfig") or {}
    if shape.max_output is not None:
        settings["maxOutputTokens"] = shape.max_output
    if shape.temperature is not None and settings.get("temperature") is None:
        settings["temperature"] = shape.temperature
    dropped: tuple[str, ...] = ()
    if shape.effort is not None:
        said = settings.get("thinkingConfig") or {}
        settings["thinkingConfig"] = _effort(shape.effort, shape) | {
            name: value for name, value in said.items() if name == "includeThoughts"
        }
    if settings:
        body["generationConfig"] = settings
    if "labels" in body and shape.quirks.get("labels") is not True:
        del body["labels"]
        dropped += ("labels",)
    return dropped


def _effort(effort: str, shape: Shape) -> dict[str, Any]:
    """Older models take a budget, newer ones a level, and each refuses the other."""
    if _is_of(shape.model, shape.quirks.get("thinking_budget_models")):
        return {"thinkingBudget": BUDGETS.get(effort, BUDGETS["medium"])}
    return {"thinkingLevel": _LEVELS.get(effort, effort)}


def _is_of(model: str, family: Any) -> bool:
    return isinstance(family, str) and model.rsplit("/", 1)[-1].startswith(family)


def _think(reasoning: Reasoning | None, body: dict[str, Any], shape: Shape, *, shows: bool) -> None:
    """`shows`: whoever asks a model to think in another protocol is shown what it thought."""
    if reasoning is None:
        return
    effort, budget = effort_of(reasoning), budget_of(reasoning)
    config: dict[str, Any] = {}
    if _is_of(shape.model, shape.quirks.get("thinking_budget_models")):
        if budget is not None:
            config["thinkingBudget"] = min(budget, BUDGETS["high"])
        elif reasoning.enabled:
            config["thinkingBudget"] = -1
    elif effort is not None:
        config["thinkingLevel"] = _LEVELS.get(effort, effort)
    thinks = effort not in (None, "none") or reasoning.enabled
    if reasoning.summary is not None or (shows and thinks):
        config["includeThoughts"] = True
    if config:
        body.setdefault("generationConfig", {})["thinkingConfig"] = config


def _write_tools(request: Request, shape: Shape, body: dict[str, Any], dropped: list[str]) -> None:
    own = request.dialect == wire.NAME
    served: list[dict[str, Any]] = []
    if own:
        functions = [tool.raw or {} for tool in request.tools if tool.kind == "function"]
        served = [tool.raw or {} for tool in request.tools if tool.kind != "function"]
    else:
        searches = tuple(tool for tool in request.tools if tool.kind.startswith("web_search"))
        rest = msgspec.structs.replace(request, tools=tuple(tool for tool in request.tools if tool not in searches))
        offered, lost = losses.callable_tools(rest)
        dropped += lost
        functions = [_declaration(tool, shape, dropped) for tool in offered]
        if searches and functions and shape.quirks.get("search_beside_tools") is not True:
            dropped += [f"tools.{tool.kind}" for tool in searches]
        elif searches:
            served = [{"googleSearch": {}}]
    tools = [{"functionDeclarations": functions}] if functions else []
    if tools or served:
        body["tools"] = [*tools, *served]
    if not functions:
        return
    if request.tool_choice is not None:
        body["toolConfig"] = {"functionCallingConfig": _calling(request.tool_choice)}
    if request.parallel_tool_calls is False:
        dropped.append("parallel_tool_calls")


def _calling(choice: ToolChoice) -> dict[str, Any]:
    if choice.mode == "named":
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    return {"mode": _MODES.get(choice.mode, "AUTO")}


def _declaration(tool: Tool, shape: Shape, dropped: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tool.name}
    if tool.description:
        found["description"] = tool.description
    if tool.strict:
        dropped.append("tools.strict")
    if tool.schema:
        lost: set[str] = set()
        parameters = clean(tool.schema, lost)
        if lost and _takes_all(tool.schema, shape):
            return found | {"parametersJsonSchema": tool.schema}
        dropped += [f"tools.{name}" for name in sorted(lost)]
        if parameters.get("properties") or parameters.get("type") != "OBJECT":
            found["parameters"] = parameters
    return found


def _takes_all(schema: dict[str, Any], shape: Shape) -> bool:
    """Older models know their own kind of schema only."""
    return shape.quirks.get("json_schemas") is True and reads_all(schema)


def _settings(request: Request, shape: Shape, dropped: list[str]) -> dict[str, Any]:
    sampling = request.sampling
    if sampling.logit_bias:
        raise Refused(Kind.UNSUPPORTED, Field.LOGIT_BIAS, "{field}: this model's provider does not take it")
    if len(sampling.stop) > MOST_STOPS:
        text = f"{{field}}: this model's provider takes {MOST_STOPS} at most, not {len(sampling.stop)}"
        raise Refused(Kind.UNSUPPORTED, Field.STOP, text)
    found: dict[str, Any] = {
        "maxOutputTokens": request.max_output,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "frequencyPenalty": sampling.frequency_penalty,
        "presencePenalty": sampling.presence_penalty,
        "seed": sampling.seed & _SEED_MOST if sampling.seed is not None else None,
        "stopSequences": list(sampling.stop) or None,
        "candidateCount": sampling.n if sampling.n > 1 else None,
        "responseLogprobs": True if sampling.logprobs else None,
        "logprobs": sampling.top_logprobs if sampling.logprobs else None,
    }
    if request.output.kind != "text":
        found["responseMimeType"] = "application/json"
    if request.output.schema:
        lost: set[str] = set()
        labels = {"title": request.output.name, "description": request.output.description}
        said = {name: label for name, label in labels.items() if label is not None and request.dialect != wire.NAME}
        schema = {**said, **request.output.schema}
        cleaned = clean(schema, lost, ordered=True)
        if lost and _takes_all(schema, shape):
            found["responseJsonSchema"] = schema
        else:
            found["responseSchema"] = cleaned
            dropped += [f"response_format.{name}" for name in sorted(lost)]
    for name in ("user", "metadata"):
        if getattr(request, name) is not None:
            dropped.append(name)
    return {name: value for name, value in found.items() if value is not None}
