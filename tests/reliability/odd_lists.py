"""Lists that lag, clocks that are wrong, rows that prove nothing, types that come and go."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.compliance import NEVER, Doubt
from tests.fleet import MINUTE, TYPE
from tests.reliability.machine import OTHER, OTHER_LETTERS, InboxMachine

LETTERS = st.sets(st.sampled_from("ABCDE"))
# How much the clock of a node is ahead of ours.
CLOCKS = [timedelta(), -30 * MINUTE, -4_000 * MINUTE, 10 * MINUTE, timedelta(days=3_650)]
# What a summary lacks, and what it then has instead.
FLAWS: dict[Doubt, dict[str, Any]] = {
    Doubt.NO_EXECUTION: {"execution_id": "no execution", "executed_at": NEVER},
    Doubt.NO_COUNT: {"count": 0},
}


class OddLists(InboxMachine):
    """What a list may show, beside complete reports in the right order."""

    def draw_node(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.ssm)))

    def list_stored(self, node: str) -> set[str]:
        """Lists the stored titles of a node."""
        return {title for title in self.model.stored if title.startswith(f"{node}/")}

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), ahead=st.sampled_from(CLOCKS))
    def node_clock_changes(self, data: st.DataObject, ahead: timedelta) -> None:
        self.ahead[self.draw_node(data)] = ahead

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=LETTERS)
    def node_reports_each_item_twice(self, data: st.DataObject, letters: set[str]) -> None:
        self.report_node(self.draw_node(data), letters, times=2)

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=LETTERS, passed=LETTERS)
    def node_runs_some_of_its_checks(
        self, data: st.DataObject, letters: set[str], passed: set[str]
    ) -> None:
        """The others have no result: another profile, no root, a waiver."""
        self.report_node(self.draw_node(data), letters, passed=passed - letters)

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=st.sets(st.sampled_from(OTHER_LETTERS)))
    def another_type_reports(self, data: st.DataObject, letters: set[str]) -> None:
        node = self.draw_node(data)
        self.other[node] = self.report_type(node, letters, OTHER)
        self.ssm[node] = self.main[node] | self.other[node]

    @precondition(lambda self: self.other)
    @rule(data=st.data())
    def another_type_is_missing(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(sorted(self.other)))
        self.compliance.remove_type(node, OTHER)
        self.lost_since.setdefault(node, self.service.clock.now)
        del self.other[node]
        self.ssm[node] = self.main[node]

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=LETTERS)
    def list_lags_behind(self, data: st.DataObject, letters: set[str]) -> None:
        """A scan sees an older execution, after another one has verified the newer one."""
        node = self.draw_node(data)
        old, titles = self.compliance.copy_report(node), self.ssm[node]
        reported_at = self.reported_at[node]
        self.service.clock.forward(MINUTE)
        self.report_node(node, letters)
        self.invoke()
        new, now = self.compliance.copy_report(node), self.service.clock.now
        (before, after) = (each[0][node, TYPE].execution for each in (old, new))
        row = next((each for each in self.service.nodes.all() if each.instance_id == node), None)
        verified = row.executions.get(TYPE.casefold()) if row else None
        is_older = (
            verified is not None
            and row is not None
            and not row.older_since
            and verified.key == after.key
            and before.executed_at < after.executed_at <= now
        )
        current, self.ssm[node] = self.ssm[node], titles
        reported_at, self.reported_at[node] = self.reported_at[node], reported_at
        self.show_report(node, old)
        stored = self.list_stored(node)
        self.invoke()
        if is_older:
            assert self.list_stored(node) == stored, "what is older opens and removes nothing"
        self.show_report(node, new)
        self.ssm[node], self.reported_at[node] = current, reported_at

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), flaw=st.sampled_from(sorted(FLAWS)))
    def row_is_flawed(self, data: st.DataObject, flaw: Doubt) -> None:
        """This lasts for one scan."""
        node = self.draw_node(data)
        report, stored = self.compliance.copy_report(node), self.list_stored(node)
        self.compliance.change_summary(node, TYPE, flaw=flaw, **FLAWS[flaw])
        self.invoke()
        assert self.list_stored(node) >= stored, "a flawed row removes nothing"
        self.show_report(node, report)

    @precondition(lambda self: self.ssm)
    @rule(data=st.data())
    def nothing_is_checked(self, data: st.DataObject) -> None:
        """This lasts for one scan."""
        node = self.draw_node(data)
        report, stored = self.compliance.copy_report(node), self.list_stored(node)
        self.runs += 1
        self.compliance.put(
            node, TYPE, f"run-{self.runs}", self.service.clock.now, [], compliant=0, passed=()
        )
        self.invoke()
        assert self.list_stored(node) >= stored, "where nothing was checked nothing is fixed"
        self.show_report(node, report)
