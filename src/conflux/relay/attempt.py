"""One attempt at one target, up to the first content of its answer.

Law: until an attempt is primed nothing has gone to the client, so it may fail and another may be tried. Every
failure becomes a Failed with what the client may be told and whether another target could do better. Health is
told of each end.
"""

from collections.abc import Callable

import msgspec

from conflux.dialects.base import Wanted
from conflux.dialects.embeddings import BROKEN_ANSWER
from conflux.neutral.errors import GatewayError, Kind, TransportError
from conflux.neutral.events import Fault
from conflux.neutral.ports import Inbound, Outbound, TokenRefused
from conflux.neutral.records import NOBODY
from conflux.neutral.request import Need
from conflux.neutral.usage import Usage
from conflux.relay.admitted import Admitted
from conflux.relay.lanes import Prepared, prepare, upstream_dialect
from conflux.relay.parts import Parts
from conflux.relay.scrub import scrub
from conflux.relay.snapshot import Credential, LiveTarget
from conflux.routing.families import family
from conflux.routing.health import Leg, bucket_of
from conflux.routing.probing import refuses_images

# Of the statuses that blame the request, those another target or credential may see otherwise.
_RETRIED = frozenset({401, 402, 403, 404, 408, 409, 425, 429})
_ANOTHER_CREDENTIAL = frozenset({401, 429})
# What a key is to blame for; anything else is the target's doing, and the provider's others have their own record.
_OF_CREDENTIAL = frozenset({401, 402, 403, 429})
_CROWDED = frozenset({429, 503, 529})
_CHANCES = 1000
_ERROR_BODY_MOST = 64 * 1024
_RETRY_AFTER_MOST = 3600
# What a failure inside an answer would have been as a status.
_STATUSES = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "overloaded_error": 503,
}
# The codes that say something of a request; any other may be an upstream's own word.
_CODES = frozenset(
    {
        "context_length_exceeded",
        "content_policy_violation",
        "content_filter",
        "invalid_function_parameters",
        "invalid_image",
        "invalid_image_format",
        "invalid_json_schema",
        "invalid_type",
        "invalid_value",
        "image_too_large",
        "max_tokens_exceeded",
        "missing_required_parameter",
        "string_above_max_length",
        "unknown_parameter",
        "unsupported_parameter",
        "unsupported_value",
    }
)


_TOO_MUCH = "the model's answer is larger than this gateway takes: ask for less at once"
_UNSAFE = "the connection to the model's provider could not be secured: `conflux doctor` tells the gateway's owner why"


class Failed(Exception):
    """An attempt that delivered nothing. `again`: the same target may do better with another credential."""

    def __init__(self, error: GatewayError, reason: str, *, retry: bool, again: bool = False) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.retry = retry
        self.again = again


class Attempt:
    """An open leg to one target; closed by whoever holds it, on every way out."""

    __slots__ = (
        "_alone",
        "_bucket",
        "_credential",
        "_dialect",
        "_ended",
        "_inbound",
        "_legs",
        "_parts",
        "_shape",
        "_shower",
        "_streams",
        "_written",
        "began",
        "dropped",
        "first_byte",
        "lane",
        "leg",
        "pending",
        "target",
    )

    def __init__(
        self, parts: Parts, target: LiveTarget, admitted: Admitted, wanted: Wanted, ready: Prepared | None = None
    ) -> None:
        """`ready`: the request as it goes out, where it is written already. Raises GatewayError for what the target's
        dialect cannot say: then there is no leg to close."""
        self._parts = parts
        self.target = target
        self._dialect = upstream_dialect(admitted, target)
        self._streams = admitted.envelope.stream
        # The key of a real request with a picture: what is said of it is news of the target.
        key = admitted.caller.key_id
        self._shower = key if Need.VISION in admitted.envelope.needs and key != NOBODY else None
        self._shape, self._written, self.lane = ready or prepare(admitted, target, self._dialect, wanted)
        self._bucket = bucket_of(admitted.envelope.size, self._streams)
        self._credential = _choose(parts, target, self._bucket)
        self._inbound: Inbound | None = None
        self._ended = False
        self.pending = b""
        self.began = parts.clock.monotonic()
        self.first_byte: float | None = None
        self.dropped = self._written.dropped
        self._alone = len(admitted.targets) == 1 or self._is_alone(admitted)
        # Whose doing it may be: the target's, and the credential's.
        health = parts.health.of(target.key)
        self.leg = health.began(self.began, self._bucket, alone=self._alone)
        self._legs = [(health, self.leg)]
        if self._credential is not None:
            health = parts.health.of(self._credential.name)
            self._legs.append((health, health.began(self.began, self._bucket, alone=self._alone)))

    def _is_alone(self, admitted: Admitted) -> bool:
        """Is nobody else of the pool ready? Looked at only where it matters."""
        health = self._parts.health.of(self.target.key)
        if health.ready(self.began, self._bucket):
            return False
        others = (self._parts.health.of(one.key) for one in admitted.targets if one.key != self.target.key)
        return not any(one.ready(self.began, self._bucket) for one in others)

    async def prime(self, request_id: bytes) -> None:
        """Send, and read until there is something to deliver. Raises Failed."""
        provider = self.target.live.provider
        line = self._held_line()
        if line is None:
            line = await self._minted_line()
        patience = provider.first_byte_timeout
        if self.leg is Leg.PROBE and not self._alone:
            patience = min(patience, self._legs[0][0].patience(self.leg, self._bucket) or patience)
        try:
            self._inbound = inbound = await self._parts.transport.send(
                Outbound(
                    origin=self.target.live.origin,
                    path=self.target.live.base_path + self._dialect.path(self._shape),
                    head=self.target.live.head + line,
                    tail=b"x-request-id: %b\r\n%b" % (request_id, self._written.head),
                    body=self._written.body,
                    proxy=provider.proxy,
                    connect_timeout=provider.connect_timeout,
                    first_byte_timeout=patience,
                    idle_timeout=provider.idle_timeout,
                    total_timeout=provider.total_timeout,
                )
            )
            if inbound.status != 200:
                raise await self._refused(inbound)
            if self._streams:
                await self._first_content(inbound)
            else:
                self.lane.whole(await inbound.read())
                if self.lane.tally.fault is not None:
                    raise self._faulted(self.lane.tally.fault)
                self._recognise()
                self._answered()
        except TransportError as error:
            raise self._broken(error) from None

    async def _first_content(self, inbound: Inbound) -> None:
        lane = self.lane
        tally = lane.tally
        pending = b""
        while not tally.content and not tally.finished:
            data = await inbound.chunk()
            pending += lane.feed(data) if data else lane.end()
            if tally.fault is not None:
                raise self._faulted(tally.fault)
            if not data:
                if not tally.finished and not tally.content:
                    raise self._failed(Kind.UPSTREAM_FAILED, "the model's answer was empty", "empty answer")
                break
        self._recognise()
        self._answered()
        self.pending = pending

    def _recognise(self) -> None:
        """An answer that names another of the provider's models, of another family, is not the one asked for."""
        said, asked = self.lane.tally.model, self.target.target.model
        if said is None or said == asked or said not in self.target.live.models or family(said) == family(asked):
            return
        raise self._failed(Kind.UPSTREAM_FAILED, "the model's answer was broken: try again", "another model answered")

    def _answered(self) -> None:
        self.first_byte = now = self._parts.clock.monotonic()
        seconds = now - self.began
        for health, leg in self._legs:
            health.answered(seconds, now, self._bucket, leg)
        if self._shower is not None:
            self._parts.health.doubts.settled(self.target.key)

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        """The rest of the answer after priming, as Inbound.stream gives it."""
        assert self._inbound is not None, "an attempt is primed before it is read"
        return await self._inbound.stream(sink)

    def broke(self) -> None:
        """The answer broke off after it had begun."""
        self._blame()

    def close(self, *, good: bool = False) -> None:
        """Ends the leg. `good`: the target answered as it should. Else whoever is to blame has been blamed already,
        or nobody is: the client left, or the request was wrong."""
        inbound, self._inbound = self._inbound, None
        if inbound is not None:
            if good:
                inbound.finish()
            else:
                inbound.close()
        if self._ended:
            return
        self._ended = True
        answered = self.first_byte is not None
        now = self._parts.clock.monotonic() if good else 0.0
        for health, leg in self._legs:
            if good:
                health.succeeded(now, leg)
            health.ended(self._bucket, leg, answered=answered)

    def outrun(self) -> None:
        """Another target answered first."""
        if self.first_byte is None:
            now = self._parts.clock.monotonic()
            self._legs[0][0].outrun(now - self.began, now, self._bucket)

    def seconds(self) -> float:
        return self._parts.clock.monotonic() - self.began

    def _held_line(self) -> bytes | None:
        """The header that says who asks; None where an account needs a token first."""
        credential = self._credential
        if credential is None:
            return b""
        return credential.line if credential.account is None else self._parts.tokens.held(credential.account)

    async def _minted_line(self) -> bytes:
        """Raises Failed where an account gets no token: its credential's fault."""
        assert self._credential is not None and self._credential.account is not None, "only accounts need tokens"
        try:
            return await self._parts.tokens.line(self._credential.account)
        except TokenRefused as refused:
            if refused.final:
                self._legs[-1][0].disabled = refused.reason
            self._blame(only_credential=True, status=401)
            error = GatewayError(Kind.UPSTREAM_FAILED, "the model's provider failed to answer")
            raise Failed(error, refused.reason, retry=True, again=self._has_other_credential()) from None

    async def _refused(self, inbound: Inbound) -> Failed:
        """The upstream answered with a status of its own."""
        fault = self._dialect.upstream_error(inbound.status, await _error_body(inbound))
        status = fault.status or inbound.status  # some say 400 of a bad key
        retry = status in _RETRIED or not 400 <= status < 500
        if self._shower is not None and not retry and refuses_images(fault.message):
            self._parts.health.doubts.refused(self.target.key, self._shower)
        wait = _retry_after(inbound.header(b"retry-after"))
        if status == 401 and self._credential is not None and self._credential.account is not None:
            self._parts.tokens.forget(self._credential.account)  # the next call asks for another
        elif status == 401 and self._credential is not None:
            self._legs[-1][0].disabled = "the provider answered 401"
        again = status in _ANOTHER_CREDENTIAL and self._has_other_credential()
        if again:
            self._blame(only_credential=True, status=status, wait=wait)
        elif retry:
            self._blame(status=status, wait=wait)
        return Failed(self._worded(status, fault, wait), f"status {status}", retry=retry, again=again)

    def _worded(self, status: int, fault: Fault, wait: float | None) -> GatewayError:
        """What the client may know of an upstream's refusal."""
        if status == 429:
            text = "the model is at its rate limit now: try again later"
            return GatewayError(Kind.UPSTREAM_RATE_LIMITED, text, retry_after=wait or 1)
        if status in (400, 413, 415, 422):
            return GatewayError(Kind.INVALID, scrub(fault.message, self.target), code=_code(fault))
        if status in (503, 529):
            return GatewayError(Kind.OVERLOADED, "the model is overloaded now: try again later", retry_after=wait)
        return GatewayError(Kind.UPSTREAM_FAILED, "the model's provider failed to answer")

    def _has_other_credential(self) -> bool:
        book = self._parts.health
        return any(
            one is not self._credential and book.of(one.name).disabled is None for one in self.target.live.credentials
        )

    def _broken(self, error: TransportError) -> Failed:
        if error.stage == "size":  # nobody's fault, and another target would say as much
            return Failed(GatewayError(Kind.UPSTREAM_FAILED, _TOO_MUCH), str(error), retry=False)
        self._blame()
        if error.timeout:
            text = "the model did not answer in time: try again, or another model"
            return Failed(GatewayError(Kind.UPSTREAM_TIMEOUT, text), str(error), retry=True)
        text = _UNSAFE if error.stage == "tls" else "the model's provider could not be reached or broke off: try again"
        return Failed(GatewayError(Kind.UPSTREAM_FAILED, text), str(error), retry=True)

    def _faulted(self, fault: Fault) -> Failed:
        """The upstream said inside its answer that it failed, or said what nobody can read."""
        if fault.code == "context_length_exceeded":
            error = GatewayError(Kind.CONTEXT_LENGTH, scrub(fault.message, self.target))
            return Failed(error, fault.message[:200], retry=False)
        status = fault.status or _STATUSES.get(fault.code or "")
        if status in (429, 503, 529):
            self._blame(status=status, wait=fault.retry_after)
            return Failed(self._worded(status, fault, fault.retry_after), fault.message[:200], retry=True)
        text = "the model's answer was broken: try again"
        if fault.code == BROKEN_ANSWER:
            text = f"the model's answer was broken: {fault.message}: try again"
        return self._failed(Kind.UPSTREAM_FAILED, text, fault.message[:200])

    def _failed(self, kind: Kind, text: str, reason: str) -> Failed:
        self._blame()
        return Failed(GatewayError(kind, text), reason, retry=True)

    def _blame(self, *, status: int = 0, wait: float | None = None, only_credential: bool = False) -> None:
        now = self._parts.clock.monotonic()
        chance = self._parts.below(_CHANCES) / _CHANCES
        for place, (health, leg) in enumerate(self._legs):
            if only_credential if place == 0 else status not in _OF_CREDENTIAL:
                continue
            health.failed(now - self.began, now, self._bucket, leg, retry_after=wait, crowded=status in _CROWDED,
                          chance=chance)  # fmt: skip


async def _error_body(inbound: Inbound) -> bytes:
    """What an upstream says of its refusal; the status counts even where the words break off."""
    body = b""
    try:
        while len(body) < _ERROR_BODY_MOST:
            data = await inbound.chunk()
            if not data:
                break
            body += data
    except TransportError:
        return b""
    return body


def _choose(parts: Parts, target: LiveTarget, bucket: int) -> Credential | None:
    """The healthiest of a provider's credentials; a disabled one only where there is no other."""
    found = target.live.credentials
    if len(found) < 2:
        return found[0] if found else None
    now = parts.clock.monotonic()

    def rank(one: Credential) -> tuple[bool, bool, bool, float]:
        health = parts.health.of(one.name)
        shut = not health.open(now) and not health.due(now)
        return health.disabled is not None, shut, health.full(), health.cost(1, now, bucket)

    return min(found, key=rank)


def _retry_after(value: bytes | None) -> float | None:
    """Whole seconds; a date or nonsense is no hint we trust."""
    digits = value.strip() if value is not None else b""
    if not digits.isdigit():
        return None
    # So many digits are no number of seconds, and more than int() takes.
    return float(_RETRY_AFTER_MOST if len(digits) > 9 else min(int(digits), _RETRY_AFTER_MOST))


def _code(fault: Fault) -> str | None:
    return fault.code if fault.code in _CODES else None


class Trial(msgspec.Struct, frozen=True):
    """An attempt that gave no answer, for the receipt."""

    target: LiveTarget
    model: str
    reason: str
    seconds: float
    status: str = "failed"
    told: str = ""  # why, as a client may hear it
    usage: Usage | None = None  # that was reported all the same
    upstream_id: str | None = None
