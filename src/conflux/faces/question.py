"""What is asked of the public face besides generation, and what it answers.

Law: plain records; whoever answers knows nothing of the connection.
"""

import msgspec

from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront


class Question(msgspec.Struct, frozen=True, kw_only=True):
    method: str
    path: str  # below the mount
    query: bytes
    secret: str | None
    mount: Storefront | None
    headers: list[tuple[bytes, bytes]]
    request_id: bytes = b""  # of the answer to come
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    status: int = 200
    headers: Headers = []
    body: bytes = b""
    storefront: Storefront | None = None
    id_header: bytes = b""  # where its protocol's clients look for the request's id, beside x-request-id
