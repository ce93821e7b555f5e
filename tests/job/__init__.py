"""A job: its answers in every dialect, its id."""
