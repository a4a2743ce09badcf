"""Frozen types and pure rules of emails: what they say, their states, their bytes."""
