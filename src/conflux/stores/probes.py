"""What was found out of targets, as rows: the last word on each target and capability.

Law: a try that found nothing out is noted and changes nothing of what was known.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability
from conflux.stores.sql import Database, Run

_COLUMNS = "target, capability, holds, evidence, found, tried, cost"
_ALL = f"SELECT {_COLUMNS} FROM probe ORDER BY target, capability"
_ONE = f"SELECT {_COLUMNS} FROM probe WHERE target = ? AND capability = ?"
_PUT = f"""
    INSERT INTO probe ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (target, capability) DO UPDATE SET holds = excluded.holds, evidence = excluded.evidence,
        found = excluded.found, tried = excluded.tried, cost = excluded.cost
"""
_REFUSED = "real requests: two pictures were refused"
_UNKNOWN, _NO, _YES = -1, 0, 1

_evidence = msgspec.json.Decoder(tuple[str, ...]).decode


class ProbeRows:
    """Implements probes.ProbeBook."""

    def __init__(self, ledger: Database) -> None:
        self._ledger = ledger

    async def findings(self) -> list[Finding]:
        return [_finding(row) for row in await self._ledger.read(lambda run: run.execute(_ALL).fetchall())]

    async def keep(self, finding: Finding) -> Finding:
        def job(run: Run) -> Finding:
            kept = finding
            if finding.holds is None:
                row = run.execute(_ONE, (finding.target, finding.capability.value)).fetchone()
                known = _finding(row) if row is not None else replace(finding, found=0)
                kept = replace(known, tried=finding.tried, cost=finding.cost)
            holds = _UNKNOWN if kept.holds is None else _YES if kept.holds else _NO
            run.execute(_PUT, (kept.target, kept.capability.value, holds, msgspec.json.encode(kept.evidence).decode(),
                               kept.found, kept.tried, kept.cost))  # fmt: skip
            return kept

        return await self._ledger.write(job)

    async def doubt(self, target: str, capability: Capability, *, believed: bool) -> bool:
        def job(run: Run) -> bool:
            row = run.execute(_ONE, (target, capability.value)).fetchone()
            if not believed if row is None else row[2] != _YES:
                return False
            cost = 0 if row is None else row[6]
            evidence = msgspec.json.encode((_REFUSED,)).decode()
            run.execute(_PUT, (target, capability.value, _UNKNOWN, evidence, 0, 0, cost))
            return True

        return await self._ledger.write(job)


def _finding(row: Any) -> Finding:
    target, capability, holds, evidence, found, tried, cost = row
    return Finding(target=target, capability=Capability(capability), holds=None if holds == _UNKNOWN else holds == _YES,
                   evidence=_evidence(evidence), found=found, tried=tried, cost=cost)  # fmt: skip
