from __future__ import annotations

import pytest

from agent.resources.datasets.query import bound, check_query, numbered
from shared.errors import InvalidInput


def test_what_reads_is_taken_and_its_end_is_dropped() -> None:
    for query in ("SELECT 1", " -- why\n/* so */ (select 1);; ", "WITH a AS (SELECT 1) TABLE a", "values (1)"):
        assert check_query(query).rstrip(";") == query.strip().rstrip(";").rstrip()


@pytest.mark.parametrize(
    "query", ["", ";", "DELETE FROM x", "-- SELECT 1", "/* SELECT */ DROP TABLE x", "selecting", "1"]
)
def test_what_does_not_read_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput):
        check_query(query)


def test_engines_that_are_not_known_to_refuse_a_second_statement_get_none() -> None:
    assert check_query("SELECT ';'", "postgresql") == "SELECT ';'"
    with pytest.raises(InvalidInput, match="oracle"):
        check_query("SELECT 1; DROP TABLE x", "oracle")


def test_mysql_writes_no_file() -> None:
    with pytest.raises(InvalidInput, match="OUTFILE"):
        check_query("SELECT 1 Into  OutFile '/tmp/x'", "mysql")
    assert check_query("SELECT 1 INTO OUTFILE 'x'", "postgresql")


def test_only_parameters_are_names_of_values() -> None:
    query = "SELECT ':a', '12:30', x::int, :a, :b, '{\"k\":1}' FROM t WHERE y = :a"
    assert bound(query, {"a": 1}) == ("SELECT ':a', '12:30', x::int, :a, \\:b, '{\"k\"\\:1}' FROM t WHERE y = :a")
    assert numbered("SELECT :a, x::int, :b", {"a": 1, "c": 2}) == ("SELECT $a, x::int, :b", {"a": 1})
