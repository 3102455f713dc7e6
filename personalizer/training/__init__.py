"""Fine-tuning: strategies, the run, what it costs. Needs torch; import its modules by name."""
