"""What each function may do is what its code does: policies against recorded calls."""
