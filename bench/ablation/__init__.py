"""What `make bench-ablation` is made of: components, data sets, runs, results, tables."""
