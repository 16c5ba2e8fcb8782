"""A file by its id lies in the account of whoever the provider knows: the gateway's owner, not the caller.

Law: refused by name. A caller could otherwise read what another one left there, and what such a file costs is known to
nobody before it is sent. Files travel with the request.
"""

from conflux.neutral.errors import Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.request import Need
from conflux.policy.case import Case


def check_stored_files(case: Case) -> None:
    if Need.STORED_FILES in case.envelope.needs:
        raise Refused(
            Kind.UNSUPPORTED,
            Field.MESSAGES,
            "{field}: a file_id names a file in the provider's own store, which callers have no part in: "
            "send the file itself",
        )
