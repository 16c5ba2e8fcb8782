"""Floor 1: pure choice. Candidates in, ordered attempts out; clock and chance are given."""
