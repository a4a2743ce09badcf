"""Frozen types and pure rules: no clock, no database, no network."""
