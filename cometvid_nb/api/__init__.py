"""API: how the endpoint is asked, and how fast."""
