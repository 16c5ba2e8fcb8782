"""How one provider differs from the protocol's text.

Law: a quirk is a value here, read by the dialect that renders it; no provider's name is ever asked for. A script's
[quirks] table sets them for a whole simulator.
"""

import msgspec


class Quirks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reasoning_field: str = "reasoning_content"  # where thinking is told
    done: bool = True  # a stream ends with [DONE]
    usage: str = "normal"  # how usage is told where the prompt does not say, see markers.USAGE_MANNERS
    refuses: tuple[str, ...] = ()  # fields of a body that are a mistake to this provider
    system_messages: bool = False  # it takes system messages amid a conversation (Anthropic's)
    developer: bool = True  # there is a role developer
    most_stops: int = 4
    choices: bool = True  # n may be above 1
    required_tools: bool = True  # tool_choice may demand a call
    json_schema: bool = True
    strict_tools: bool = True  # tools may say strict
    fixed_sampling: bool = False  # temperature and its like are refused
    effort_in: str = ""  # the only field that may ask for thinking; "" for any
    think_tags: bool = False  # thinking is told in the text, between <think> and </think>
    # Gemini's
    call_ids: bool = False  # function calls have ids
    signed_calls: bool = False  # calls bear thought signatures, and must when they come back
    no_thinking_level: str = "gemini-2"  # models that begin so take a budget only
    labels: bool = False  # it takes billing labels
