"""What one provider refuses of a chat completions body that OpenAI takes.

Law: each refusal is a value of Quirks; no provider's name is asked for. Read after OpenAI's own rules.
"""

from typing import Any

from conflux.sim.ask import BadRequest
from conflux.sim.quirks import Quirks

_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias")
_EFFORTS = ("reasoning_effort", "reasoning", "thinking", "enable_thinking", "chat_template_kwargs")


def check_manners(body: dict[str, Any], quirks: Quirks) -> None:
    if not quirks.developer and any(_role(one) == "developer" for one in body.get("messages") or ()):
        raise BadRequest("messages: unknown variant `developer`, expected system, user, assistant or tool", "messages")
    stops = body.get("stop")
    if isinstance(stops, list) and len(stops) > quirks.most_stops:
        raise BadRequest(f"Invalid value for 'stop': expected a string or at most {quirks.most_stops} of them", "stop")
    if not quirks.choices and body.get("n", 1) > 1:
        raise BadRequest("n: only 1 is supported", "n")
    if not quirks.required_tools and body.get("tool_choice", "auto") not in ("auto", "none"):
        raise BadRequest("tool_choice: only auto and none are supported", "tool_choice")
    if not quirks.json_schema and (body.get("response_format") or {}).get("type") == "json_schema":
        raise BadRequest("response_format.type: json_schema is not available", "response_format")
    if not quirks.strict_tools and any("strict" in (one.get("function") or {}) for one in body.get("tools") or ()):
        raise BadRequest("tools: unknown field strict", "tools")
    _check_thinking(body, quirks)


def _check_thinking(body: dict[str, Any], quirks: Quirks) -> None:
    for name in _SAMPLING if quirks.fixed_sampling else ():
        if name in body:
            raise BadRequest(f"Unsupported parameter: '{name}' is not supported with this model.", name)
    for name in _EFFORTS if quirks.effort_in else ():
        if name in body and name != quirks.effort_in:
            raise BadRequest(f"Unrecognized request argument supplied: {name}", name)


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None
