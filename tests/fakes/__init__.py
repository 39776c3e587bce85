"""In-memory versions of every port, for tests and simulations.

Each passes the same contract suite as the adapter that it replaces.
"""

from tests.fakes.ledger import (
    MemoryArchive,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemorySnoozes,
    MemoryWork,
)
from tests.fakes.outside import MemoryChannel, MemoryCompliance, MemoryFiles, MemorySorter
from tests.fakes.tables import MemoryFindings, MemoryNodes
from tests.fakes.tokens import MemoryTokens

__all__ = [
    "MemoryArchive",
    "MemoryChannel",
    "MemoryCompliance",
    "MemoryFiles",
    "MemoryFindings",
    "MemoryJournal",
    "MemoryLease",
    "MemoryLedger",
    "MemoryNodes",
    "MemorySnoozes",
    "MemorySorter",
    "MemoryTokens",
    "MemoryWork",
]
