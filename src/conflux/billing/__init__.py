"""Floor 1: usage times price sheet is an amount. Pure; knows no clock, no store, no request."""
