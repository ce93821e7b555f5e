"""Tests of %cometvid."""
