"""Pages: counts and template previews, and one email as it was sent."""
