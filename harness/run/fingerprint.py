"""Fingerprint of the code of a step: provenance, and no part of its identity.

It is taken from syntax trees without positions, comments and docstrings, so formatting does not
change it, and written in a form of our own, so every supported Python gives the same.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path


@functools.lru_cache(maxsize=256)
def fingerprint(function: str) -> str:
    """SHA-256 over `package.module:function` and what it needs of that package.

    Of its own module, only the statements count that the function needs, since its probe, its cost
    and other steps may stand beside it. Imports are followed transitively within the same top-level
    package, wherever they stand, and of what they name the whole module counts. Those of the
    package's own `__init__` are not: they are what it offers to others.
    """
    first, _, name = function.partition(":")
    package = first.partition(".")[0]
    forms: dict[str, str] = {}
    waiting = [first]
    while waiting:
        module = waiting.pop()
        if module in forms or (read := _read(module, name if module == first else "")) is None:
            continue
        forms[module], imported = read
        if module != package or module == first:  # its own face names what no step needs
            waiting += [name for name in imported if name.partition(".")[0] == package]
    hasher = hashlib.sha256()
    for module in sorted(forms):
        hasher.update(f"{module}\n{forms[module]}\n".encode())
    return hasher.hexdigest()


@functools.lru_cache(maxsize=1024)
def _read(module: str, name: str) -> tuple[str, tuple[str, ...]] | None:
    """The normal form of a module, or of what it needs for `name`, and the names that it imports.

    None for a name that is no module. Functions share most of what they import.
    """
    source = _source(module)
    if source is None:
        return None
    tree = ast.parse(source.read_bytes())
    tree = _needed(tree, name) if name else tree
    imported = _imported(tree, module, source.name == "__init__.py")
    return normal_form(tree), tuple(imported)


def _needed(tree: ast.Module, name: str) -> ast.Module:
    """The statements of a module that bind `name`, what they use, and so on.

    Statements that bind nothing, such as calls, always count.
    """
    statements = [s for s in tree.body if not _is_text(s)]
    bound = [frozenset(_bound(statement)) for statement in statements]
    used = {name}
    kept = {i for i, names in enumerate(bound) if not names}
    while True:
        used |= {n.id for i in kept for n in ast.walk(statements[i]) if isinstance(n, ast.Name)}
        more = {i for i, names in enumerate(bound) if names & used} - kept
        if not more:
            return ast.Module([statements[i] for i in sorted(kept)], type_ignores=[])
        kept |= more


def _is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, of the module or of what stands above it."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names of the module that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias) and node.name != "*":
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def normal_form(node: ast.AST) -> str:
    """A syntax tree as text: no positions, no docstrings, no empty fields.

    Later versions of Python add fields, which are empty for code that older ones can read.
    """
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!a}"
    parts = []
    for name, value in sorted(ast.iter_fields(node)):
        if name == "body" and _has_docstring(node):
            value = value[1:]
        if isinstance(node, ast.JoinedStr):
            # Python 3.12 ends a nested format with an empty literal; others do not.
            value = [part for part in value if getattr(part, "value", None) != ""]
        if value is not None and value != []:
            parts.append(f"{name}={_field(value)}")
    return f"{type(node).__name__}({','.join(parts)})"


def _field(value: object) -> str:
    if isinstance(value, ast.AST):
        return normal_form(value)
    if isinstance(value, list):
        return "[" + ",".join(_field(item) for item in value) + "]"
    return ascii(value)


def _has_docstring(node: ast.AST) -> bool:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


def _imported(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Every name that an import of this module may load, and the packages around each."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, node.module] if node.module else kept)


def _source(module: str) -> Path | None:
    """The module's source file, found without importing it; None for a name that is no module."""
    package, *parts = module.split(".")
    found = importlib.util.find_spec(package)
    if found is None:
        return None
    for location in found.submodule_search_locations or [str(Path(found.origin or "").parent)]:
        place = Path(location, *parts)
        for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if path.is_file():
                return path
    return None
