"""Tests of the view models and their drawings."""
