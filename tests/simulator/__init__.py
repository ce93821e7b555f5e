"""Tests of the simulator, by clients that are not ours."""
