"""The pages: what is in force, and the receipt of one application."""
