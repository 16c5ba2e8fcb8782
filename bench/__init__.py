"""Measurements, side by side with others, never timed tests."""
