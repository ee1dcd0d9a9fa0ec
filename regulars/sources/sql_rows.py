"""The process that speaks to a database for kind `sql`: it runs queries through connectorx and writes their rows as Parquet.

A process of its own, because the library's threads cannot be stopped, read ahead without a bound and end in panics that
print what they met. It is given requests, one JSON object a line, answers each with lines of JSON, and ends when its input
does: it never outlives who started it. The address comes in a request, so that no list of processes shows it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import Any

os.environ.update(RUST_BACKTRACE="0", RUST_LOG="error")


def say(**facts: Any) -> None:
    """One line of JSON to whoever asked."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def answer(url: str, query: str, before: list[str], target: str | None, batch_rows: int) -> None:
    """Without a target: names, types and rows of a small result. With one: its rows as Parquet there."""
    import connectorx
    import pyarrow.parquet

    stream = connectorx.read_sql(
        url, query, return_type="arrow_stream", batch_size=batch_rows, pre_execution_query=before or None
    )
    columns = [[field.name, str(field.type)] for field in stream.schema]
    if target is None:
        say(columns=columns, rows=[list(row.values()) for row in stream.read_all().to_pylist()], done=True)
        return
    rows = 0
    with pyarrow.parquet.ParquetWriter(target, stream.schema, compression="lz4", use_dictionary=False) as file:
        for batch in stream:
            file.write_batch(batch)
            rows += batch.num_rows
            say(read=rows)
    say(read=rows, done=True)


def take_requests(requests: SimpleQueue[str]) -> None:
    """Take requests in until the input ends; then this process ends as well, whatever it is at."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)  # whoever asked is gone, or needs no more


if __name__ == "__main__":
    waiting: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=take_requests, args=(waiting,), daemon=True).start()
    while True:
        try:
            answer(**json.loads(waiting.get()))
        except ImportError:
            say(missing=True, done=True)
        except BaseException as error:  # what the library panics with is no Exception
            say(error=str(error)[:4000], done=True)
