from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import pytest

from chalicelib.domain.finding import Finding, Severity
from chalicelib.usecases.ports import FindingPages, Selection
from tests.contract.samples import make_finding
from tests.contract.stores import LOCAL, Stores

NODE, TITLE = "i-1", "SSH must not allow root"
EVERYTHING, OF_NODE, OF_TITLE = Selection(), Selection(instance_id=NODE), Selection(title=TITLE)
STORED = 250

Sample = Callable[[int], list[Finding]]


def of_one_node(size: int) -> list[Finding]:
    return [make_finding(number, node=NODE) for number in range(size)]


def of_one_title(size: int) -> list[Finding]:
    return [make_finding(number, node=f"mi-{number}", title=TITLE) for number in range(size)]


SELECTIONS = [
    pytest.param(EVERYTHING, of_one_node, id="all"),
    pytest.param(OF_NODE, of_one_node, id="of a node"),
    pytest.param(OF_TITLE, of_one_title, id="of a title"),
]


def pages(
    stored: FindingPages, wanted: Selection, size: int, after: str | None = None
) -> list[list[Finding]]:
    """Every page, and the empty one where the last is full."""
    made: list[list[Finding]] = []
    while not made or len(made[-1]) == size:
        assert len(made) <= STORED, "the pages come to no end"
        made.append(list(stored.page(wanted, after, size)))
        after = made[-1][-1].finding_id if made[-1] else after
    return made


def put_with_strangers(stores: Stores, wanted: Selection, findings: list[Finding]) -> None:
    strangers = (
        [] if wanted == EVERYTHING else [make_finding(1, node="i-9"), make_finding(2, node="i-9")]
    )
    stores.findings.put([*findings, *strangers])


def assert_whole(made: list[list[Finding]], findings: list[Finding], size: int) -> None:
    assert [len(page) for page in made] == [*[size] * (len(findings) // size), len(findings) % size]
    rows = list(chain(*made))
    assert len(rows) == len(set(rows))
    assert set(rows) == set(findings)


def by_id(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: each.finding_id)


@pytest.mark.parametrize("wanted", [EVERYTHING, OF_NODE, OF_TITLE, Selection(NODE, TITLE)])
def test_an_empty_table_is_one_empty_page(stores: Stores, wanted: Selection) -> None:
    assert not stores.findings.page(wanted, None, 50)
    assert not stores.findings.page(wanted, make_finding(1).finding_id, 50)


@pytest.mark.parametrize(("wanted", "sample"), SELECTIONS)
def test_pages_of_every_size_lose_nothing_and_double_nothing(
    stores: Stores, wanted: Selection, sample: Sample
) -> None:
    findings = sample(STORED)
    put_with_strangers(stores, wanted, findings)
    for size in (7, 100, STORED, STORED + 1):
        assert_whole(pages(stores.findings, wanted, size), findings, size)


# moto sorts the whole table for each page.
@pytest.mark.parametrize("stores", ["memory", LOCAL], indirect=True)
@pytest.mark.parametrize(("wanted", "sample"), SELECTIONS)
def test_pages_of_one_row_lose_nothing_and_double_nothing(
    stores: Stores, wanted: Selection, sample: Sample
) -> None:
    findings = sample(STORED)
    put_with_strangers(stores, wanted, findings)
    assert_whole(pages(stores.findings, wanted, 1), findings, 1)


@pytest.mark.parametrize(("wanted", "sample"), SELECTIONS[1:])
def test_an_index_is_paged_in_order_of_the_finding_id(
    stores: Stores, wanted: Selection, sample: Sample
) -> None:
    findings = sample(30)
    stores.findings.put(findings)

    assert list(chain(*pages(stores.findings, wanted, 10))) == by_id(findings)


@pytest.mark.parametrize(("wanted", "sample"), SELECTIONS)
def test_the_list_goes_on_behind_a_finding_that_is_gone(
    stores: Stores, wanted: Selection, sample: Sample
) -> None:
    stores.findings.put(sample(30))
    whole = list(chain(*pages(stores.findings, wanted, 10)))
    for position in (0, 9, 29):
        gone = whole[position]
        stores.findings.delete([gone.finding_id])

        rest = pages(stores.findings, wanted, 10, after=gone.finding_id)
        assert list(chain(*rest)) == whole[position + 1 :]
        stores.findings.put([gone])


@pytest.mark.parametrize(("wanted", "sample"), SELECTIONS)
def test_what_is_resolved_and_opened_between_pages_disturbs_no_other_row(
    stores: Stores, wanted: Selection, sample: Sample
) -> None:
    findings = sample(60)
    came = [findings.pop() for _ in range(20)]
    stores.findings.put(findings)
    first = list(stores.findings.page(wanted, None, 20))
    resolved = {each.finding_id for each in (*first[15:], *findings[:5])}
    stores.findings.delete(resolved)
    stores.findings.put(came)

    rest = chain(*pages(stores.findings, wanted, 20, after=first[-1].finding_id))
    seen = [*first, *rest]
    assert len(seen) == len(set(seen))
    assert set(seen) >= {each for each in findings if each.finding_id not in resolved}
    assert set(seen) <= {*findings, *came}


@pytest.mark.parametrize(("wanted", "sample"), SELECTIONS)
def test_a_page_is_full_where_the_engine_ends_its_own_earlier(
    stores: Stores, wanted: Selection, sample: Sample
) -> None:
    # 40 KB each: these are more than the megabyte at which DynamoDB ends a page.
    findings = [replace(each, control_id="c" * 40_000) for each in sample(40)]
    stores.findings.put(findings)

    page = list(stores.findings.page(wanted, None, 36))
    rest = list(stores.findings.page(wanted, page[-1].finding_id, 36))
    assert (len(page), len(rest)) == (36, 4)
    assert {*page, *rest} == set(findings)


def test_nodes_and_titles_are_kept_apart(stores: Stores) -> None:
    both = make_finding(1, node=NODE, title=TITLE)
    same_node, same_title = make_finding(2, node=NODE), make_finding(3, node="i-2", title=TITLE)
    longer = make_finding(4, node=f"{NODE}1", title=f"{TITLE}!")
    stores.findings.put([both, same_node, same_title, longer])
    page = stores.findings.page

    assert list(page(OF_NODE, None, 9)) == by_id([both, same_node])
    assert list(page(OF_TITLE, None, 9)) == by_id([both, same_title])
    assert list(page(Selection(NODE, TITLE), None, 9)) == [both]
    assert set(page(EVERYTHING, None, 9)) == {both, same_node, same_title, longer}


def test_a_page_shows_what_was_written_last(stores: Stores) -> None:
    stores.findings.put([make_finding(1, node=NODE)])
    worse = replace(make_finding(1, node=NODE), severity=Severity.CRITICAL)
    stores.findings.put([worse])

    assert [tuple(stores.findings.page(each, None, 1)) for each in (EVERYTHING, OF_NODE)] == [
        (worse,),
        (worse,),
    ]
