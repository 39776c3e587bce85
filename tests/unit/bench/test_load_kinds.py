from bench.load.kinds import kinds


def test_each_kind_asks_so_many_requests_and_none_twice_where_there_are_nodes_enough() -> None:
    for kind in kinds(nodes=60, number=60):
        assert len({(asked.method, asked.path) for asked in kind.requests}) == 60, kind.name


def test_no_finding_is_snoozed_twice_where_there_are_fewer_nodes() -> None:
    *_, snooze = kinds(nodes=2, number=100)
    assert len({asked.path for asked in snooze.requests}) == 100
