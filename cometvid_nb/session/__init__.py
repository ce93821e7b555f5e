"""Session: joins the other folders for one kernel."""
