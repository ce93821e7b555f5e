"""Tests of what asks the API."""
