"""The monthly report of any size: how fast its CSV is written, and in how much memory."""
