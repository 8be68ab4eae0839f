"""The mean loss alone with DuckDB: one query straight on the file."""

from __future__ import annotations

import duckdb
from common import COLUMNS, THREADS, arguments, report


def query(kind: str) -> str:
    """SQL for the mean loss of the rows of ``source``; logits go through log-sum-exp."""
    if kind == "binary":
        return "SELECT avg(-ln(CASE label WHEN 1 THEN p ELSE 1 - p::DOUBLE END)) FROM source"
    if kind == "list":
        return """
            SELECT avg(
                top + ln(list_sum(list_transform(logits, lambda z: exp(z - top))))
                - logits[label + 1]
            )
            FROM (SELECT *, list_max(logits) AS top FROM source)
        """
    names = COLUMNS[kind][:-1]
    own = "[" + ", ".join(names) + "][label + 1]"
    if kind == "csv":
        return f"SELECT avg(-ln({own})) FROM source"
    total = " + ".join(f"exp({name} - top)" for name in names)
    return f"""
        SELECT avg(top + ln({total}) - {own})
        FROM (SELECT *, greatest({", ".join(names)}) AS top FROM source)
    """


def main() -> None:
    """Run the query over two threads."""
    path, kind = arguments()
    reader = "read_csv" if kind == "csv" else "read_parquet"
    connection = duckdb.connect()
    connection.execute(f"SET threads={THREADS}")
    source = connection.sql(f"FROM {reader}('{path}')")
    assert source is not None
    (mean,) = source.query("source", query(kind)).fetchall()[0]
    report(mean_loss=mean)


if __name__ == "__main__":
    main()
