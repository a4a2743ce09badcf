"""Load, decide, save; with the Protocols that the other rooms fulfil."""
