"""The policies allow what each function does, and nothing else."""
