"""Signatures of thinking, on their way through clients that do not know whose they are.

Law: a signature goes back to its issuer and to nobody else. To a client of the issuer's own dialect it passes as it
came; to any other it is wrapped with its issuer's name, as base64, which every client takes and hands back.
"""

import base64

_MARK = b"cfx-1 "  # six bytes are eight of base64, so a wrapped one is told by its first letters
_WRAPPED = base64.b64encode(_MARK).decode()


def wrap(signature: str, issuer: str, own: str) -> str:
    """What a client of the dialect `own` is given."""
    if issuer == own:
        return signature
    return base64.b64encode(_MARK + f"{issuer} {signature}".encode()).decode()


def unwrap(signature: str, own: str) -> tuple[str, str]:
    """The signature and its issuer, of what a client of the dialect `own` handed back."""
    if not signature.startswith(_WRAPPED):
        return signature, own
    try:
        issuer, found, inner = base64.b64decode(signature, validate=True)[len(_MARK) :].decode().partition(" ")
    except ValueError:  # not base64, not ASCII, or not UTF-8
        return signature, own
    return (inner, issuer) if found else (signature, own)
