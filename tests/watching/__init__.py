"""Tests of following a job."""
