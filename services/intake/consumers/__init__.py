"""What intake hears from the other services."""
