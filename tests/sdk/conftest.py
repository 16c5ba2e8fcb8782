"""The servers of tests/system serve the official clients too."""

from tests.system.fixtures import plain, plain_key, real, real_key, upstreams, wires, wires_key

__all__ = ["plain", "plain_key", "real", "real_key", "upstreams", "wires", "wires_key"]
