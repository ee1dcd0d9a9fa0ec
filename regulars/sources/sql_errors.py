"""What databases say through the reader of kind `sql`, as our errors: with a remedy, without values, addresses or passwords."""

from __future__ import annotations

import re

from regulars.errors import RegularsError, SourceError, TransientError
from regulars.sources.sql_address import Address

RUN_AGAIN = "check that it runs and is reachable, then run again"
CORRECT = "correct table, columns or query in sources.yml, or create it in the source"

# (what is said, error, what we say of it, remedy), the first that fits; of what is said only names in `[...]` groups are
# repeated. MySQL's numbers are in its manual (mysqld error reference), SQL Server's in sys.messages, Oracle's begin with ORA-.
SAID: tuple[tuple[str, type[RegularsError], str, str], ...] = (
    (
        r"statement timeout|max_statement_time exceeded|maximum statement execution time|ERROR (1969|3024)|ORA-01013",
        TransientError,
        "the statement timeout passed",
        "raise statement_timeout_seconds, or add an index on the cursor",
    ),
    (
        r"Access denied for user|ERROR (1044|1045|1698)|password authentication failed|no password supplied|"
        r"role .* does not exist|Login failed|\b18456\b|ORA-01017|ORA-28000",
        SourceError,
        "the server refused the login",
        "check user, password and database of the connection's url",
    ),
    (
        r"secure connection|insecure transport|ERROR 3159|\b(tls|ssl|TLS|SSL)\b|certificate",
        SourceError,
        "server and reader do not agree about encryption",
        "see TLS in docs/sources.md, and have the server's certificate checked",
    ),
    (
        r"denied to user .* for (?P<what>table|column|view)|permission (was )?denied|ERROR (1142|1143)|ORA-01031",
        SourceError,
        "permission denied",
        "grant select on it to the user of this connection",
    ),
    (
        r"Unknown column '(?P<name>[\w.$ ]+)' in|column \"(?P<quoted>[\w.$ ]+)\" does not exist|"
        r"Invalid column name '(?P<sqlserver>[\w.$ ]+)'|ORA-00904: (?P<oracle>[\"\w.$]+)",
        SourceError,
        "column {} does not exist",
        CORRECT,
    ),
    (
        r"Table '(?P<name>[\w.$ ]+)' doesn't exist|relation \"(?P<quoted>[\w.$ ]+)\" does not exist|"
        r"Invalid object name '(?P<sqlserver>[\w.$ ]+)'|ORA-00942|ERROR 1146",
        SourceError,
        "table {} does not exist",
        CORRECT,
    ),
    (
        r"Unknown database|database \".*\" does not exist|ERROR 1049",
        SourceError,
        "the database does not exist",
        CORRECT,
    ),
    (
        r"error in your SQL syntax|syntax error|Incorrect syntax|ORA-00933|ORA-00936|ERROR 1064",
        SourceError,
        "the query has a syntax error",
        "correct query, source_where or table in sources.yml; they are SQL of the source",
    ),
    (
        r"not implemented: (?P<name>[\w.]+)|Cannot find.*type|unsupported type",
        SourceError,
        "type {} cannot be carried",
        "write a query in sources.yml that casts the column to text, or leaves it out",
    ),
    (
        r"[Dd]eadlock|ERROR (1205|1213|1040|1053|1317|1927|2006|2013)|Lock wait timeout|serialize|starting up|"
        r"shutting down|administrator command|snapshot .* does not exist|too many c|ORA-(00060|01555|03113|03114|12541|12170)",
        TransientError,
        "the server broke off",
        "run again",
    ),
    (
        r"[Cc]onnection|connect|timed out|[Ii]nput/output|IO ?[Ee]rror|\bIo\b|CodecError|closed|reset by peer|Broken pipe|"
        r"bytes remaining|dns|lookup|unreachable|packet",
        TransientError,
        "the server cannot be reached or broke off",
        RUN_AGAIN,
    ),
    (
        r"Couldn't convert|Could not retrieve|out of range|overflow|cannot parse|decimal scale",
        SourceError,
        "a value cannot be carried as the type the server names",
        "write a query in sources.yml that casts the column to text",
    ),
)


def explained(address: Address, said: str) -> RegularsError:
    """The error for what a database or the reader said at `address`."""
    for pattern, kind, words, remedy in SAID:
        match = re.search(pattern, said)
        if match:
            name = next((found for found in match.groupdict().values() if found), "that is named")
            return kind(f"{address.place}: {words.format(name)}", remedy=remedy)
    return SourceError(
        f"{address.place}: the server refused the query",
        remedy="correct the table's entry in sources.yml; the database's own log has the whole message",
    )
