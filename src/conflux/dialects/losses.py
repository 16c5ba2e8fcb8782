"""What is left out of a request, told by name.

Law: a field of the client's own dialect that no neutral record holds goes to that dialect only; every other names it.
What was merely offered is left out and named, what was demanded is refused by name.
"""

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import Opaque, Request, Thinking, Tool


def unsaid(request: Request, own: str) -> tuple[str, ...]:
    """The client's fields that the dialect `own` has no words for."""
    return () if request.dialect == own else tuple(sorted(request.extra))


def parts(request: Request, dialect: str) -> tuple[str, ...]:
    """Parts of the conversation that only their own dialect understands, and signatures of another issuer."""
    found: set[str] = set()
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Opaque) and part.dialect != dialect:
                found.add(part.kind)
            elif isinstance(part, Thinking) and part.issuer != dialect and (part.signature or part.redacted):
                found.add("reasoning signature")
    return tuple(sorted(found))


def callable_tools(request: Request) -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The tools that the client runs itself, and the names of those only their own provider could run.

    Raises where such a tool is the one that must be used: an answer without it would not be the one asked for.
    """
    kept = tuple(tool for tool in request.tools if tool.kind in ("function", "custom"))
    if len(kept) == len(request.tools):
        return kept, ()
    others = [tool for tool in request.tools if tool.kind not in ("function", "custom")]
    choice = request.tool_choice
    if choice is not None:
        forced = [tool for tool in others if choice.mode == "named" and choice.name in (tool.name, tool.kind)]
        if forced or (choice.mode == "required" and not kept):
            name = (forced or others)[0].kind
            raise GatewayError(
                Kind.UNSUPPORTED,
                f"tool_choice: the tool {name!r} runs at its provider, which this model's has not: "
                "let the model choose, or choose another model",
                param="tool_choice",
            )
    return kept, tuple(sorted({f"tools.{tool.kind}" for tool in others}))


def check_vital(request: Request, dialect: str) -> None:
    """Raises where the conversation rests on what only its own provider can read."""
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Opaque) and part.vital and part.dialect != dialect:
                raise GatewayError(
                    Kind.UNSUPPORTED,
                    f"a {part.kind} part can be read only by the provider that made it: choose a model of that "
                    "provider, or send the conversation itself",
                    param=part.kind,
                )
