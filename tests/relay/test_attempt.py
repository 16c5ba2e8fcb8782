"""One attempt: what is sent, what may be tried again and where, what health is told, what a client may know of it."""

import json
from typing import Any

import pytest

from conflux.neutral.errors import TransportError
from conflux.neutral.ledger import Ending
from conflux.neutral.ports import TokenRefused
from conflux.relay.snapshot import LiveTarget
from tests.accounts.token_server import key_file
from tests.policy.samples import caller
from tests.relay.answers import CANARY, COST, DONE, Answer, broken, event, refused, request, streamed, whole
from tests.relay.shops import shop
from tests.relay.world import KEY, Client, World

TWO_KEYS = {"credentials": ("env:A", "env:B")}


async def asked(world: World, body: bytes | None = None) -> None:
    assert await world.run(body or request()) is None
    world.check()


def target(world: World, number: int = 0) -> LiveTarget:
    return world.snapshot.pools["pond"][number]


def reasons(world: World) -> list[str | None]:
    return [call.reason for call in world.settled.calls]


# --- what goes out


async def test_what_is_sent_is_the_targets_and_nothing_of_the_callers() -> None:
    headers = {"anthropic-version": "2023-06-01", "X-Odd": "1"}
    catalogue = shop(of_provider={"headers": headers, "proxy": "http://proxy.test:3128", "connect_timeout": 1.5,
                                  "first_byte_timeout": 2.5, "idle_timeout": 3.5, "total_timeout": 4.5})  # fmt: skip
    world = World(catalogue, whole())
    await asked(world)
    (call,) = world.upstream.calls
    assert (call.origin, call.path, call.method) == (
        f"https://{CANARY}-host-0.test",
        f"/{CANARY}/v1/chat/completions",
        "POST",
    )
    assert call.proxy == "http://proxy.test:3128"
    times = (call.connect_timeout, call.first_byte_timeout, call.idle_timeout, call.total_timeout)
    assert times == (1.5, 2.5, 3.5, 4.5)
    sent = dict(line.split(": ", 1) for line in (call.head + call.tail).decode().split("\r\n")[:-1])
    assert sent == {
        "content-type": "application/json",
        "user-agent": "conflux",
        "anthropic-version": "2023-06-01",
        "x-odd": "1",
        "authorization": "Bearer secret-a",
        "x-request-id": world.client.text[b"x-request-id"].decode(),
    }
    assert json.loads(call.body)["model"] == f"{CANARY}-model-0"


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        ("bearer", "authorization: Bearer secret-a"),
        ("x-api-key", "x-api-key: secret-a"),
        ("api-key", "api-key: secret-a"),
        ("x-goog-api-key", "x-goog-api-key: secret-a"),
        ("basic", "authorization: Basic c2VjcmV0LWE="),
        ("none", None),
    ],
)
async def test_each_way_to_authenticate(auth: str, line: str | None) -> None:
    world = World(shop(of_provider={"auth": auth}), whole())
    await asked(world)
    lines = world.upstream.calls[0].head.decode().split("\r\n")
    named = [one for one in lines if "secret" in one or "Basic" in one]
    assert named == ([line] if line is not None else [])


# --- which failures may be tried elsewhere

# status: is another target asked, and what the client is told where none is left
STATUSES: dict[int, tuple[bool, int]] = {
    400: (False, 400),
    413: (False, 400),
    415: (False, 400),
    422: (False, 400),
    405: (False, 502),
    406: (False, 502),
    451: (False, 502),
    401: (True, 502),
    402: (True, 502),
    403: (True, 502),
    404: (True, 502),
    408: (True, 502),
    409: (True, 502),
    425: (True, 502),
    429: (True, 429),
    500: (True, 502),
    502: (True, 502),
    503: (True, 503),
    504: (True, 502),
    529: (True, 503),
    599: (True, 502),
    204: (True, 502),
    302: (True, 502),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", STATUSES)
async def test_a_status_of_the_upstream(status: int, stream: bool) -> None:
    retried, told = STATUSES[status]
    world = World(shop(2), refused(status), streamed("hello") if stream else whole())
    await asked(world, request(stream))
    if retried:
        assert len(world.upstream.calls) == 2
        assert (world.settled.ending, world.settled.charge) == (Ending.DONE, COST)
        assert reasons(world) == [f"status {status}", None]
    else:
        assert len(world.upstream.calls) == 1
        assert world.client.status == told
        assert (world.settled.ending, world.settled.charge) == (Ending.FAILED, 0)
    failures = [world.health.of(target(world, number).key).failures for number in (0, 1)]
    assert sum(failures) == (1 if retried else 0)
    # where no other target is left, this is what the client hears
    world = World(shop(1), refused(status))
    await asked(world, request(stream))
    assert (world.client.status, world.settled.charge) == (told, 0)


FAULTS: list[tuple[str, bool, Any, int]] = [
    ("connect", False, Answer(fault=broken()), 502),
    ("connect in time", False, Answer(fault=broken(timeout=True)), 504),
    ("head", False, Answer(fault=broken("head")), 502),
    ("first byte in time", False, Answer(fault=broken("head", timeout=True)), 504),
    ("cut body", False, Answer([whole().pieces[0], broken("body")]), 502),
    ("half a body", False, Answer([whole().pieces[0]]), 502),
    ("empty body", False, Answer([]), 502),
    ("not JSON", False, Answer([b"<html>"]), 502),
    ("no choices", False, Answer([b'{"choices": []}']), 502),
    ("an error with 200", False, Answer([b'{"error": {"message": "canary"}}']), 502),
    ("connect", True, Answer(fault=broken()), 502),
    ("empty stream", True, Answer([]), 502),
    ("only a role", True, streamed(end=[]), 502),
    ("cut before content", True, streamed(end=[broken("body")]), 502),
    ("stalled before content", True, streamed(end=[broken("body", timeout=True)]), 504),
    ("not events", True, Answer([b"<html>"]), 502),
    ("an error event", True, Answer([b'data: {"error": {"message": "canary"}}\n\n']), 502),
    ("broken JSON", True, Answer([b"data: {oops\n\n"]), 502),
    ("done at once", True, Answer([DONE]), 502),
]


@pytest.mark.parametrize(("name", "stream", "answer", "told"), FAULTS, ids=[f"{one[0]}, {one[1]}" for one in FAULTS])
async def test_a_fault_before_content_is_tried_elsewhere(name: str, stream: bool, answer: Answer, told: int) -> None:
    good = streamed("hello") if stream else whole()
    world = World(shop(2), answer, good)
    await asked(world, request(stream))
    assert len(world.upstream.calls) == 2
    assert (world.settled.ending, world.settled.charge) == (Ending.DONE, COST)
    world = World(shop(1), answer)
    await asked(world, request(stream))
    assert (world.client.status, world.settled.ending, world.settled.charge) == (told, Ending.FAILED, 0)


async def test_nothing_is_tried_again_once_content_went_out() -> None:
    world = World(shop(2), streamed("hel", end=[broken("body")]), streamed("never asked"))
    await asked(world, request(stream=True))
    assert len(world.upstream.calls) == 1
    assert world.settled.ending is Ending.CUT


async def test_at_most_three_targets_are_asked_each_once() -> None:
    world = World(shop(5), *[Answer(fault=broken())] * 5)
    await asked(world)
    assert len({call.origin for call in world.upstream.calls}) == 3 == len(world.upstream.calls)
    assert len(world.settled.calls) == 3
    assert world.client.status == 502


# --- credentials


async def test_a_401_disables_the_credential_and_the_other_one_is_tried() -> None:
    world = World(shop(1, of_provider=TWO_KEYS), refused(401), whole(), whole())
    await asked(world)
    heads = [call.head for call in world.upstream.calls]
    assert b"secret-a" in heads[0] and b"secret-b" in heads[1]
    assert world.settled.ending is Ending.DONE
    assert list(world.health.refused()) == [f"{CANARY}-provider-0#env:A"]
    assert world.health.of(target(world).key).failures == 0  # the target did nothing wrong
    world.client = type(world.client)(world)
    await world.run(request())
    assert b"secret-b" in world.upstream.calls[2].head  # and it stays so


async def test_where_all_credentials_are_refused_each_was_tried_once_and_the_client_is_not_blamed() -> None:
    world = World(shop(1, of_provider=TWO_KEYS), refused(401), refused(401))
    await asked(world)
    assert len(world.upstream.calls) == 2
    assert (world.client.status, world.settled.charge) == (502, 0)
    assert len(world.health.refused()) == 2
    # none is left, so the least bad is tried all the same; what works again is trusted again
    world.client, world.ledger.settled = type(world.client)(world), {}
    await world.run(request())
    assert len(world.upstream.calls) == 3
    assert world.settled.ending is Ending.DONE
    assert len(world.health.refused()) == 1


async def test_a_rate_limit_of_one_credential_is_not_the_others() -> None:
    world = World(shop(1, of_provider=TWO_KEYS), refused(429, headers=[(b"retry-after", b"60")]), whole())
    await asked(world)
    assert world.settled.ending is Ending.DONE
    assert world.health.refused() == {}
    now = world.clock.ticks
    assert not world.health.of(f"{CANARY}-provider-0#env:A").open(now)
    assert world.health.of(target(world).key).open(now)


async def test_credentials_at_their_limit_are_tried_once_each() -> None:
    world = World(shop(1, of_provider=TWO_KEYS), *[refused(429)] * 5)
    await asked(world)
    assert len(world.upstream.calls) == 2
    assert world.client.status == 429


async def test_a_credential_gets_better_again() -> None:
    world = World(shop(1), *[refused(500)] * 4, whole())
    for _ in range(5):
        world.client = type(world.client)(world)
        await world.run(request())
    name = f"{CANARY}-provider-0#env:A"
    assert (world.health.of(name).failures, world.health.of(name).in_flight) == (0, 0)


async def test_load_is_spread_over_credentials_that_are_busy() -> None:
    world = World(shop(1, of_provider=TWO_KEYS), whole(), whole())
    world.health.of(f"{CANARY}-provider-0#env:A").began(world.clock.ticks)
    await world.run(request())
    assert b"secret-b" in world.upstream.calls[0].head


# --- retry-after


@pytest.mark.parametrize(
    ("said", "passed_on", "shut"),
    [
        (b"7", b"7", 7.0),
        (b" 7 ", b"7", 7.0),
        (b"600", b"600", 300.0),
        (b"9" * 30, b"3600", 300.0),
        (b"9" * 9000, b"3600", 300.0),
        (b"Wed, 21 Oct 2026 07:28:00 GMT", b"1", 0.0),
        (b"-5", b"1", 0.0),
        (b"1.5", b"1", 0.0),
        (b"soon", b"1", 0.0),
        (b"", b"1", 0.0),
        (b"0", b"1", 0.0),
        (None, b"1", 0.0),
    ],
)
async def test_retry_after_is_passed_on_and_honoured(said: bytes | None, passed_on: bytes, shut: float) -> None:
    world = World(shop(1), refused(429, headers=[(b"retry-after", said)] if said is not None else []))
    await asked(world)
    assert (world.client.status, world.client.text[b"retry-after"]) == (429, passed_on)
    health = world.health.of(target(world).key)
    assert health.ejected_until == (world.clock.ticks + shut if shut else 0.0)


# --- what a client may know


@pytest.mark.parametrize("lane", ["auto", "compat"])
@pytest.mark.parametrize("stream", [False, True])
async def test_no_name_of_the_upstream_reaches_a_client(stream: bool, lane: str) -> None:
    """`check` looks for the canary in every byte that went out; here are all the places it may come from."""
    said = f"{CANARY}-model-0 at {CANARY}-host-0.test said no, see https://{CANARY}.example"
    answers = [
        streamed("hello") if stream else whole(),
        refused(400, said, code=f"{CANARY}_code"),
        refused(422, said, headers=[(b"server", CANARY.encode()), (b"x-served-by", CANARY.encode())]),
        refused(500, said),
        refused(429, said),
        refused(401, said),
        Answer(fault=broken()),
        Answer([b'data: {"error": {"message": "canary"}}\n\n' if stream else b'{"error": "canary"}']),
        Answer([f"<html>{CANARY}</html>".encode()], headers=[(b"content-type", b"text/html")]),
    ]
    if stream:
        answers.append(streamed("hello", end=[broken("body")]))
        answers.append(streamed("hello", end=[event(error={"message": said, "code": CANARY})]))
    for answer in answers:
        world = World(shop(1, of_provider={"lane": lane}), answer)
        await asked(world, request(stream, stream_options={"include_usage": True}) if stream else request())
        assert world.client.seen  # and something did go out


@pytest.mark.parametrize(
    ("code", "shown"),
    [("context_length_exceeded", "context_length_exceeded"), (f"{CANARY}_error", None), ("x" * 65, None), (None, None)],
)
async def test_an_upstreams_code_passes_where_it_tells_nothing(code: str | None, shown: str | None) -> None:
    world = World(shop(1), refused(400, "too long", code=code))
    await asked(world)
    error = world.client.json["error"]
    assert error["message"] == "too long"
    assert error["code"] == shown


async def test_a_refusal_counts_even_when_its_words_break_off_or_never_end() -> None:
    cut = Answer([b'{"error": {"mess', TransportError("body", "reset", sent=True, answered=True)], status=400)
    endless = Answer([b"x" * 32 * 1024] * 100, status=400)
    for answer in (cut, endless, Answer([], status=400), Answer([b"<html>"], status=400)):
        world = World(shop(2), answer)
        await asked(world)
        assert world.client.status == 400
        assert len(world.upstream.calls) == 1
        assert len(world.upstream.opened[0].given) <= 96 * 1024


async def test_the_receipt_keeps_for_admins_what_was_tried() -> None:
    world = World(shop(2), Answer(fault=broken()), whole())
    await asked(world)
    failed, served = world.settled.calls
    assert failed.status == "failed" and failed.cost == 0
    assert failed.reason is not None and failed.reason.startswith("connect: ")
    assert {failed.target, served.target} == {target(world, number).key for number in (0, 1)}
    assert (served.status, served.cost, served.upstream_id) == ("done", COST, f"{CANARY}-id-1")


# --- accounts, whose tokens are fetched


ACCOUNT = {"auth": "service-account"}
FILES = {"env:A": key_file("https://t.test/token"), "env:B": key_file("https://t.test/other")}


async def test_an_accounts_token_is_sent() -> None:
    for world in (World(shop(of_provider=ACCOUNT), whole(), secrets=FILES) for _ in range(2)):
        world.tokens.answers = [b"authorization: Bearer fetched\r\n"]
        await asked(world)
        assert b"authorization: Bearer fetched\r\n" in world.upstream.calls[0].head
    world = World(shop(of_provider=ACCOUNT), whole(), secrets=FILES)
    world.tokens.ready = b"authorization: Bearer held\r\n"
    await asked(world)
    assert b"authorization: Bearer held\r\n" in world.upstream.calls[0].head


async def test_an_account_without_a_token_is_its_credentials_fault() -> None:
    world = World(shop(of_provider=ACCOUNT | TWO_KEYS), whole(), secrets=FILES)
    world.tokens.answers = [TokenRefused("400: invalid_grant", final=True), b"authorization: Bearer two\r\n"]
    await asked(world)
    book = world.health
    assert [book.of(one.name).disabled for one in target(world).live.credentials] == ["400: invalid_grant", None]
    assert book.of(target(world).key).failures == 0 and len(world.upstream.calls) == 1


async def test_a_token_that_is_not_taken_is_forgotten_and_the_account_stays() -> None:
    world = World(shop(of_provider=ACCOUNT), refused(401), secrets=FILES)
    world.tokens.ready = b"authorization: Bearer old\r\n"
    await asked(world)
    assert world.tokens.forgotten == 1
    assert world.health.of(target(world).live.credentials[0].name).disabled is None


# --- failures told inside an answer


TOLD_INSIDE = [("context_length_exceeded", 400, None, False), ("rate_limit_exceeded", 429, "2", True),
          ("overloaded_error", 503, None, True), ("anything", 502, None, True)]  # fmt: skip


@pytest.mark.parametrize(("code", "status", "wait", "again"), TOLD_INSIDE)
async def test_a_failure_told_inside_an_answer_is_what_its_status_would_have_been(
    code: str, status: int, wait: str | None, again: bool
) -> None:
    failure = event(error={"message": "it failed", "code": code})
    for others in ((), (whole(),)):
        world = World(shop(2), Answer([failure]), *(others or (Answer([failure]),)))
        await asked(world, request(stream=True))
        assert len(world.upstream.calls) == (2 if again else 1)
        if not others or not again:
            assert world.client.status == status


# --- what a refused picture says


PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]}]


@pytest.mark.parametrize(
    ("answer", "body", "doubted"),
    [
        (refused(400, "this model does not support image input"), request(messages=PICTURE), True),
        (refused(422, "no vision here"), request(True, messages=PICTURE), True),
        (refused(400, "Invalid image data: the image could not be decoded"), request(messages=PICTURE), False),
        (refused(400, "temperature is too high"), request(messages=PICTURE), False),
        (refused(400, "no image input"), request(), False),  # there was none
        (refused(429, "too many image requests"), request(messages=PICTURE), False),
        (refused(500, "image service down"), request(messages=PICTURE), False),
    ],
)
async def test_two_keys_refusals_that_blame_its_eyes_are_doubt(answer: Answer, body: bytes, doubted: bool) -> None:
    world = World(shop())
    world.keys.callers["sh_other"] = caller(key_id=77)
    for key in (KEY, KEY, "sh_other"):
        assert world.health.doubts.there() == []
        world.upstream.script = [Answer(list(answer.pieces), answer.status, answer.headers) for _ in range(3)]
        world.client = Client(world)
        assert await world.run(body, secret=key) is None
    assert world.health.doubts.there() == ([target(world).key] if doubted else [])


async def test_an_answered_picture_between_them_is_none() -> None:
    world = World(shop())
    world.keys.callers["sh_other"] = caller(key_id=77)
    for answer, key in ((refused(400, "image"), KEY), (whole(), KEY), (refused(400, "image"), "sh_other")):
        world.upstream.script, world.client = [answer], Client(world)
        assert await world.run(request(messages=PICTURE), secret=key) is None
    assert world.health.doubts.there() == []
