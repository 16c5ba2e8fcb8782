"""A value that a JSON schema accepts, made from a seed.

Law: covers what structured outputs are written with (objects, arrays, enums, constants, bounds, alternatives, local
references); what it does not know (pattern, not, if) it does not look at. Always ends: past a depth or a number of
values it takes the shortest way out, past twice of that it answers with a string.
"""

import math
import random
from fractions import Fraction
from typing import Any

_DEEP = 6
_DEEPEST = 64
_MOST_VALUES = 2_000
_MOST_ITEMS = 1_000
_MOST_CHARACTERS = 10_000
_TRIES = 50
_ENDLESS = math.inf

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "sim@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
}
_BY_KEYWORD = {
    "properties": "object", "required": "object", "additionalProperties": "object", "items": "array",
    "prefixItems": "array", "minItems": "array", "minimum": "number", "maximum": "number", "multipleOf": "number",
}  # fmt: skip


def example(schema: dict[str, Any], seed: int) -> Any:
    return _Maker(schema, seed).make(schema, 0)


class _Maker:
    def __init__(self, root: dict[str, Any], seed: int) -> None:
        self._root = root
        self._chance = random.Random(seed)
        self._left = _MOST_VALUES
        self._ways: dict[str, float] = {}

    def make(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if not isinstance(schema, dict) or depth > _DEEPEST or self._left < -_MOST_VALUES:
            return "simulated"
        if isinstance(schema.get("$ref"), str):
            others = {name: value for name, value in schema.items() if name != "$ref"}
            return self.make(_merged(self._resolve(schema["$ref"]), others), depth + 1)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._chance.choice(schema["enum"])
        for word in ("allOf", "anyOf", "oneOf"):
            options = schema.get(word)
            if isinstance(options, list) and options:
                others = {name: value for name, value in schema.items() if name != word}
                chosen = options if word == "allOf" else [self._option(options, depth)]
                for part in chosen:
                    others = _merged(others, self._plain(part))
                return self.make(others, depth + 1)
        return self._typed(schema, depth)

    def _tight(self, depth: int) -> bool:
        return depth > _DEEP or self._left < 0

    def _option(self, options: list[Any], depth: int) -> Any:
        """The first, which people write for the usual case; the one with the shortest way out when it is time."""
        return min(options, key=lambda option: self._way(option, 0)) if self._tight(depth) else options[0]

    def _plain(self, part: Any) -> dict[str, Any]:
        """An alternative without the reference in front of it."""
        for _ in range(_DEEP):
            if not isinstance(part, dict) or not isinstance(part.get("$ref"), str):
                break
            others = {name: value for name, value in part.items() if name != "$ref"}
            part = _merged(self._resolve(part["$ref"]), others)
        return part if isinstance(part, dict) else {}

    def _way(self, schema: Any, depth: int) -> float:
        """How many levels the smallest value has; endless where only the limits would end it."""
        self._left -= 1
        if not isinstance(schema, dict) or "const" in schema or "enum" in schema:
            return 0
        if depth > _DEEP or self._left < -_MOST_VALUES:
            return _ENDLESS
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference not in self._ways:
                self._ways[reference] = _ENDLESS  # whoever comes back here while we look has no way out through it
                way = self._way(self._resolve(reference), depth + 1) + 1
                if way == _ENDLESS:
                    del self._ways[reference]
                    return way
                self._ways[reference] = way
            return self._ways[reference]
        for word in ("anyOf", "oneOf"):
            if isinstance(schema.get(word), list) and schema[word]:
                return min(self._way(option, depth + 1) for option in schema[word]) + 1
        inner = [part for part in _list(schema.get("allOf")) if isinstance(part, dict)]
        kind = _kind(schema)
        if kind == "object":
            properties = _table(schema.get("properties"))
            inner += [properties[name] for name in _names(schema.get("required")) if name in properties]
        elif kind == "array" and schema.get("minItems"):
            inner += [_table(schema.get("items")), *map(_table, _list(schema.get("prefixItems")))]
        return max((self._way(part, depth + 1) + 1 for part in inner), default=0)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        match _kind(schema, nothing=self._tight(depth)):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer":
                return self._number(schema, whole=True)
            case "number":
                return self._number(schema, whole=False)
            case "boolean":
                return self._chance.random() < 0.5
            case "null":
                return None
            case _:
                return self._string(schema)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties, others = _table(schema.get("properties")), schema.get("additionalProperties")
        required = _names(schema.get("required"))
        if "required" not in schema and not self._tight(depth):
            required = list(properties)
        free = others if isinstance(others, dict) else {"type": "string"}
        made = {name: self.make(properties.get(name, free), depth + 1) for name in required}
        if not properties and not made and isinstance(others, dict) and not self._tight(depth):
            made["simulated"] = self.make(others, depth + 1)
        for number in range(_bound(schema, "minProperties", 0, _MOST_ITEMS) - len(made)):
            made[f"simulated_{number}"] = self.make(free, depth + 1)
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first = _list(schema.get("prefixItems"))
        least = _bound(schema, "minItems", 0 if self._tight(depth) else max(1, len(first)), _MOST_ITEMS)
        count = min(least, _bound(schema, "maxItems", least, _MOST_ITEMS))
        if schema.get("items") is False:
            count = min(count, len(first))
        made: list[Any] = []
        for place in range(count):
            item = first[place] if place < len(first) else schema.get("items", {"type": "string"})
            made.append(self.make(item, depth + 1))
            tries = _TRIES if schema.get("uniqueItems") is True else 0
            while tries and made[-1] in made[:-1]:
                made[-1] = self.make(item, depth + 1)
                tries -= 1
        return made

    def _number(self, schema: dict[str, Any], *, whole: bool) -> Any:
        low, high = _fraction(schema, "minimum"), _fraction(schema, "maximum")
        above, below = _fraction(schema, "exclusiveMinimum"), _fraction(schema, "exclusiveMaximum")
        step = _fraction(schema, "multipleOf")
        if step is None or step <= 0:
            step = Fraction(1) if whole else None
        elif whole:
            step = Fraction(step.numerator)  # the whole numbers among the multiples of p/q are those of p
        if step is None:
            return self._between(low, high, above, below)
        least = [math.ceil(low / step)] if low is not None else []
        least += [math.floor(above / step) + 1] if above is not None else []
        most = [math.floor(high / step)] if high is not None else []
        most += [math.ceil(below / step) - 1] if below is not None else []
        start = max(least) if least else (min(most) - 100 if most else 0)
        end = min(most) if most else start + 100
        value = self._chance.randint(start, max(start, end)) * step
        return int(value) if value.denominator == 1 else float(value)

    def _between(
        self, low: Fraction | None, high: Fraction | None, above: Fraction | None, below: Fraction | None
    ) -> float | int:
        """The middle: inside whether or not the ends belong to it."""
        lows = [one for one in (low, above) if one is not None]
        highs = [one for one in (high, below) if one is not None]
        start = max(lows) if lows else (min(highs) - 1 if highs else Fraction(0))
        end = min(highs) if highs else start + 1
        middle = (start + end) / 2
        return int(middle) if middle.denominator == 1 else float(middle)

    def _string(self, schema: dict[str, Any]) -> str:
        known = _FORMATS.get(str(schema.get("format")))
        if known is not None:
            return known
        text = f"simulated {self._chance.randrange(1000)}".ljust(_bound(schema, "minLength", 0, _MOST_CHARACTERS), "x")
        return text[: _bound(schema, "maxLength", len(text), _MOST_CHARACTERS)]

    def _resolve(self, reference: str) -> dict[str, Any]:
        place: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                place = _table(place).get(step.replace("~1", "/").replace("~0", "~"), {})
        return _table(place)


def _kind(schema: dict[str, Any], *, nothing: bool = False) -> str | None:
    kind = schema.get("type")
    if isinstance(kind, list):
        if nothing and "null" in kind:
            return "null"
        kind = next((one for one in kind if one != "null"), "null")
    if kind is None:
        kind = next((kind for word, kind in _BY_KEYWORD.items() if word in schema), None)
    return str(kind) if kind is not None else None


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both schemas at once: properties and required are united, of other words the latter's count."""
    both = {**one, **other}
    if "properties" in one and "properties" in other:
        both["properties"] = {**_table(one["properties"]), **_table(other["properties"])}
    if "required" in one and "required" in other:
        both["required"] = [*_names(one["required"]), *_names(other["required"])]
    return both


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    return list(dict.fromkeys(str(name) for name in value)) if isinstance(value, list) else []


def _bound(schema: dict[str, Any], word: str, otherwise: int, most: int) -> int:
    value = schema.get(word)
    return min(max(int(value), 0), most) if isinstance(value, int | float) and value < _ENDLESS else otherwise


def _fraction(schema: dict[str, Any], word: str) -> Fraction | None:
    """Exact, so that 0.1 is a tenth. The older drafts' boolean exclusive bounds are not bounds by themselves."""
    value = schema.get(word)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _ENDLESS
    return Fraction(str(value)) if usable else None
