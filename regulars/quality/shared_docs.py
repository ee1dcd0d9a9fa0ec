"""Data docs where workers come and go: what other runs left is fetched first, and the index is written last."""

from __future__ import annotations

from pathlib import Path

from regulars.storage import Storage

CHECKS = "checks"  # of each run: <start> <run>/<day>.json
INDEX, STYLE = "index.html", "regulars.css"


def fetch_runs(storage: Storage, folder: Path, most: int) -> None:
    """Bring the facts of the newest `most` published runs into the site in `folder`, but those that it has."""
    for run in storage.names(CHECKS)[-most:]:
        for name in storage.names(f"{CHECKS}/{run}"):
            path = folder / ".checks" / run / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(storage.read_bytes(f"{CHECKS}/{run}/{name}"))


def publish_runs(storage: Storage, folder: Path, run_ids: set[str]) -> None:
    """Write the pages and facts of these runs, then the index, so that no link of it leads nowhere."""
    pages = (page for page in folder.glob("validations/*/*/*/*.html") if page.parent.name in run_ids)
    for page in sorted(pages):
        storage.write_bytes(page.relative_to(folder).as_posix(), page.read_bytes())
    for facts in sorted((folder / ".checks").glob("*/*.json")):
        if facts.parent.name.split(" ", 1)[1] in run_ids:
            storage.write_bytes(f"{CHECKS}/{facts.parent.name}/{facts.name}", facts.read_bytes())
    for name in (STYLE, INDEX):
        storage.write_bytes(name, (folder / name).read_bytes())
