"""Change gmmlib one operator at a time, and see whether its tests notice.

    .venv/bin/python tools/mutation.py                    the numerical modules
    .venv/bin/python tools/mutation.py density functions  some of them
    .venv/bin/python tools/mutation.py --all              the reviewed equivalents too

mutmut does the same, but passes over every decorated function (`errstate`, `property`) and
all module-level constants, and leaves a change out only by a comment on its line, with
whatever else that line does. Our list names one change, in words, with its reason.

The tests are collected once. For every mutant a forked child puts the changed code in
the place of the old and runs the tests that pass through the changed statement, the
quickest first, until one fails; the files stay as they are. What survives is printed
and listed in _build/mutation.toml. What no test can notice stands with its reason in
tools/mutation_equivalents.toml. A module whose tests kill less than 90 % of all other
mutants fails the run.
"""

import argparse
import ast
import os
import pickle
import re
import resource
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["BUG_ZOO"] = "1"  # Hypothesis need not look for the smallest example

import coverage  # noqa: E402
import pytest  # noqa: E402

import gmmlib  # noqa: E402

REVIEWED = Path(__file__).with_name("mutation_equivalents.toml")
REPORT = ROOT / "_build" / "mutation.toml"
NUMERICAL = ["numerics", "functions", "engine.sweep", "engine.run", "engine.acceleration"]
NUMERICAL += ["selection." + one for one in ["criteria", "merging", "tasks", "resampling", "table", "uncertainty"]]
NUMERICAL += ["clustering.lloyd", "clustering.nearest", "clustering.seeding"]
GAUSSIAN = ["density", "covariance", "parameters", "points", "forms", "em", "missing", "initialisation"]
NUMERICAL += ["families.gaussian." + one for one in GAUSSIAN]
TESTS = ["density", "em", "kmeans", "laws", "precision", "precision_wide", "reference_fits", "hostile", "contracts"]
TESTS += ["covariance", "selection", "selection_table", "acceleration", "initialisation", "functions"]
TESTS += ["nearest", "missing", "public_cases", "numerics", "parameters", "forms", "sweep", "run", "gaussian_em"]
TESTS += ["lloyd", "seeding"]
# Other processes would run the unchanged files; the rest take long for what they see of a changed line.
LEFT_OUT = ["processes_and_pickles", "without_assertions", "nothing_heavy", "common_checks", "workers", "no_joblib"]
LEFT_OUT += ["integrat", "maximises_the_expected"]
PATIENCE = 5.0, 20  # a test may take this many seconds more, and this many times as long as it did
BUDGET = 8.0  # seconds of tests a mutant has to survive
TARGET = 0.90


class Mutant(NamedTuple):
    """What replaces bytes `start` to `stop` of a module, and the lines of the statement they are in."""

    module: str
    function: str  # qualified name; empty at module level
    lines: tuple
    start: int
    stop: int
    new: str

    def mutate(self, raw):
        return raw[: self.start] + self.new.encode() + raw[self.stop :]

    def key(self, raw):
        """The mutant in words that survive a shift of lines."""
        begin, end = raw.rfind(b"\n", 0, self.start) + 1, raw.find(b"\n", self.stop)
        old, new = raw[begin:end], raw[begin : self.start] + self.new.encode() + raw[self.stop : end]
        return self.module, self.function, *(" ".join(line.decode().split()) for line in (old, new))


# --------------------------------------------------------------- what may go wrong

OPERATORS = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "//", ast.Pow: "*",
    ast.MatMult: "*", ast.BitAnd: "|", ast.BitOr: "&", ast.And: "or", ast.Or: "and",
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
SIGN = re.compile(rb"\*\*|//|<=|>=|==|!=|[-+*/%@&|<>]|\bis\s+not\b|\bnot\s+in\b|\bis\b|\bin\b|\band\b|\bor\b")
NAMES = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax", "argmax": "argmin",
    "all": "any", "any": "all", "zeros": "ones", "ones": "zeros", "ceil": "floor", "floor": "ceil", "sum": "max",
    "log": "log1p", "exp": "expm1", "exp2": "exp", "log2": "log", "sqrt": "square", "greater_equal": "greater",
    "isfinite": "isnan", "isnan": "isfinite",
}  # fmt: skip
NO_OPS = {"abs", "ravel", "copy", "astype", "clip", "float", "int"}  # calls that leave an argument as it is
SYMMETRIC = {
    "min",
    "max",
    "minimum",
    "maximum",
    "multiply",
    "equal",
    "isclose",
    "allclose",
    "swapaxes",
}  # in two arguments
SILENT = {"__all__", "ILL_DEFINED"}  # module-level text


def module_of(file):
    """The name of a file's module below gmmlib."""
    return ".".join(Path(file).relative_to(ROOT / "gmmlib").with_suffix("").parts)


def mutants_of(module):
    """A module's text in bytes, and its mutants in the text's order."""
    raw = ROOT.joinpath("gmmlib", *module.split(".")).with_suffix(".py").read_bytes()
    begins = [0] + [hit.end() for hit in re.finditer(rb"\n", raw)]

    def span(node):
        return begins[node.lineno - 1] + node.col_offset, begins[node.end_lineno - 1] + node.end_col_offset

    def walk(node, function, lines):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".lstrip(".")
            defaults = [] if isinstance(node, ast.ClassDef) else [*node.args.defaults, *node.args.kw_defaults]
            for child in [*filter(None, defaults), *node.body]:
                yield from walk(child, function, (node.body[0].lineno, node.end_lineno))
        elif not is_text(node, function):
            if isinstance(node, ast.stmt):
                last = node.body[0].lineno - 1 if hasattr(node, "body") else node.end_lineno
                lines = node.lineno, max(node.lineno, last)
            for start, stop, new in changes(node, span, raw):
                yield Mutant(module, function, lines, start, stop, new)
            for name, value in ast.iter_fields(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST) and name not in ("annotation", "type"):
                        yield from walk(child, function, lines)

    found = (mutant for node in ast.parse(raw).body for mutant in walk(node, "", (0, 0)))
    return raw, sorted((m for m in found if m.mutate(raw) != raw and compiles(m.mutate(raw))), key=lambda m: m[3:])


def is_text(node, function):
    """Imports, docstrings, error messages, lists of names."""
    if isinstance(node, ast.Assign) and not function:
        return any(isinstance(target, ast.Name) and target.id in SILENT for target in node.targets)
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr)


def compiles(raw):
    try:
        return bool(compile(raw, "mutant", "exec"))
    except SyntaxError:
        return False


def changes(node, span, raw):
    """(start, stop, replacement) for each change to one node of the syntax tree."""
    start, stop = span(node) if hasattr(node, "lineno") else (0, 0)

    def text(part):
        return raw[slice(*span(part))].decode()

    def sign(left, right, operator):
        gap = span(left)[1], span(right)[0]
        hit = SIGN.search(raw, *gap)
        return hit.start(), hit.end(), OPERATORS[type(operator)]

    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield sign(left, right, op)
        case ast.Compare(left=left, ops=ops, comparators=rights):
            yield from (sign(a, b, op) for a, op, b in zip([left, *rights], ops, rights, strict=False))
        case ast.BoolOp(op=op, values=values):
            yield from (sign(a, b, op) for a, b in pairwise(values))
        case ast.AugAssign(target=target, op=op, value=value):
            first, last, new = sign(target, value, op)
            yield first, last, new
            yield first, last + 1, "="
        case ast.UnaryOp(operand=operand):
            yield start, span(operand)[0], ""
        case ast.Constant(value=bool(value)):
            yield start, stop, str(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield start, stop, repr(value + 1 if isinstance(value, int) or value == 0 else 2 * value)
        case ast.Constant(value=str(value)):
            yield start, stop, repr(value + "?")
        case ast.Slice(lower=lower, upper=upper):
            yield from ((*span(bound), "") for bound in (lower, upper) if bound)
        case ast.Tuple(elts=[a, b], ctx=ast.Load()) if not isinstance(a, ast.Constant | ast.UnaryOp):
            yield span(a)[0], span(b)[1], f"{text(b)}, {text(a)}"
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield *span(test), f"(not ({text(test)}))"
        case ast.comprehension(ifs=[test]):
            yield *span(test), "True"
        case ast.Return(value=ast.AST() as value):
            yield *span(value), "None"
        case ast.Attribute(value=value, attr="T"):
            yield span(value)[1], stop, ""
        case ast.Attribute(attr=name) if name in NAMES:
            yield stop - len(name), stop, NAMES[name]
        case ast.Name(id=name) if name in NAMES:
            yield start, stop, NAMES[name]
        case ast.Expr(value=ast.Call()):
            yield start, stop, "pass"
        case ast.Call(func=func, args=args, keywords=keywords):
            name = getattr(func, "attr", getattr(func, "id", ""))
            if len(args) > 1 and name not in SYMMETRIC and not any(isinstance(a, ast.Starred) for a in args):
                yield span(args[0])[0], span(args[1])[1], f"{text(args[1])}, {text(args[0])}"
            for keyword in keywords:
                last = span(keyword)[1]
                yield span(keyword)[0], last + (raw[last : last + 1] == b","), ""
            if name in NO_OPS:
                method = isinstance(func, ast.Attribute) and text(func.value) != "np"
                yield start, stop, text(func.value if method else args[0])


# ------------------------------------------------------------------ running mutants


def install(mutant, raw):
    """Let the loaded library compute what the changed text says."""
    module = sys.modules[f"gmmlib.{mutant.module}"]
    changed = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(mutant.mutate(raw), module.__file__, "exec"), changed)
    if mutant.function:
        old, new = (function_in(space, mutant.function) for space in (vars(module), changed))
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
        return
    for name in [n for n, v in changed.items() if not callable(v) and not n.startswith("__")]:
        for other in [m for n, m in sys.modules.items() if n.startswith("gmmlib.") and name in vars(m)]:
            setattr(other, name, changed[name])


def function_in(space, name):
    """The outermost function on the way to a qualified name, without its decorators."""
    for part in name.split("."):
        found = space[part]
        if isinstance(found, type):
            space = vars(found)
            continue
        found = getattr(found, "fget", None) or found
        return getattr(found, "__wrapped__", None) or getattr(found, "__func__", found)
    raise LookupError(f"{name} is not a function")


class Judge:
    """A pytest plugin: runs mutants where pytest would run tests."""

    def __init__(self, modules, known):
        self.modules, self.known, self.failed = modules, known, None
        self.verdicts, self.killers = [], defaultdict(Counter)

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if not any(words in item.nodeid for words in LEFT_OUT)]

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed, self.why = report.nodeid, report.longreprtext

    def pytest_runtestloop(self, session):
        self.items = {item.nodeid: item for item in session.items}
        self.seconds, self.tests_of = pickle.loads(self.in_child(self.rehearse))
        print(f"{len(self.items)} tests, {sum(self.seconds.values()):.0f} s", flush=True)
        for module in self.modules:
            begin, (raw, mutants) = time.perf_counter(), mutants_of(module)
            for mutant in mutants:
                key = mutant.key(raw)
                if key not in self.known:
                    self.verdicts.append((key, *self.judge(mutant, raw)))
                    if self.verdicts[-1][1] == "survived":
                        print(f"{module}.{mutant.function}: {key[2]}  ->  {key[3]}", flush=True)
            counts = Counter(verdict for key, verdict, _ in self.verdicts if key[0] == module)
            print(f"{module:14} {dict(counts)} {time.perf_counter() - begin:.0f} s", flush=True)
        return True

    def run(self, name):
        item = self.items[name]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)

    def rehearse(self):
        """Run every test once: how long it takes, and which lines it passes through."""
        watch, times = coverage.Coverage(data_file=None, source_pkgs=["gmmlib"]), {}
        watch.start()
        for name in self.items:
            watch.switch_context(name)
            begin = time.process_time()
            self.run(name)
            times[name] = time.process_time() - begin
            if self.failed:
                raise RuntimeError(f"{self.failed} fails without any change:\n{self.why}")
        watch.stop()
        data = watch.get_data()
        lines = {module_of(file): data.contexts_by_lineno(file) for file in data.measured_files()}
        return pickle.dumps((times, lines))

    def judge(self, mutant, raw):
        """What the tests said ("killed", "in time", "survived"), and how many were asked."""
        lines = self.tests_of.get(mutant.module, {})
        first, last = mutant.lines
        seen = {test for line in range(first, last + 1) for test in lines.get(line, ()) if test in self.items}
        if not mutant.function:
            seen = set(self.items)
        before = self.killers[mutant.module, mutant.function]
        order = sorted(self.chosen(seen, mutant.module), key=lambda test: -before[test])
        answer = self.in_child(lambda: self.hunt(mutant, raw, order))
        if answer is None:
            return "killed by the clock", len(order)
        if answer:
            before[answer.decode()] += 1
            return "killed", len(order)
        return "survived", len(order)

    def chosen(self, tests, module):
        """Tests that fit into the budget: the module's own, then the quickest case of every other, and so on."""
        cases = defaultdict(list)
        for test in sorted(tests, key=self.seconds.get):
            cases[test.partition("[")[0]].append(test)
        turns = [
            (-1 if f"test_{module.rpartition('.')[2]}.py" in test else turn, self.seconds[test], test)
            for some in cases.values()
            for turn, test in enumerate(some)
        ]
        spent = 0.0
        for _, seconds, test in sorted(turns):
            if spent + seconds <= BUDGET:
                spent += seconds
                yield test

    def hunt(self, mutant, raw, order):
        """The first test that fails; empty if none does."""
        try:
            install(mutant, raw)
        except Exception:
            return b"import"
        for name in order:
            signal.setitimer(signal.ITIMER_PROF, PATIENCE[0] + PATIENCE[1] * self.seconds[name])
            self.run(name)
            if self.failed:
                return self.failed.encode()
        return b""

    def in_child(self, work):
        """What `work` returns in a forked process; None if the process was ended by a signal."""
        out, into = os.pipe()
        child = os.fork()
        if not child:
            code = 1
            try:
                if os.environ.get("MUTATION_SHOW") is None:
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, 1), os.dup2(nowhere, 2)
                resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30,) * 2)
                with os.fdopen(into, "wb") as pipe:
                    try:
                        answer, code = work(), 0
                    except Exception as err:
                        answer = str(err).encode()
                    pipe.write(answer)
            finally:
                os._exit(code)
        os.close(into)
        with os.fdopen(out, "rb") as pipe:
            answer = pipe.read()
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            pytest.exit(answer.decode() or "a child process failed; MUTATION_SHOW=1 shows why", returncode=1)
        return answer if os.WIFEXITED(status) else None


# ------------------------------------------------------------------------ the report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="module", help="by its name without folders")
    parser.add_argument("--all", action="store_true", help="run the reviewed equivalents too; none may be killed")
    options = parser.parse_args()
    if not Path(gmmlib.__file__).is_relative_to(ROOT):
        sys.exit(f"The tests would judge {gmmlib.__file__} instead of {ROOT / 'gmmlib'}")
    short = {module.rpartition(".")[2]: module for module in NUMERICAL}
    if unknown := set(options.modules) - short.keys():
        sys.exit(f"There is no module {', '.join(sorted(unknown))}; there are: {', '.join(short)}")
    modules = [short[name] for name in options.modules] or NUMERICAL
    entries = tomllib.loads(REVIEWED.read_text(encoding="utf-8"))["equivalent"]
    reviewed = {(e["module"], e["function"], e["old"], e["new"]): e["reason"] for e in entries}
    judge = Judge(modules, {} if options.all else reviewed)
    files = [path for name in TESTS if (path := ROOT / "tests" / "gmmlib" / f"test_{name}.py").exists()]
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    code = pytest.main(["-q", "-q", "-s", *plugins, "-c", str(ROOT / "pyproject.toml"), *map(str, files)], [judge])
    if code:
        sys.exit(f"pytest stopped with code {int(code)}")
    sys.exit(report(judge.verdicts, reviewed, modules))


def report(verdicts, reviewed, modules):
    """Print and write what survived; 1 if a module falls short or the reviewed list is out of date."""
    survivors = [(key, asked) for key, verdict, asked in verdicts if verdict == "survived" and key not in reviewed]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(as_toml(*survivor) for survivor in survivors), encoding="utf-8")
    failed = False
    print(f"\n{'module':14} mutants  killed  equivalent  survivors  score")
    for module in modules:
        mine = [verdict for key, verdict, _ in verdicts if key[0] == module and key not in reviewed]
        killed = len(mine) - mine.count("survived")
        equivalent = len({key for key in reviewed if key[0] == module})
        score = killed / max(len(mine), 1)
        failed |= score < TARGET
        counts = f"{len(mine) + equivalent:7} {killed:7} {equivalent:11} {len(mine) - killed:10} {score:6.1%}"
        print(f"{module:14} {counts}{'' if score >= TARGET else f'  below {TARGET:.0%}'}")
    for (module, function, old, new), asked in survivors:
        print(f"\n{module}.{function or '(module)'} survived {asked} tests\n  - {old}\n  + {new}")
    present = {mutant.key(raw) for module in modules for raw, mutants in [mutants_of(module)] for mutant in mutants}
    gone = {key for key in reviewed if key[0] in modules} - present
    noticed = {key for key, verdict, _ in verdicts if key in reviewed and verdict != "survived"}
    for key, what in [(k, "is no mutant of the present text") for k in gone] + [(k, "is noticed") for k in noticed]:
        print(f"\n{REVIEWED.name}: this entry {what}; remove it or bring it up to date\n  {key}")
    return int(failed or bool(gone or noticed))


def as_toml(key, asked):
    names = ("module", "function", "old", "new", "reason")
    lines = [f"{name} = {literal(value)}" for name, value in zip(names, (*key, ""), strict=True)]
    return "\n".join(["[[equivalent]]", *lines, ""])


def literal(text):
    return f"'{text}'" if "'" not in text else f'"{text}"' if '"' not in text else f"'''{text}'''"


if __name__ == "__main__":
    main()
