"""The shape of the code, counted from its syntax trees: files, functions, and which module imports which.

The tests of the house read it; ``python tests/structure.py [FOLDER]`` prints it for this or another checkout.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parents[1]
CORE = "freeanimate_core"
PACK = "freeanimate_pack"  # the repository's name outside a server, which lab gives it
# From the ground up. A file that lies in the core itself is ground floor; the demo stands beside the core.
FLOORS = (
    {CORE},
    {f"{CORE}/{room}" for room in ("method", "pose", "preview", "compare")} | {"demo"},
    {f"{CORE}/host"},
    {f"{CORE}/runs"},
    {"nodes"},
    {"lab", "devtools", "__init__.py", "dev.py"},
)


@dataclass(frozen=True)
class Import:
    """One import: the file that says it, the file or else the dotted name that it reaches, whether it runs at load."""

    file: str
    target: str
    at_load: bool

    @property
    def inside(self) -> bool:
        """Whether the target is a file of this repository."""
        return self.target.endswith(".py")

    @property
    def package(self) -> str:
        """The top package of a target outside, the top folder of one inside."""
        return self.target.split("/" if self.inside else ".")[0]


def python_files(root: Path = ROOT) -> list[str]:
    """Every Python file but the tests' and what git ignores, as paths from the root."""
    found = (path.relative_to(root) for path in root.rglob("*.py"))
    outside = {"tests", "output"}
    kept = [path for path in found if path.parts[0] not in outside and not any(p.startswith(".") for p in path.parts)]
    return sorted(path.as_posix() for path in kept)


def room(file: str) -> str:
    """The room that a file lies in: a folder of the core, the core itself, or a top folder."""
    parts = file.split("/")
    return "/".join(parts[: 2 if parts[0] == CORE and len(parts) > 2 else 1])


def parsed(file: str, root: Path = ROOT) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((root / file).read_text(encoding="utf-8"))


def graph(files: list[str], root: Path = ROOT) -> list[Import]:
    """The imports of all files, those inside functions too, to one another and to the world."""
    modules = {file.removesuffix(".py").removesuffix("/__init__").replace("/", "."): file for file in files}
    return sorted(set(chain.from_iterable(_imports(file, modules, root) for file in files)), key=str)


def _imports(file: str, modules: dict[str, str], root: Path) -> Iterator[Import]:
    tree, folder = parsed(file, root), file.split("/")[:-1]
    late = {id(inner) for function in functions(tree) for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = [PACK, *folder[: len(folder) + 1 - node.level]] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            names = [(f"{base}.{alias.name}", base) for alias in node.names]
        else:
            continue
        for name, base in names:
            target = _file(name, modules) or _file(base, modules) or base
            yield Import(file, target, id(node) not in late)


def _file(name: str, modules: dict[str, str]) -> str | None:
    own = name.removeprefix(f"{PACK}.")
    return modules.get(own) if own != name or name.split(".")[0] != "nodes" else None  # a bare nodes is the host's


def pairs(found: list[Import], at_load: bool = False) -> list[tuple[str, str]]:
    """Who imports whom among the files; only what runs at load, if asked."""
    return sorted({(i.file, i.target) for i in found if i.inside and i.file != i.target and i.at_load >= at_load})


def arrows(edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Which room imports from which other."""
    return sorted({(room(a), room(b)) for a, b in edges if room(a) != room(b)})


def upward(edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of files of which one imports from a floor above its own."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    return [(a, b) for a, b in edges if floor[room(a)] < floor[room(b)]]


def circles(edges: list[tuple[str, str]]) -> list[list[str]]:
    """Groups that import one another in a circle, each sorted: what is reached from each other."""
    reached = {a: {b for x, b in edges if x == a} for a, _ in edges}
    grown = True
    while grown:
        wider = {a: b.union(*(reached.get(c, set()) for c in b)) for a, b in reached.items()}
        grown, reached = wider != reached, wider
    groups = {frozenset(b for b in reached[a] if a in reached.get(b, ())) for a in reached if a in reached[a]}
    return sorted(map(sorted, groups))


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module, the inner ones too."""
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """A function's lines, from its def to its end."""
    return function.end_lineno - function.lineno + 1


def report(root: Path = ROOT) -> str:
    """Files, lines and functions per top folder, the core's rooms and arrows, upward arrows and circles."""
    files = python_files(root)
    trees = {file: parsed(file, root) for file in files}
    sizes = {file: len((root / file).read_text(encoding="utf-8").splitlines()) for file in files}
    lines = [f"{'folder':<28}{'files':>6}{'lines':>7}{'functions':>11}{'median':>8}{'p90':>5}{'longest':>9}"]
    for name in [*sorted({room(file) for file in files}), "all"]:
        own = [file for file in files if name in (room(file), "all")]
        long = [length(f) for file in own for f in functions(trees[file])] or [0]
        p90 = quantiles(long, n=10, method="inclusive")[-1] if len(long) > 1 else long[0]
        counts = f"{len(own):>6}{sum(sizes[f] for f in own):>7}{len(long):>11}"
        lines.append(f"{name:<28}{counts}{median(long):>8.0f}{p90:>5.0f}{max(long):>9}")
    found = graph(files, root)
    drawn = arrows(pairs(found))
    core = [(a, b) for a, b in drawn if a.startswith(CORE) and b.startswith(CORE)]
    lines += ["", f"rooms of the core: {len({room(f) for f in files if f.startswith(CORE)})}, arrows: {len(core)}"]
    lines += [f"  {a} -> {', '.join(b for x, b in drawn if x == a)}" for a in dict(drawn)]
    turning, rising = circles(pairs(found, at_load=True)), upward(pairs(found))
    lines += [f"circles of modules: {len(turning)}", *("  " + ", ".join(circle) for circle in turning)]
    return "\n".join([*lines, f"upward arrows: {len(rising)}", *(f"  {a} -> {b}" for a, b in rising)])


if __name__ == "__main__":
    print(report(Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT))
