"""The options of a request, written as the messages wire says them.

Law: what another dialect demands and this wire has not is refused by name; what it wishes is left out and named. How a
target wants to be told to think is the provider's quirk `thinking`, else known from the age of the model.
"""

import re
from typing import Any

from conflux.dialects import anthropic_schema, thinking_effort
from conflux.dialects import anthropic_wire as wire
from conflux.dialects.base import Shape
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.request import Output, Request, Role, Thinking, Tool, ToolCall, ToolResult

OUTPUT_WHEN_UNSAID = 4096
LEAST_BUDGET = 1024

_MODES = {"auto": "auto", "required": "any", "none": "none"}
_HINTS = ("frequency_penalty", "presence_penalty", "seed", "logit_bias")
_EFFORTS = {"minimal": "low"}
# Those that are told how many tokens to think with; all later ones are told to decide it themselves.
_BUDGETED = re.compile(r"claude-(?:3|(?:opus|sonnet|haiku)-4(?:[.-][0-5])?(?:-?2025\d*)?(?:@|$|-v))")


def write_options(request: Request, body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """The names of what was left out."""
    own = request.dialect == wire.NAME
    dropped: list[str] = []
    body["max_tokens"] = shape.max_output or request.max_output or OUTPUT_WHEN_UNSAID
    _sampling(request, body, shape, dropped)
    if request.tools:
        body["tools"] = [_tool(tool, own, dropped) for tool in request.tools]
        _choice(request, body)
    elif own and request.tool_choice is not None:
        _choice(request, body)
    _output(request.output, body, own)
    if own:
        _reasoning(request, body)
        dropped += fix_effort(body, shape)
    else:
        _foreign_reasoning(request, body, shape, dropped)
    if request.user is not None:
        body["metadata"] = {"user_id": request.user}
    if request.metadata:
        dropped.append("metadata")
    return tuple(dropped)


def fix_effort(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Set the effort that the target fixes; told where that overrules the client."""
    if shape.effort is None:
        return ()
    config = body.get("output_config") or {}
    said = config.get("effort")
    body["output_config"] = {**config, "effort": shape.effort}
    return ("output_config.effort",) if said not in (None, shape.effort) else ()


def _sampling(request: Request, body: dict[str, Any], shape: Shape, dropped: list[str]) -> None:
    sampling = request.sampling
    if sampling.n > 1:
        raise _cannot(Field.CHOICES, "gives one answer")
    if sampling.logprobs or sampling.top_logprobs:
        raise _cannot(Field.LOGPROBS, "does not tell how likely its words were")
    thinks = request.reasoning is not None and request.reasoning.enabled is True
    temperature = sampling.temperature
    if temperature is None and not thinks:
        temperature = shape.temperature  # who thinks is not told how freely to choose its words
    if temperature is not None and temperature > 1:
        temperature = 1.0
        dropped.append("temperature")
    for name, value in (("temperature", temperature), ("top_p", sampling.top_p), ("top_k", sampling.top_k)):
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop_sequences"] = list(sampling.stop)
    dropped += [name for name in _HINTS if getattr(sampling, name) is not None]


def _cannot(field: Field, why: str, within: str = "") -> GatewayError:
    text = f"{{field}}: this model's provider {why}: leave it out, or choose another model"
    return Refused(Kind.UNSUPPORTED, field, text, within=within)


def _tool(tool: Tool, own: bool, dropped: list[str]) -> dict[str, Any]:
    if own and tool.raw is not None:
        return tool.raw
    schema = tool.schema or {}
    found: dict[str, Any] = {"name": tool.name, "input_schema": {"type": "object", "properties": {}, **schema}}
    if tool.description is not None:
        found["description"] = tool.description
    if tool.strict:
        if anthropic_schema.beyond(schema) is None:
            found["strict"] = True
            found["input_schema"] = anthropic_schema.closed(found["input_schema"])
        else:
            dropped.append("tools.strict")
    if tool.cache is not None:
        found["cache_control"] = tool.cache
    return found


def _choice(request: Request, body: dict[str, Any]) -> None:
    choice, parallel = request.tool_choice, request.parallel_tool_calls
    if choice is None and parallel is None:
        return
    found: dict[str, Any] = {"type": "auto"}
    if choice is not None and choice.mode == "named":
        found = {"type": "tool", "name": choice.name}
    elif choice is not None:
        found = {"type": _MODES[choice.mode]}
    if parallel is not None and found["type"] != "none":
        found["disable_parallel_tool_use"] = not parallel
    body["tool_choice"] = found


def _output(output: Output, body: dict[str, Any], own: bool) -> None:
    if output.kind == "text":
        return
    if output.kind != "json_schema" or output.schema is None:
        raise _cannot(Field.FORMAT, "has no JSON mode without a schema: send a json_schema")
    schema = output.schema
    if not own:
        place = anthropic_schema.beyond(schema)
        if place is not None:
            raise _cannot(Field.SCHEMA, "does not enforce this keyword", within=place)
        labels = {"title": output.name, "description": output.description}
        schema = {**{name: text for name, text in labels.items() if text}, **anthropic_schema.closed(schema)}
    body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}


def _reasoning(request: Request, body: dict[str, Any]) -> None:
    reasoning = request.reasoning
    if reasoning is None:
        return
    if reasoning.enabled is False:
        body["thinking"] = {"type": "disabled"}
    elif reasoning.budget is not None:
        body["thinking"] = {"type": "enabled", "budget_tokens": reasoning.budget}
    elif reasoning.enabled:
        body["thinking"] = {"type": "adaptive"}
    if reasoning.effort is not None:
        body["output_config"] = {**body.get("output_config", {}), "effort": reasoning.effort}


def _foreign_reasoning(request: Request, body: dict[str, Any], shape: Shape, dropped: list[str]) -> None:
    reasoning = request.reasoning
    if shape.effort is not None:
        effort: str | None = shape.effort
        budget = thinking_effort.BUDGETS.get(shape.effort)
    else:
        effort, budget = thinking_effort.effort_of(reasoning), thinking_effort.budget_of(reasoning)
    if effort is None and not (reasoning is not None and reasoning.enabled):
        return
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
        return
    if request.tool_choice is not None and request.tool_choice.mode in ("required", "named"):
        dropped.append("reasoning_effort")  # thinking does not go with a forced tool
        return
    if _is_budgeted(shape):
        room = int(body["max_tokens"]) - 1
        if room < LEAST_BUDGET or _acts_unsigned(request):
            dropped.append("reasoning_effort")
            return
        wanted = budget if budget is not None else thinking_effort.BUDGETS["medium"]
        body["thinking"] = {"type": "enabled", "budget_tokens": max(LEAST_BUDGET, min(wanted, room))}
    else:
        body["thinking"] = {"type": "adaptive"}
        if reasoning is not None and reasoning.summary:
            body["thinking"]["display"] = "summarized"
        if effort is not None:
            body["output_config"] = {**body.get("output_config", {}), "effort": _EFFORTS.get(effort, effort)}
    # Who thinks is not told how freely to choose its words.
    if body.get("temperature") not in (None, 1):
        del body["temperature"]
        if request.sampling.temperature is not None:
            dropped.append("temperature")
    if body.pop("top_k", None) is not None:
        dropped.append("top_k")
    if body.get("top_p", 1) < 0.95:
        del body["top_p"]
        dropped.append("top_p")


def _is_budgeted(shape: Shape) -> bool:
    form = shape.quirks.get("thinking")
    return form == "enabled" if form is not None else _BUDGETED.search(shape.model.lower()) is not None


def _acts_unsigned(request: Request) -> bool:
    """Is the last answer one that called tools, without a thought of this wire's own? Then none may follow it."""
    for message in reversed(request.messages):
        if message.role is Role.ASSISTANT:
            signed = any(isinstance(one, Thinking) and one.issuer == wire.NAME for one in message.parts)
            return not signed and any(isinstance(one, ToolCall) for one in message.parts)
        if message.role is Role.USER and not all(isinstance(one, ToolResult) for one in message.parts):
            return False
    return False
