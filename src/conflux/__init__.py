"""Conflux: one catalogue, one router, one ledger, many storefronts."""

__version__ = "0.1.0"
