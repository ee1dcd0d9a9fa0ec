"""House rules that a machine can check: import direction, names, registries, sizes."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from regulars.settings import PROJECT_DIR

MAY_IMPORT = {
    "regulars": {"regulars"},
    "expectations": {"expectations", "regulars"},
    "tasks": {"tasks", "regulars", "expectations"},
    "flows": {"flows", "tasks", "regulars"},
    "dashboard": {"dashboard", "regulars"},
    "chaos": {"chaos", "flows", "tasks", "regulars"},
}
OURS = {"flows", "tasks", "regulars", "expectations", "dashboard", "chaos", "benchmarks", "tests"}
FORBIDDEN_NAMES = ("utils", "helpers", "common", "manager", "handler")
PYTHON_FILES = [path for package in MAY_IMPORT for path in sorted((PROJECT_DIR / package).rglob("*.py"))]


def imported_roots(path: Path) -> set[str]:
    roots = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.split(".")[0])
    return roots


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    for path in (PROJECT_DIR / package).rglob("*.py"):
        roots = imported_roots(path)
        assert roots & OURS <= MAY_IMPORT[package], path
        if package in ("regulars", "expectations", "dashboard"):
            assert "prefect" not in roots, path


def test_the_command_line_starts_without_prefect() -> None:
    """It takes seconds to import, and reads its variables then: a command sets those of its home before."""
    probe = "import sys, flows.__main__; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], cwd=PROJECT_DIR, check=False).returncode == 0


def test_no_file_of_flows_or_tasks_hides_an_importable_package() -> None:
    for folder in ("flows", "tasks"):
        for path in (PROJECT_DIR / folder).glob("*.py"):
            if path.stem.startswith("__"):
                continue
            probe = [
                sys.executable,
                "-I",
                "-c",
                f"import importlib.util, sys; sys.exit(importlib.util.find_spec({path.stem!r}) is not None)",
            ]
            assert subprocess.run(probe, check=False).returncode == 0, f"{path} hides the package {path.stem}"
    assert importlib.util.find_spec("flows") is not None


def test_names_say_what_a_thing_is() -> None:
    for path in PYTHON_FILES:
        tree = ast.parse(path.read_text())
        defined = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        for name in [*path.relative_to(PROJECT_DIR).with_suffix("").parts, *defined]:
            assert not any(word in name.lower().split("_") for word in FORBIDDEN_NAMES), f"{path}: {name}"


def test_folders_that_must_not_be_packages_are_none() -> None:
    for folder in ("dbt", "tests"):
        assert not list((PROJECT_DIR / folder).rglob("__init__.py"))
    assert not list((PROJECT_DIR / "dbt").rglob("*.py"))


def test_public_functions_and_modules_have_docstrings() -> None:
    for path in (PROJECT_DIR / "regulars").rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and not _is_trivial(node)
            ):
                assert ast.get_docstring(node), f"{path}: {node.name}"


def _is_trivial(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """One-line functions say in their name and signature all there is."""
    return isinstance(node, ast.FunctionDef) and len(node.body) == 1


def test_only_settings_read_the_environment() -> None:
    for path in PYTHON_FILES:
        if path.name == "settings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            reads = (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Load)
                and ast.unparse(node.value) == "os.environ"
            ) or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ.get", "os.getenv"))
            assert not reads, f"{path}:{getattr(node, 'lineno', 0)}"


def test_modules_stay_small() -> None:
    limits = {"flows": 300, "tasks": 120, "regulars": 300, "expectations": 120, "chaos": 250}
    for package, limit in limits.items():
        for path in (PROJECT_DIR / package).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= limit, path


def test_constraints_pin_every_package_exactly_and_name_no_address() -> None:
    for line in (PROJECT_DIR / "constraints.txt").read_text().splitlines():
        assert line.count("==") == 1 and "://" not in line, line
