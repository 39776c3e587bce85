"""The InSpec profile: the form of its controls, and their results on made-up hosts."""
