"""The public site: who may join, and the status of one application."""
