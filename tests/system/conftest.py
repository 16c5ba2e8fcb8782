"""See fixtures.py."""

from tests.system.fixtures import plain, plain_key, real, real_key, start, upstreams, wires, wires_key

__all__ = ["plain", "plain_key", "real", "real_key", "start", "upstreams", "wires", "wires_key"]
