"""Load, decide, save with its event. The Protocols stand where they are used."""
