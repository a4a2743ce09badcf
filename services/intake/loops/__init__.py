"""Work in the background: imports, the reconciler, publishing after the answer."""
