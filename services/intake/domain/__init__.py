"""What is true of applications, their status, imports and the ledger: frozen types and pure rules."""
