"""One tree of errors.

Law: whatever goes wrong on the way of a request is a GatewayError of one Kind. A dialect maps each Kind to a
status and a body in one exhaustive table; nothing else in the house knows HTTP statuses of failures.
The message is for the caller: it says what, where and what to do, and never names the upstream.
"""

from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    INVALID = "invalid"  # 400: the body or a parameter is wrong
    CONTEXT_LENGTH = "context_length"  # 400: does not fit the safe context
    UNSUPPORTED = "unsupported"  # 400: the model or dialect cannot do what was asked
    UNAUTHENTICATED = "unauthenticated"  # 401
    PAYMENT_REQUIRED = "payment_required"  # 402: a balance or lifetime cap is spent
    FORBIDDEN = "forbidden"  # 403
    ACCOUNT_NEEDED = "account_needed"  # 403: entitled, but no live connected account
    MODEL_NOT_FOUND = "model_not_found"  # 404
    NOT_FOUND = "not_found"  # 404: no such path or object
    METHOD_NOT_ALLOWED = "method_not_allowed"  # 405
    REQUEST_TIMEOUT = "request_timeout"  # 408: the request took too long to arrive
    CONFLICT = "conflict"  # 409: the same idempotency key is in flight
    TOO_LARGE = "too_large"  # 413
    UNKNOWN_CODING = "unknown_coding"  # 415: a content-encoding nobody here reads
    MISMATCH = "mismatch"  # 422: same idempotency key, other body
    UPGRADE_REQUIRED = "upgrade_required"  # 426
    HEAD_TOO_LARGE = "head_too_large"  # 431
    RATE_LIMITED = "rate_limited"  # 429: a window is spent
    UPSTREAM_RATE_LIMITED = "upstream_rate_limited"  # 429 passed on when no target is left
    INTERNAL = "internal"  # 500
    UPSTREAM_FAILED = "upstream_failed"  # 502
    UNAVAILABLE = "unavailable"  # 503: no target, ledger or authority unreachable
    NO_CAPABLE_FALLBACK = "no_capable_fallback"  # 503
    UPSTREAM_TIMEOUT = "upstream_timeout"  # 504
    OVERLOADED = "overloaded"  # 529 in Anthropic's dialect, 503 elsewhere


class GatewayError(Exception):
    """A failure a caller can be told about."""

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code
        self.retry_after = retry_after
        self.details = details
        self.headers: list[tuple[bytes, bytes]] = []  # that the answer carries
        self.request_id: str | None = None  # which answer says so; set by whoever answers

    @property
    def wait(self) -> int | None:
        """`retry_after` as a client is told it: whole seconds, at least one."""
        return None if self.retry_after is None else max(1, round(self.retry_after))

    def told(self) -> list[tuple[bytes, bytes]]:
        """The headers that say what the body alone does not."""
        return self.headers if self.wait is None else [*self.headers, (b"retry-after", b"%d" % self.wait)]


def invalid(message: str, param: str | None = None, code: str | None = None) -> GatewayError:
    return GatewayError(Kind.INVALID, message, param=param, code=code)


def unread() -> GatewayError:
    """The store, just now."""
    return GatewayError(Kind.UNAVAILABLE, "the ledger cannot be read now: try again in a moment", retry_after=2)


def under_way() -> GatewayError:
    text = "a request with this Idempotency-Key is under way: ask again in a moment for its answer"
    return GatewayError(Kind.CONFLICT, text, retry_after=1)


def mismatch() -> GatewayError:
    text = "this Idempotency-Key was used for another request: use a new key for each"
    return GatewayError(Kind.MISMATCH, text, param="idempotency-key")


class TransportError(Exception):
    """The upstream could not be reached or broke the protocol. `stage` says how far the exchange got.

    `sent` is True once any byte of the request may have reached the upstream, `answered` once any byte of an
    answer came back: the two facts a retry rule needs.
    """

    def __init__(self, stage: str, reason: str, *, sent: bool, answered: bool, timeout: bool = False) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason
        self.sent = sent
        self.answered = answered
        self.timeout = timeout


class StoreError(Exception):
    """The store cannot answer for its rows: disk full, database gone. No answer may be given for free."""


class IdTaken(StoreError):
    """Another request has this id: draw another."""


class ConfigError(Exception):
    """Mistakes in configuration or data files, all of them at once, each as one line with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoSuch(ConfigError):
    """What was named is not there."""
