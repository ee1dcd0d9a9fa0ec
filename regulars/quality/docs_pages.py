"""HTML of the data docs: the index, and pages of Great Expectations freed of everything remote."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLESHEET = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2733; background: #fff; }
body { max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem; }
h1, h2 { font-weight: 600; } h2 { margin-top: 2.2rem; } a { color: #1559a8; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #d9e0e7; }
th, td { overflow-wrap: anywhere; }
th { background: #f2f5f8; } .gates td:not(:last-child), .gates th { white-space: nowrap; overflow-wrap: normal; }
.mark { display: inline-block; min-width: 4.6rem; text-align: center; border-radius: .25rem; padding: .05rem .4rem; }
.mark { font-size: 85%; color: #fff; background: #5b6875; }
.mark.passed { background: #1d7a43; } .mark.warned { background: #9a6200; } .mark.blocked { background: #b3261e; }
.quiet { color: #5b6875; } ul.rules { margin: .2rem 0; padding-left: 1.1rem; }
ol.breadcrumb { list-style: none; padding: 0; }
.collapse, .navbar-brand, footer, #newsletter, .form-check, [onclick] { display: none; }
i[class*=fa-check]::before { content: "passed"; color: #1d7a43; font-style: normal; }
i[class*=fa-times]::before { content: "FAILED"; color: #b3261e; font-style: normal; font-weight: 600; }
i[class*=fa-exclamation]::before { content: "ERROR"; color: #b3261e; font-style: normal; font-weight: 600; }
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Regulars: gates</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="regulars.css"></head>
<body><h1>Quality gates of the last runs</h1>
<p class="quiet">A blocked rule stops a run before anything is published; a warning is recorded and shown.
Each table leads to all of its rules.</p>
{runs}</body></html>
"""
REMOTE = re.compile(
    (
        r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<footer\b.*?</footer>|<style\b.*?</style>|@import "
        r"url\([^)]*\);?"
    ),
    re.DOTALL | re.IGNORECASE,
)
# Links to other hosts, to pages of suites (there are none), and to what only scripts can open.
DEAD_LINK = re.compile(
    r"<a\b[^>]*(?:href=\"https?://|/expectations/|data-toggle=)[^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)
INDEX_LINK = re.compile(r'href="(?:\.\./)+index\.html"')


def make_offline(html: str, root: str) -> str:
    """A page without scripts, pictures and styles of other hosts, in our stylesheet; `root` leads back to the index."""
    plain = INDEX_LINK.sub(f'href="{root}index.html"', DEAD_LINK.sub(r"\1", REMOTE.sub("", html)))
    return plain.replace("</head>", f'<link rel="stylesheet" href="{root}regulars.css"></head>', 1)


def render_index(runs: Sequence[Mapping[str, Any]]) -> str:
    """The index over `{run_id, started_at, as_of, checks: rows of dq_check_logs, pages}`, one per run and day."""
    return PAGE.format(runs="\n".join(_render_run(run) for run in runs) or "<p>No gate has run yet.</p>")


def _render_run(run: Mapping[str, Any]) -> str:
    tables: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in run["checks"]:
        tables.setdefault((row["layer"], row["table_name"]), []).append(row)
    bad = [row for row in run["checks"] if row["status"] in ("failed", "error")]
    blocking = sum(row["severity"] == "block" for row in bad)
    title = f"Day {run['as_of']} <span class='quiet'>run {escape(run['run_id'])}, {run['started_at']} UTC</span>"
    counts = f"{len(run['checks'])} rules, {blocking} blocked, {len(bad) - blocking} warnings"
    rows = "".join(
        _render_table(f"{layer}.{table}", rows, run["pages"].get(f"{layer}.{table} {run['as_of']}"))
        for (layer, table), rows in tables.items()
    )
    head = "<tr><th>Result</th><th>Table</th><th>Passed</th><th>Rules that failed</th></tr>"
    return f"<h2>{title}</h2><p>{counts}</p><table class='gates'>{head}{rows}</table>"


def _render_table(name: str, rows: Sequence[Mapping[str, Any]], page: str | None) -> str:
    bad = [row for row in rows if row["status"] in ("failed", "error")]
    judged = [row for row in rows if row["status"] != "skipped"]
    if any(row["severity"] == "block" for row in bad):
        mark = "blocked"
    elif bad:
        mark = "warned"
    else:
        mark = "passed" if judged else "skipped"
    link = f'<a href="{escape(page)}">{escape(name)}</a>' if page else escape(name)
    rules = "".join(f"<li>{_render_rule(row)}</li>" for row in bad)
    if not judged:
        rules = f"<li>{escape(json.loads(rows[0]['details']).get('reason', ''))}</li>"
    passed = sum(row["status"] == "passed" for row in rows)
    return (
        f'<tr><td><span class="mark {mark}">{mark}</span></td><td>{link}</td><td>{passed} of {len(judged)}</td>'
        f'<td><ul class="rules">{rules}</ul></td></tr>'
    )


def _render_rule(row: Mapping[str, Any]) -> str:
    facts = json.loads(row["details"])
    found = (
        f"the rule could not be computed: {facts['error']}"
        if "error" in facts
        else f"observed {row['observed_value']}, expected {row['expected']}"
    )
    if row["unexpected_count"] is not None:
        found += f", {row['unexpected_count']:,} rows"
    if facts.get("samples"):
        found += f", for example {'; '.join(facts['samples'])}"
    words = (
        f"({row['severity']}) {facts.get('says', '')} {found[0].upper()}{found[1:]}. What to do: "
        f"{facts.get('remedy', '')}."
    )
    return f"<b>{escape(row['check_name'])}</b> {escape(words)}"
