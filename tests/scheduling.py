"""Which tests `make test` keeps on one worker, because they share what is expensive to start."""

from xdist.scheduler import LoadScopeScheduling

# Each file here starts something once for all its tests: a deployed stage, `make up`, a recording
# of everything that the functions do.
SHARING_FOLDERS = ("tests/deploy/", "tests/e2e/", "tests/permissions/")


def name_group(nodeid: str) -> str:
    """Return the group of a test. A group runs on one worker, in its order."""
    if nodeid.startswith("tests/engines/") or "dynamodb-local" in nodeid:
        return "DynamoDB Local"
    return nodeid.partition("::")[0] if nodeid.startswith(SHARING_FOLDERS) else nodeid


class SharingScheduler(LoadScopeScheduling):
    """Gives each group to one worker, the largest first.

    xdist has a mark for groups, but version 3.8 does not see it with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return name_group(nodeid)
