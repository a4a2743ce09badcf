"""Subscribers: from events to use cases."""
