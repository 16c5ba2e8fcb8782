"""Compressed bodies: what they were, how large they may be, and how they may be broken."""

import gzip
import random
import threading
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from conflux.faces import coding
from conflux.faces.coding import check_coding, decoded
from conflux.neutral.errors import GatewayError, Kind
from tests.faces.packing import zstd


def bare(data: bytes) -> bytes:
    one = zlib.compressobj(wbits=-15)
    return one.compress(data) + one.flush()


def parts(data: bytes) -> bytes:
    return gzip.compress(data[:1000]) + gzip.compress(b"") + gzip.compress(data[1000:])


PACKED: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "gzip in parts": (b"x-gzip", parts),
    "deflate": (b"deflate", zlib.compress),
    "bare deflate": (b"deflate", bare),
    "zstd": (b"zstd", zstd.compress),
    "zstd in frames": (b"zstd", lambda data: zstd.compress(data[:10]) + zstd.compress(data[10:])),
    "nothing": (b"identity", bytes),
}
MOST = 5_000_000


@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000, 4_000_000])
@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
async def test_it_is_what_it_was(name: bytes, pack: Callable[[bytes], bytes], size: int) -> None:
    for data in (b"a" * size, random.Random(size).randbytes(size)):
        assert await decoded(pack(data), name, MOST) == data


@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
async def test_the_limit_is_that_of_what_comes_out(name: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert len(await decoded(pack(b"a" * 1000), name, 1000)) == 1000
    for size in (1001, 3_000_000):
        with pytest.raises(GatewayError, match="over the limit of 1000 bytes") as error:
            await decoded(pack(b"a" * size), name, 1000)
        assert error.value.kind is Kind.TOO_LARGE


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
async def test_a_bomb_costs_no_more_than_its_limit(name: str) -> None:
    bomb = PACKED[name][1](bytes(200_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(GatewayError, match="over the limit"):
            await decoded(bomb, name.encode(), 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("large", [False, True])
async def test_a_large_one_is_done_beside_the_loop(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[threading.Thread] = set()

    def watched(body: bytes):
        for _ in range(100 if large else 1):
            threads.add(threading.current_thread())
            yield bytes(10_000)

    monkeypatch.setitem(coding._READERS, b"gzip", watched)
    await decoded(b"", b"gzip", MOST)
    assert (threading.main_thread() in threads, len(threads)) == (True, 2 if large else 1)


BROKEN = {
    "cut": lambda pack: pack(b"hello" * 100)[:-1],
    "empty": lambda pack: b"",
    "nonsense": lambda pack: b"nonsense",
    "zeros": lambda pack: b"\0" * 50,
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("name", ["gzip", "deflate", "bare deflate", "zstd"])
async def test_what_is_broken_is_told(name: str, how: str) -> None:
    packed = BROKEN[how](PACKED[name][1])
    with pytest.raises(GatewayError, match="is not what its content-encoding says") as error:
        await decoded(packed, PACKED[name][0], MOST)
    assert error.value.kind is Kind.INVALID


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
async def test_what_follows_its_end_is_no_part_of_it(name: str) -> None:
    with pytest.raises(GatewayError, match="is not what"):
        await decoded(PACKED[name][1](b"hello") + b"more", name.encode(), MOST)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
async def test_parts_without_end(name: str) -> None:
    with pytest.raises(GatewayError, match="more than 1000 parts"):
        await decoded(PACKED[name][1](b"") * 1001, name.encode(), MOST)


async def test_a_window_larger_than_http_allows() -> None:
    packed = zstd.ZstdCompressor(options={int(zstd.CompressionParameter.window_log): 27})
    body = packed.compress(bytes(1000)) + packed.flush()
    with pytest.raises(GatewayError, match="is not what"):
        await decoded(body, b"zstd", MOST)


@pytest.mark.parametrize("name", [b"br", b"gzip, gzip", b"\xff"])
async def test_a_coding_nobody_reads(name: bytes) -> None:
    with pytest.raises(GatewayError, match="gzip, deflate, zstd") as error:
        await decoded(b"", name, MOST)
    assert error.value.kind is Kind.UNKNOWN_CODING
    check_coding(None)
