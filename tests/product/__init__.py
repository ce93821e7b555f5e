"""Tests of what crosses rooms: the product as its users meet it."""
