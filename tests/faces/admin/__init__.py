"""Tests of the admin API, on whole gateways behind real doors."""
