"""What `make bench-quality` is made of: protocols, columns, runs, metrics, tables."""
