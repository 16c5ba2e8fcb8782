"""Floor 3: what is kept: the ledger, the keys, the schema. SQLite files say so in their names."""
