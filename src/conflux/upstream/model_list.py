"""A provider's list of its models, as bytes.

Law: one GET with the provider's credential, short deadlines, a small limit; redirects are refused like everything that
is not 200. Nothing of the answer gets into an error: it may echo the credential.
"""

from conflux.catalogue.provider_lists import LIST_BYTES, ListRefused
from conflux.dialects.anthropic_wire import NAME, VERSION
from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Outbound, Transport
from conflux.relay.snapshot import LiveProvider

PATH = "/models"
_TOTAL_SECONDS = 30.0
_WAIT_SECONDS = 15.0


async def fetch_list(transport: Transport, live: LiveProvider) -> bytes:
    """Raises ListRefused with the reason in words. `quirks.models_path` of a provider says where its list is, if it is
    not at /models; false says that it has none."""
    provider = live.provider
    path = provider.quirks.get("models_path", PATH)
    if not isinstance(path, str) or not path.startswith("/"):
        raise ListRefused("this provider publishes no list (quirks.models_path)")
    version = VERSION if NAME in provider.dialects else b""
    call = Outbound(
        origin=live.origin,
        path=live.base_path + path,
        method="GET",
        head=live.head + version + (live.credentials[0].line if live.credentials else b""),
        proxy=provider.proxy,
        connect_timeout=min(provider.connect_timeout, _WAIT_SECONDS),
        first_byte_timeout=min(provider.first_byte_timeout, _WAIT_SECONDS),
        idle_timeout=min(provider.idle_timeout, _WAIT_SECONDS),
        total_timeout=min(provider.total_timeout, _TOTAL_SECONDS),
        max_body=LIST_BYTES,
    )
    try:
        answer = await transport.send(call)
        try:
            if answer.status != 200:
                raise ListRefused(_refusal(answer.status))
            coding = answer.header(b"content-encoding")
            if coding not in (None, b"identity"):
                raise ListRefused("compressed, though nobody asked for that")
            return await answer.read()
        finally:
            answer.close()
    except TransportError as error:
        raise ListRefused(f"not reached: {error}") from None


def _refusal(status: int) -> str:
    if status in (401, 403):
        return f"answered {status}: it refuses the credential"
    if status == 404:
        return "answered 404: there is no such list; quirks.models_path of the provider says where it is"
    return f"answered {status}"
