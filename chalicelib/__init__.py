"""The service: see docs/architecture.md for the picture.

Importing it makes the collector of cycles come less often, before anything large is
imported: what boto3 loads and what a pass keeps lives on, and to look through it again
at each 700 new objects is a tenth of a start and of a pass. Memory is counted by
reference all the same; `make bench` holds its peak.
"""

import gc

# New objects, less those that went, until the collector comes; Python's own is 700.
gc.set_threshold(50_000)
