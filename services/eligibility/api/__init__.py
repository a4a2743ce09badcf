"""The HTTP API: parse, delegate, answer."""
