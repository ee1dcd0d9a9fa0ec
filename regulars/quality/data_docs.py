"""Data docs: one HTML site in `<home>/data_docs/` that shows the gates of the last runs, built once per run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from regulars.quality.checks import Check
from regulars.quality.docs_pages import STYLESHEET, make_offline, render_index
from regulars.quality.shared_docs import fetch_runs, publish_runs
from regulars.settings import Settings
from regulars.storage import open_storage

RUNS_SHOWN = 10


class DataDocs:
    """Collects what the gates of one run found; leaving the block builds the site, also when a gate blocked.

    Each suite has a page made by Great Expectations. Its own index needs a network (tables and icons come from other
    hosts), so the index is ours, made from the checks, and the pages are freed of everything remote. Pages of runs
    before the last ten are removed. The site holds rules, numbers and sample keys, never rows.
    """

    def __init__(self, settings: Settings, *, runs_shown: int = RUNS_SHOWN) -> None:
        self.folder = settings.home_dir / "data_docs"
        self._runs_shown = runs_shown
        self._shared = open_storage(settings.data_docs_url, settings.s3) if settings.data_docs_url else None
        self._results: list[tuple[Check, Any]] = []
        self._checks: list[Check] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._checks:
            self.build()

    def add(self, checks: Sequence[Check], result: Any = None) -> None:
        """Keep the checks of one table and day and, where its suite ran, Great Expectations' own result."""
        self._checks += checks
        if result is not None:
            self._results.append((checks[0], result))

    def build(self) -> Path:
        """Write the pages of what was added and the index; gives the path of `index.html`."""
        from regulars.quality.gates import one_at_a_time, quiet

        self.folder.mkdir(parents=True, exist_ok=True)
        if self._shared is not None:
            fetch_runs(self._shared, self.folder, self._runs_shown)
        with one_at_a_time, quiet():
            pages = self._write_pages()
        self._keep_checks(pages)
        (self.folder / "regulars.css").write_text(STYLESHEET)
        shown = self._drop_old_runs()
        days = [json.loads(path.read_text()) for run in shown for path in sorted(run.glob("*.json"), reverse=True)]
        draft = self.folder / ".index.html"
        draft.write_text(render_index(days))
        draft.replace(self.folder / "index.html")
        if self._shared is not None:
            publish_runs(self._shared, self.folder, {check.run_id for check in self._checks})
        self._results, self._checks = [], []
        return self.folder / "index.html"

    def _write_pages(self) -> dict[str, str]:
        """Pages of the collected results; gives the path of each by `<layer>.<table> <day>`."""
        if not self._results:
            return {}
        # Great Expectations' own site builder would first put every result into a store and read it back.
        from great_expectations.render.renderer import ValidationResultsPageRenderer
        from great_expectations.render.view import DefaultJinjaPageView

        renderer, view, pages = ValidationResultsPageRenderer(), DefaultJinjaPageView(), {}
        for check, result in self._results:
            page = f"validations/{check.layer}/{check.table_name}/{check.run_id}/{check.as_of}.html"
            html = str(view.render(renderer.render(result), show_how_to_buttons=False))
            path = self.folder / page
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(make_offline(html, "../" * page.count("/")))
            pages[f"{check.layer}.{check.table_name} {check.as_of}"] = page
        return pages

    def _keep_checks(self, pages: dict[str, str]) -> None:
        """Facts of this run for the index, one file per day; a layer gated again replaces what it said before."""
        by_day: dict[tuple[str, date], list[Check]] = {}
        for check in self._checks:
            by_day.setdefault((check.run_id, check.as_of), []).append(check)
        for (run_id, day), checks in by_day.items():
            started = checks[0].checked_at
            path = self.folder / ".checks" / f"{started:%Y%m%dT%H%M%S} {run_id}" / f"{day}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            known = json.loads(path.read_text()) if path.exists() else {"checks": [], "pages": {}}
            layers = {check.layer for check in checks}
            rows = [row for row in known["checks"] if row["layer"] not in layers]
            facts = {
                "run_id": run_id,
                "started_at": started,
                "as_of": day,
                "checks": [*rows, *(check.as_row() for check in checks)],
                "pages": {**known["pages"], **{name: page for name, page in pages.items() if name.endswith(f" {day}")}},
            }
            path.write_text(json.dumps(facts, default=str))

    def _drop_old_runs(self) -> list[Path]:
        """Remove what belongs to runs before the last ones; gives the folders of those kept, newest first."""
        runs = sorted((self.folder / ".checks").iterdir(), reverse=True)
        kept, old = runs[: self._runs_shown], runs[self._runs_shown :]
        names = {run.name.split(" ", 1)[1] for run in kept}
        for folder in [*old, *(page for page in self.folder.glob("validations/*/*/*") if page.name not in names)]:
            shutil.rmtree(folder, ignore_errors=True)
        return kept
