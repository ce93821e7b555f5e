"""Session: one kernel; joins the rest."""
