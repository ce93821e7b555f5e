"""Real servers of the protocol, driven through our product: `make peers`."""
