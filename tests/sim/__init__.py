"""Tests of the simulator: each thing it can say and each way it can fail, seen from the outside."""
