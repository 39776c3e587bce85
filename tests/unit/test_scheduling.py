"""Tests that share something expensive stay on one worker, and the others are spread."""

from tests.scheduling import name_group


def test_all_tests_on_dynamodb_local_are_one_group() -> None:
    names = (
        "tests/engines/test_tables.py::test_a",
        "tests/contract/test_work.py::test_b[dynamodb-local]",
        "tests/contract/test_finding_pages.py::test_c[of a node-dynamodb-local]",
    )

    assert {name_group(each) for each in names} == {"DynamoDB Local"}


def test_a_file_that_deploys_is_one_group() -> None:
    first, second, other = (
        "tests/deploy/test_operator.py::test_a",
        "tests/deploy/test_operator.py::test_b[x]",
        "tests/deploy/test_packaged_app.py::test_c",
    )

    assert name_group(first) == name_group(second) != name_group(other)


def test_every_other_test_is_alone() -> None:
    names = ("tests/unit/test_app.py::test_a[x]", "tests/unit/test_app.py::test_a[y]")

    assert [name_group(each) for each in names] == list(names)
