"""The stores in memory: what the DynamoDB adapters do, for tests and for one machine."""

from chalicelib.adapters.memory.findings import MemoryFindings
from chalicelib.adapters.memory.journal import MemoryArchive, MemoryJournal
from chalicelib.adapters.memory.ledger import MemoryLease, MemoryLedger
from chalicelib.adapters.memory.nodes import MemoryNodes
from chalicelib.adapters.memory.snoozes import MemorySnoozes
from chalicelib.adapters.memory.work import MemoryWork

__all__ = [
    "MemoryArchive",
    "MemoryFindings",
    "MemoryJournal",
    "MemoryLease",
    "MemoryLedger",
    "MemoryNodes",
    "MemorySnoozes",
    "MemoryWork",
]
