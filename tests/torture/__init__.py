"""Kill the server at random moments and hold what clients received against what the ledger remembers."""
