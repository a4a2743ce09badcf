"""Subscribers: events to use cases."""
