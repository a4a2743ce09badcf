"""Servers beside the HTTP one, of which mail servers are the clients."""
