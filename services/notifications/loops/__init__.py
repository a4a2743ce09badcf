"""Background work: dispatching emails."""
