"""Fields that only the client's own dialect understands are named by every other."""

from conflux.dialects.losses import unsaid
from conflux.neutral.request import Request

REQUEST = Request(dialect="openai-chat", messages=(), extra={"store": True, "prediction": {}})


def test_foreign_fields_are_named_in_order() -> None:
    assert unsaid(REQUEST, "gemini") == ("prediction", "store")


def test_own_fields_are_not_lost() -> None:
    assert unsaid(REQUEST, "openai-chat") == ()
