"""What `make bench-calibration` is made of: held-out rows, methods, measures, tables."""
