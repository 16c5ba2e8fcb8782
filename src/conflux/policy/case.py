"""What a policy may look at.

Law: everything is decided already but yes or no; nothing here can be changed by a rule.
"""

import msgspec

from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope


class Case(msgspec.Struct, frozen=True):
    caller: Caller
    storefront: Storefront
    model: Model
    envelope: Envelope
    now: float  # seconds since the epoch
    free: bool = False  # posts nothing: a test key's, or simulated
