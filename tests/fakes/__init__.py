"""In-memory twins of the ports in `chalicelib.usecases.ports`, for tests and simulations.

Each passes the same contract suite as the adapter that it replaces.
"""

from tests.fakes.compliance import MemoryCompliance
from tests.fakes.controls import MemoryControls
from tests.fakes.executions import MemoryExecutions
from tests.fakes.ledger import (
    MemoryArchive,
    MemoryFacts,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemorySnoozes,
    MemoryWork,
)
from tests.fakes.outputs import MemoryChannel, MemoryFiles, MemorySorter
from tests.fakes.pass_through import PassThrough
from tests.fakes.tables import MemoryFindings, MemoryNodes, MemoryTitles, MemoryUnchecked
from tests.fakes.tokens import MemoryParameter, MemoryTokens

__all__ = [
    "MemoryArchive",
    "MemoryChannel",
    "MemoryCompliance",
    "MemoryControls",
    "MemoryExecutions",
    "MemoryFacts",
    "MemoryFiles",
    "MemoryFindings",
    "MemoryJournal",
    "MemoryLease",
    "MemoryLedger",
    "MemoryNodes",
    "MemoryParameter",
    "MemorySnoozes",
    "MemorySorter",
    "MemoryTitles",
    "MemoryTokens",
    "MemoryUnchecked",
    "MemoryWork",
    "PassThrough",
]
