"""From what was asked to what is answered, in any dialect.

Law: pure. Reads the Ask, the script and the headers, and decides everything: text, calls, thinking, where it is cut,
what it claims to have used, how it fails. The same ask gives the same plan.
"""

import json
import re
from collections.abc import Sequence

import msgspec

from conflux.sim import markers
from conflux.sim.ask import Ask, Limits
from conflux.sim.markers import Found
from conflux.sim.plan import CallPlan, Choice, Plan, Usage, UsagePlan, call_size, pieces, size
from conflux.sim.schema import example
from conflux.sim.script import Script

LABEL = "[simulated] "
OTHER_MODEL = "another-model-entirely"
_QUOTED = 400
_DRAFT = re.compile(r"<draft ([A-H]) (\w+)>\n(.*?)\n</draft \1 \2>", re.DOTALL)  # as a panel's fuser is shown them


def plan_for(ask: Ask, script: Script, headers: dict[str, str]) -> Plan:
    """Decide the whole answer."""
    scripted = script.markers(ask.model, ask.text, headers)
    steps = markers.read(f"{scripted} {ask.system} {ask.text}")
    # Agents' instructions are full of brackets that are not meant for us.
    unknown = [one for step in markers.read(f"{scripted} {ask.text}") for one in step.unknown]
    found = _step(steps, ask)
    thinking = found.think
    if thinking is None:
        thinking = f"Thinking with effort {ask.effort}." if ask.effort else ""
    calls: tuple[CallPlan, ...] = ()
    refused = False
    if unknown:
        texts = [LABEL + "unknown marker: " + "; ".join(unknown)]
    elif found.refuse:
        texts, refused = [LABEL + "I cannot help with that."], True
    else:
        missing = [call.name for call in found.calls if call.name and call.name not in ask.tools.schemas]
        calls = _calls(ask, found)
        if missing:
            calls, texts = (), [LABEL + "asked to call what was not offered: " + ", ".join(missing)]
        elif calls:
            texts = [found.say or ""]
        else:
            texts = _answers(ask, found, headers)
    return _cut(ask, found, thinking, texts, calls, refused, script.quirks.usage)


def _step(steps: list[Found], ask: Ask) -> Found:
    """What is asked of this answer. Past the last step, its manners stay and its words are used up."""
    if not ask.tools.parallel:
        steps = [part for step in steps for part in _one_by_one(step)]
    if ask.step < len(steps):
        return steps[ask.step]
    return msgspec.structs.replace(steps[-1], calls=[], say=None if steps[-1].calls else steps[-1].say)


def _one_by_one(step: Found) -> list[Found]:
    if len(step.calls) < 2:
        return [step]
    first = msgspec.structs.replace(step, calls=step.calls[:1])
    return [first, *(msgspec.structs.replace(step, calls=[call], say=None) for call in step.calls[1:])]


def _calls(ask: Ask, found: Found) -> tuple[CallPlan, ...]:
    tools = ask.tools
    if tools.forbidden or not tools.schemas:
        return ()
    wanted: Sequence[CallPlan] = found.calls
    if not wanted and tools.forced is not None and not ask.results:
        # A forced tool is called once: an agent that always forces would never end.
        wanted = [CallPlan(tools.forced, "")]
    return tuple(_filled(ask, call, place) for place, call in enumerate(wanted))


def _filled(ask: Ask, call: CallPlan, place: int) -> CallPlan:
    name = call.name or next(iter(ask.tools.schemas))
    if call.arguments or name not in ask.tools.schemas:
        return CallPlan(name, call.arguments)
    return CallPlan(name, json.dumps(example(ask.tools.schemas[name] or {"type": "object"}, ask.seed + place)))


def _answers(ask: Ask, found: Found, headers: dict[str, str]) -> list[str]:
    """One text, or one for each choice where they are free to differ."""
    if found.say is not None:
        return [found.say]
    if found.echo:
        return [json.dumps({"path": ask.path, "headers": headers, "body": ask.body})]
    if found.tokens is not None:
        return ["".join(f"{number % 1000:03d} " for number in range(found.tokens))]
    if ask.schema is not None:
        return [json.dumps(example(ask.schema, ask.seed + choice)) for choice in range(ask.choices)]
    if ask.json_object:
        return [json.dumps({"simulated": True, "you_said": ask.text[:200]})]
    if ask.results:
        text = LABEL + "the tools said: " + "; ".join(ask.results)
    elif drafts := [found[3] for found in _DRAFT.finditer(ask.text)]:
        text = _synthesis(drafts)
    else:
        text = f"{LABEL}You said: {ask.text[:_QUOTED]}"
        if ask.attachments:
            text += f" I received {len(ask.attachments)} attachment(s): {'; '.join(ask.attachments)}."
    return [text] + [f"{text} (choice {choice + 1})" for choice in range(1, ask.choices)]


def _synthesis(drafts: list[str]) -> str:
    """What the drafts say, each thing once."""
    points = dict.fromkeys(draft.removeprefix(LABEL).strip() for draft in drafts)
    said = " / ".join(point[: _QUOTED // len(points)] for point in points)
    return f"{LABEL}From {len(drafts)} drafts: {said}"


def _cut(
    ask: Ask, found: Found, thinking: str, texts: list[str], calls: tuple[CallPlan, ...], refused: bool, manner: str
) -> Plan:
    """Apply stop sequences and the token limit in the order things are spoken, and count what is left."""
    limit = ask.limits.tokens
    short = "".join(pieces(thinking)[:limit])
    left = None if limit is None else limit - size(short)
    choices, tokens = [], 0
    kept: tuple[CallPlan, ...] = ()
    for place in range(ask.choices):
        text = texts[place] if place < len(texts) else texts[0]
        stopped = _stopped(text, ask.limits)
        spoken = "".join(pieces(stopped)[:left])
        kept = _kept(calls, None if left is None else left - size(spoken))
        whole = short == thinking and spoken == stopped and kept == calls
        finish = ("tool_calls" if calls else "stop") if whole else "length"
        choices.append(Choice(spoken, found.finish or finish))
        tokens += size(short) + size(spoken) + sum(call_size(call) for call in kept)
    return Plan(
        choices=tuple(choices),
        refused=refused,
        thinking=short,
        calls=kept,
        tokens=tokens,
        usage=_usage(found.usage or UsagePlan(manner=manner), ask.prompt_tokens, tokens, size(short) * ask.choices),
        fault=found.fail,
        fault_at=found.fail_at,
        code=found.code,
        retry_after=found.retry_after,
        rate=found.rate,
        first_ms=found.first_ms,
        model=OTHER_MODEL if found.fail == "wrong-model" else None,
        logprobs=ask.logprobs,
    )


def _stopped(text: str, limits: Limits) -> str:
    places = [text.index(stop) for stop in limits.stops if stop and stop in text]
    return text[: min(places)] if places else text


def _kept(calls: tuple[CallPlan, ...], left: int | None) -> tuple[CallPlan, ...]:
    """The calls that fit; the one that meets the limit loses the end of its arguments, as real ones do."""
    if left is None:
        return calls
    kept: list[CallPlan] = []
    for call in calls:
        room = left - size(call.name)
        if room < 0:
            break
        kept.append(CallPlan(call.name, "".join(pieces(call.arguments)[:room])))
        left -= call_size(call)
        if left < 0:
            break
    return tuple(kept)


def _usage(wanted: UsagePlan, prompt: int, completion: int, thinking: int) -> Usage:
    if wanted.manner == "zero":
        return Usage(manner="zero")
    if wanted.manner == "absurd":
        return Usage(prompt=-5, completion=10**12, cached=10**15, reasoning=-1, manner="absurd")
    reasoning = wanted.reasoning
    if reasoning is None:
        reasoning = thinking if wanted.completion is None else 0
    return Usage(
        prompt=prompt if wanted.prompt is None else wanted.prompt,
        completion=completion if wanted.completion is None else wanted.completion,
        cached=wanted.cached,
        reasoning=reasoning,
        manner=wanted.manner,
    )
