"""Api: the requests to the endpoint, and the rate at which they are sent."""
