"""Tests of the house itself: what every file of the project has to keep to."""
