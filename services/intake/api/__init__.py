"""The HTTP API: applications, imports, the ledger."""
