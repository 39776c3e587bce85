from collections.abc import Callable
from itertools import chain

import pytest
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity
from chalicelib.usecases.ports import FindingPages, Selection
from tests.contract.samples import make_finding
from tests.contract.stores import LOCAL, Stores, read_pages

NODE, TITLE = "i-1", "SSH must not allow root"
EVERYTHING, OF_NODE, OF_TITLE = Selection(), Selection(instance_id=NODE), Selection(title=TITLE)
STORED = 250

Sample = Callable[[int], list[Finding]]


def make_for_node(size: int) -> list[Finding]:
    return [make_finding(number, node=NODE) for number in range(size)]


def make_for_title(size: int) -> list[Finding]:
    return [make_finding(number, node=f"mi-{number}", title=TITLE) for number in range(size)]


SELECTIONS = [
    pytest.param(EVERYTHING, make_for_node, id="all"),
    pytest.param(OF_NODE, make_for_node, id="of a node"),
    pytest.param(OF_TITLE, make_for_title, id="of a title"),
]


def list_pages(
    findings: FindingPages, selection: Selection, size: int, after: str | None = None
) -> list[list[Finding]]:
    return read_pages(
        lambda last: findings.page(selection, last, size),
        lambda finding: finding.finding_id,
        size,
        after,
    )


def put_with_others(stores: Stores, selection: Selection, findings: list[Finding]) -> None:
    stores.findings.put(findings)
    if selection != EVERYTHING:
        stores.findings.put([make_finding(1, node="i-9"), make_finding(2, node="i-9")])


def assert_complete(pages: list[list[Finding]], findings: list[Finding], size: int) -> None:
    full, rest = divmod(len(findings), size)
    assert [len(page) for page in pages] == [*[size] * full, rest]
    rows = list(chain(*pages))
    assert len(rows) == len(set(rows))
    assert set(rows) == set(findings)


def sort_by_id(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: each.finding_id)


@pytest.mark.parametrize("selection", [EVERYTHING, OF_NODE, OF_TITLE, Selection(NODE, TITLE)])
def test_an_empty_table_has_one_empty_page(stores: Stores, selection: Selection) -> None:
    assert not stores.findings.page(selection, None, 50)
    assert not stores.findings.page(selection, make_finding(1).finding_id, 50)


@pytest.mark.parametrize(("selection", "sample"), SELECTIONS)
def test_pages_of_any_size_list_every_finding_once(
    stores: Stores, selection: Selection, sample: Sample
) -> None:
    findings = sample(STORED)
    put_with_others(stores, selection, findings)
    for size in (7, 100, STORED, STORED + 1):
        assert_complete(list_pages(stores.findings, selection, size), findings, size)


# Not in moto, which sorts the whole table for each page.
@pytest.mark.parametrize("stores", ["memory", LOCAL], indirect=True)
@pytest.mark.parametrize(("selection", "sample"), SELECTIONS)
def test_pages_of_one_row_list_every_finding_once(
    stores: Stores, selection: Selection, sample: Sample
) -> None:
    findings = sample(STORED)
    put_with_others(stores, selection, findings)
    assert_complete(list_pages(stores.findings, selection, 1), findings, 1)


@pytest.mark.parametrize(("selection", "sample"), SELECTIONS[1:])
def test_an_index_lists_findings_by_id(
    stores: Stores, selection: Selection, sample: Sample
) -> None:
    findings = sample(30)
    stores.findings.put(findings)

    assert list(chain(*list_pages(stores.findings, selection, 10))) == sort_by_id(findings)


@pytest.mark.parametrize(("selection", "sample"), SELECTIONS)
def test_a_list_continues_after_a_deleted_finding(
    stores: Stores, selection: Selection, sample: Sample
) -> None:
    stores.findings.put(sample(30))
    whole = list(chain(*list_pages(stores.findings, selection, 10)))
    for position in (0, 9, 29):
        deleted = whole[position]
        stores.findings.delete([deleted.finding_id])

        rest = list_pages(stores.findings, selection, 10, after=deleted.finding_id)
        assert list(chain(*rest)) == whole[position + 1 :]
        stores.findings.put([deleted])


@pytest.mark.parametrize(("selection", "sample"), SELECTIONS)
def test_changes_between_two_pages_affect_no_other_finding(
    stores: Stores, selection: Selection, sample: Sample
) -> None:
    findings = sample(60)
    added = [findings.pop() for _ in range(20)]
    stores.findings.put(findings)
    first = list(stores.findings.page(selection, None, 20))
    removed = {each.finding_id for each in (*first[15:], *findings[:5])}
    stores.findings.delete(removed)
    stores.findings.put(added)

    rest = chain(*list_pages(stores.findings, selection, 20, after=first[-1].finding_id))
    seen = [*first, *rest]
    assert len(seen) == len(set(seen))
    assert set(seen) >= {each for each in findings if each.finding_id not in removed}
    assert set(seen) <= {*findings, *added}


@pytest.mark.parametrize(("selection", "sample"), SELECTIONS)
def test_a_page_is_full_even_if_the_engine_ends_its_own_earlier(
    stores: Stores, selection: Selection, sample: Sample
) -> None:
    # 40 rows of 40 KB exceed the megabyte at which DynamoDB ends a page
    findings = [replace(each, control_id="c" * 40_000) for each in sample(40)]
    stores.findings.put(findings)

    page = list(stores.findings.page(selection, None, 36))
    rest = list(stores.findings.page(selection, page[-1].finding_id, 36))
    assert (len(page), len(rest)) == (36, 4)
    assert {*page, *rest} == set(findings)


def test_a_selection_lists_only_its_node_and_title(stores: Stores) -> None:
    both = make_finding(1, node=NODE, title=TITLE)
    same_node, same_title = make_finding(2, node=NODE), make_finding(3, node="i-2", title=TITLE)
    longer = make_finding(4, node=f"{NODE}1", title=f"{TITLE}!")
    stores.findings.put([both, same_node, same_title, longer])
    page = stores.findings.page

    assert list(page(OF_NODE, None, 9)) == sort_by_id([both, same_node])
    assert list(page(OF_TITLE, None, 9)) == sort_by_id([both, same_title])
    assert list(page(Selection(NODE, TITLE), None, 9)) == [both]
    assert set(page(EVERYTHING, None, 9)) == {both, same_node, same_title, longer}


def test_a_page_shows_the_last_write(stores: Stores) -> None:
    stores.findings.put([make_finding(1, node=NODE)])
    worse = replace(make_finding(1, node=NODE), severity=Severity.CRITICAL)
    stores.findings.put([worse])

    assert [tuple(stores.findings.page(each, None, 1)) for each in (EVERYTHING, OF_NODE)] == [
        (worse,),
        (worse,),
    ]
