"""The story of `make run`: the main job in seven scenes, each with checked counts."""
