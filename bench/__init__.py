"""Speed from file to mail accepted, beside a plain peer that does the same work. `make bench`."""
