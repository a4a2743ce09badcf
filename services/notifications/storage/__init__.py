"""MongoDB: documents to domain and back."""
