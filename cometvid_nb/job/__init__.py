"""The request at the server: one job, as every dialect of the endpoint describes it."""
