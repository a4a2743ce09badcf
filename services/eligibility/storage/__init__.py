"""MongoDB collections: documents to domain types and back."""
