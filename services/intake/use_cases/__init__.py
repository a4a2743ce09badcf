"""What intake does: load, decide, save. Each module names the storage it needs as a Protocol."""
