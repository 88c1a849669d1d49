"""What listens: applications over HTTP, each on an address of its own."""
