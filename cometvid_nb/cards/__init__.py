"""Cards: what is shown, as values and as drawings that need no page."""
