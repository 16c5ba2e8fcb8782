"""Effort variants: an id that fixes a reasoning effort is not overruled by the body.

Law: the same effort said twice is fine; two different ones are a question only the client can answer.
"""

from conflux.neutral.errors import Kind
from conflux.neutral.fields import Field, Refused
from conflux.policy.case import Case


def check_effort(case: Case) -> None:
    fixed, asked = case.model.effort, case.envelope.effort
    if fixed is not None and asked is not None and asked != fixed:
        raise Refused(
            Kind.INVALID,
            Field.EFFORT,
            f"{{field}}: {case.model.id} fixes the reasoning effort {fixed!r}, the request asks for {asked!r}: "
            "leave it out, or choose the id of that effort",
        )
