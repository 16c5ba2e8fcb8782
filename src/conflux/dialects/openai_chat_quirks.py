"""A body of chat completions or completions made to suit one provider, the same on both lanes.

Law: what an upstream would refuse is never sent. It is said in the provider's own way, or left out and named where it
was a hint, or refused by name where it was a demand; what means nothing is left out silently. The body's own inner
values are never changed in place: the caller's envelope shares them.
"""

from typing import Any

from conflux.dialects.base import Shape
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused

MOST_STOPS = 4
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias")
_TOOLING = frozenset({"tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"})

Json = dict[str, Any]


def suit(body: Json, shape: Shape) -> tuple[str, ...]:
    """The names of what had to be left out."""
    quirks = shape.quirks
    dropped: list[str] = []
    if not _TOOLING.isdisjoint(body):
        _tools(body)
    stops = body.get("stop")
    if type(stops) is list:
        most = quirks.get("most_stops", MOST_STOPS)
        if len(stops) > most:
            raise _refused(Field.STOP, f"this model's provider takes {most} at most, not {len(stops)}")
        if not stops:
            del body["stop"]
    if quirks:
        _demands(body, quirks)
        _hints(body, shape, dropped)
        _think(body, quirks, dropped)
        if "messages" in body:
            _words(body, quirks, dropped)
    return tuple(dict.fromkeys(dropped)) if dropped else ()


def _words(body: Json, quirks: Json, dropped: list[str]) -> None:
    if quirks.get("reasoning_back", "reasoning_content") != "reasoning_content":
        body["messages"] = [_thought(one, quirks["reasoning_back"], dropped) for one in body["messages"]]
    if quirks.get("developer_role") is False:
        body["messages"] = [_without_developer(message) for message in body["messages"]]


def _tools(body: Json) -> None:
    """No tools are no tools, however that is said."""
    for offered, choice in (("tools", "tool_choice"), ("functions", "function_call")):
        if body.get(offered):
            continue
        body.pop(offered, None)
        chosen = body.pop(choice, None)
        if chosen not in (None, "auto", "none"):
            raise Refused(Kind.INVALID, Field.TOOL_CHOICE, "{field}: there are no tools to choose from")
    if "tools" not in body:
        body.pop("parallel_tool_calls", None)


def _demands(body: Json, quirks: Json) -> None:
    """What cannot be left out without answering another question."""
    if quirks.get("choices") is False and (body.get("n") or 1) > 1:
        raise _refused(Field.CHOICES, "this model's provider gives one choice at a time")
    if quirks.get("choices") is False:
        body.pop("n", None)
    if quirks.get("no_tools_word") is False and body.get("tool_choice") == "none":
        for name in ("tools", "tool_choice", "parallel_tool_calls"):
            body.pop(name, None)  # what is not offered is not used
    if quirks.get("required_tools") is False and body.get("tool_choice") not in (None, "auto", "none"):
        raise _refused(Field.TOOL_CHOICE, "this model's provider cannot be made to use a tool: let the model choose")
    form = body.get("response_format")
    if quirks.get("json_schema") is False and form is not None and form.get("type") == "json_schema":
        raise _refused(Field.FORMAT_SCHEMA, "this model's provider takes json_object, not json_schema")


def _hints(body: Json, shape: Shape, dropped: list[str]) -> None:
    quirks = shape.quirks
    if quirks.get("parallel_tools") is False and body.pop("parallel_tool_calls", None) is not None:
        dropped.append("parallel_tool_calls")
    if quirks.get("strict_tools") is False and body.get("tools"):
        body["tools"] = [_unstrict(tool, dropped) for tool in body["tools"]]
    if quirks.get("stream_usage") is False:
        body.pop("stream_options", None)
    models = quirks.get("fixed_sampling_models")
    if models and shape.model.rsplit("/", 1)[-1].startswith(tuple(models)):
        for name in _SAMPLING:
            if body.pop(name, None) is not None and not (name == "temperature" and shape.temperature is not None):
                dropped.append(name)
    for name in quirks.get("refuses", ()):
        if body.pop(name, None) is not None:
            dropped.append(name)


def _unstrict(tool: Json, dropped: list[str]) -> Json:
    inner = tool.get("function")
    if not isinstance(inner, dict) or "strict" not in inner:
        return tool
    if inner["strict"]:
        dropped.append("tools.strict")
    return {**tool, "function": {name: value for name, value in inner.items() if name != "strict"}}


def _think(body: Json, quirks: Json, dropped: list[str]) -> None:
    """The effort, in the provider's own words."""
    manner = quirks.get("reasoning", "effort")
    if manner == "effort":
        return
    effort = body.pop("reasoning_effort", None)
    if effort is None:
        return
    thinks = effort != "none"
    if manner == "none":
        if thinks:
            dropped.append("reasoning_effort")
    elif manner == "object":
        body["reasoning"] = {"effort": effort} if thinks else {"enabled": False}
    else:
        _switch(body, manner, thinks)
        if thinks and effort in quirks.get("efforts", ()):
            body["reasoning_effort"] = effort
        elif thinks:
            dropped.append("reasoning_effort")  # it thinks, but nobody tells it how much


def _switch(body: Json, manner: str, thinks: bool) -> None:
    if manner == "thinking":
        body["thinking"] = {"type": "enabled" if thinks else "disabled"}
    elif manner == "enable_thinking":
        body["enable_thinking"] = thinks
    else:
        said = body.get("chat_template_kwargs") or {}
        body["chat_template_kwargs"] = {"enable_thinking": thinks, "thinking": thinks, **said}


def _thought(message: Json, field: str, dropped: list[str]) -> Json:
    if "reasoning_content" not in message:
        return message
    found = dict(message)
    text = found.pop("reasoning_content")
    if field == "none":
        dropped.append("reasoning_content")
    else:
        found.setdefault(field, text)
    return found


def _without_developer(message: Json) -> Json:
    return {**message, "role": "system"} if message["role"] == "developer" else message


def _refused(field: Field, text: str) -> GatewayError:
    return Refused(Kind.UNSUPPORTED, field, f"{{field}}: {text}")
