"""Tests of what shows watches."""
