"""From results.json to the page: results.md and the figures, and nothing else.

A row has `data`, N, D, K, `kind`, and for every library a list, one entry a round:
`wall` and `cpu` (seconds), `n_iter` and `quality` of whole fits.
"""

import json
from math import exp, floor, fsum, log, log10, sqrt
from pathlib import Path
from statistics import median, quantiles, stdev

from peers import OURS, PEERS

HERE = Path(__file__).resolve().parent
TITLES = {"em": "EM", "kmeans": "k-means"}
SECTIONS = {"fits": "Whole fits", "iterations": "Equal work"}
SKLEARN = "scikit-learn"
FEWEST = 5  # seeds, before an answer is called better or worse
TOL = {"em": 1e-3, "kmeans": 1e-2}  # nats per row, the default of both; percent of the inertia


def paired(row, name, clock="wall"):
    """Time of a peer over gmmlib's, round by round."""
    return [theirs / ours for theirs, ours in zip(row[clock][name], row[clock][OURS], strict=True)]


def ratio(row, name, clock="wall"):
    """Median of the rounds."""
    return median(paired(row, name, clock))


def spread(row, name):
    """Lower and upper quartile of the rounds."""
    found = paired(row, name)
    low, _, high = quantiles(found, n=4, method="inclusive") if len(found) > 1 else found * 3
    return low, high


def geometric_mean(ratios):
    return exp(fsum(log(r) for r in ratios) / len(ratios))


def mean(values):
    return fsum(values) / len(values)


def standard_error(values):
    return stdev(values) / sqrt(len(values)) if len(values) > 1 else 0.0


def gain(row, task, name=SKLEARN):
    """How much better gmmlib's fits are on average, and the standard error of that.

    EM: nats of log-likelihood a row. k-means: percent of the inertia.
    """
    ours, theirs = row["quality"][OURS], row["quality"][name]
    sign = 1 if task == "em" else -100 / mean(theirs)
    error = sqrt(standard_error(ours) ** 2 + standard_error(theirs) ** 2)
    return sign * (mean(ours) - mean(theirs)), abs(sign) * error


def verdict(row, task):
    """Whether gmmlib's fits are better, worse or equal: beyond two standard errors, and what `tol` leaves open."""
    if len(row["quality"][OURS]) < FEWEST:
        return "unknown"
    difference, error = gain(row, task)
    if abs(difference) <= max(2 * error, TOL[task]):
        return "equal"
    return "better" if difference > 0 else "worse"


# ---------------------------------------------------------------------- words


def in_order(found):
    """A dict by library, in the order of PEERS."""
    return {name: found[name] for name in PEERS if name in found}


def libraries(rows):
    """Names in the order of PEERS, of those that did any of the rows."""
    return list(in_order({name: True for row in rows for name in row["wall"]}))


def thousands(N):
    """1000000 as 1 000 000, with thin spaces that do not break."""
    return f"{N:,}".replace(",", "\u202f")


def number(value, digits=3):
    """Three digits, never in powers of ten."""
    if value and abs(value) < 1:
        return f"{value:.{digits}g}" if abs(value) >= 1e-4 else f"{value:.{digits + 3}f}"
    return f"{value:.{max(0, digits - len(f'{abs(value):.0f}'))}f}"


def uncertain(values):
    """A mean and in brackets its standard error, both to the error's second digit."""
    middle, error = mean(values), standard_error(values)
    if error < 1e-5 * abs(middle):
        return f"{middle:.4f}" if abs(middle) < 1000 else thousands(round(middle))
    places = max(0, 1 - floor(log10(error)))
    if abs(middle) >= 10_000:
        return f"{thousands(round(middle))} ({thousands(round(error))})"
    return f"{middle:.{places}f} ({error:.{places}f})"


def label(row):
    kind = "" if row["kind"] in ("full", "k-means") else f", {row['kind']}"
    return f"{row['data']}, {thousands(row['N'])} × {row['D']}, K = {row['K']}{kind}"


def markdown(head, lines):
    return [f"| {' | '.join(line)} |" for line in [head, ["---"] + ["---:"] * (len(head) - 1), *lines]]


def fits_table(rows, task):
    head = ["data", "scikit-learn, s", "gmmlib, s", "ratio (quartiles)", "CPU ratio", "seeds"]
    quality = "log-likelihood per row" if task == "em" else "inertia"
    head += [f"{quality}: scikit-learn", "gmmlib", "gmmlib is"]
    lines = []
    for row in rows:
        low, high = spread(row, SKLEARN)
        times = [number(median(row["wall"][name])) for name in (SKLEARN, OURS)]
        answers = [uncertain(row["quality"][name]) for name in (SKLEARN, OURS)]
        cells = [label(row), *times, f"**{ratio(row, SKLEARN):.2f}** ({low:.2f} to {high:.2f})"]
        lines.append([*cells, f"{ratio(row, SKLEARN, 'cpu'):.2f}", str(len(row["wall"][OURS])), *answers,
                      verdict(row, task)])  # fmt: skip
    return markdown(head, lines)


def iterations_table(rows):
    """Milliseconds an iteration, in brackets the ratio; last the geometric means and the worst rows."""
    names = libraries(rows)
    lines = []
    for row in rows:
        cells = [label(row), str(row["n_iter"])]
        for name in names:
            if name not in row["wall"]:
                cells.append("–")
                continue
            more = "" if name == OURS else f" ({ratio(row, name):.2f})"
            cells.append(number(1e3 * median(row["wall"][name]) / row["n_iter"]) + more)
        lines.append(cells)
    for what, summary in (("geometric mean", geometric_mean), ("worst", min)):
        found = {n: [ratio(row, n) for row in rows if n in row["wall"]] for n in names if n != OURS}
        lines.append([what, "", *(f"**({summary(found[n]):.2f})**" if n in found else "" for n in names)])
    return markdown(["data", "iterations", *names], lines)


def in_a_list(rows, value):
    return "; ".join(f"{label(row)} ({value(row)})" for row in rows)


def summary(rows, task, section, threads):
    """Sentences: how fast on the whole, where slower, and where the answers differ."""
    rows = [row for row in rows if SKLEARN in row["wall"]]
    found = [ratio(row, SKLEARN) for row in rows]
    worst = rows[found.index(min(found))]
    said = [
        f"{TITLES[task]}: scikit-learn takes {geometric_mean(found):.2f} times as long as gmmlib, "
        f"as a geometric mean of {len(rows)} rows, by the processor's time "
        f"{geometric_mean([ratio(row, SKLEARN, 'cpu') for row in rows]):.2f} times; "
        f"at worst {min(found):.2f} times ({label(worst)})."
    ]
    slower = [row for row, r in zip(rows, found, strict=True) if r < 1]
    if slower:
        said.append(f"gmmlib is slower on {in_a_list(slower, lambda row: f'{ratio(row, SKLEARN):.2f}')}.")
    else:
        said.append("gmmlib is slower nowhere.")
    if section == "fits":
        unit = "nats per row" if task == "em" else "%"
        if any(verdict(row, task) == "unknown" for row in rows):
            return "\n".join([*said, f"Of fewer than {FEWEST} seeds no answer is called better or worse."])
        for word in ("better", "worse"):
            differ = [row for row in rows if verdict(row, task) == word]
            if differ:
                differences = in_a_list(differ, lambda row: f"{abs(gain(row, task)[0]):.2g} {unit}")
                said.append(f"Its answers are {word} on {differences}.")
            else:
                said.append(f"Its answers are {word} nowhere.")
    return "\n".join(said)


def report(results):
    """The page's generated part, from results.json alone."""
    about, versions = results["machine"], results["versions"]
    lines = [
        "<!-- Made by `make bench` from results.json. -->",
        "",
        f"Measured on {about['processor']}, {about['cores']} cores, with "
        f"{', '.join(f'{name} {version}' for name, version in (about['packages'] | in_order(versions)).items())}.",
    ]
    for section, threads, task, rows in parts(results):
        what = f"{SECTIONS[section]}: {TITLES[task]}, {threads} thread{'' if threads == '1' else 's'}"
        lines += ["", f"## {what}", "", summary(rows, task, section, threads), ""]
        if threads == "1":
            lines += [f"![{alt(rows, what)}]({section}-{task}.svg)", ""]
        if section == "fits":
            lines += fits_table(rows, task)
        else:
            lines += ["Milliseconds per iteration; in brackets the ratio to gmmlib.", "", *iterations_table(rows)]
    notes = [f"- **{name}**: {PEERS[name].note}" for name in in_order(versions) if PEERS[name].note]
    if notes:
        lines += ["", "## What each peer does", "", *notes]
    if "memory" in results:
        lines += ["", "## Memory of one fit, beside the data", "", "With D = 8 and K = 16.", ""]
        lines += memory_table(results["memory"])
    if "import" in results:
        lines += ["", "## Time of an import", "", "| statement | seconds |", "|---|---:|"]
        lines += [f"| `import {r['import']}` | {r['seconds']:.2f} |" for r in results["import"]]
    return "\n".join(lines) + "\n"


def parts(results):
    """(section, threads, task, rows), whole fits with one thread first."""
    return [
        (section, threads, task, found[section][task])
        for section in SECTIONS
        for threads, found in results["threads"].items()
        for task in TITLES
        if found.get(section, {}).get(task)
    ]


def memory_table(rows):
    names = list(dict.fromkeys(row["library"] for row in rows))
    fits = list(dict.fromkeys((row["task"], row["N"], row["mapped"]) for row in rows))
    lines = []
    for task, N, mapped in fits:
        extra = {r["library"]: r["extra_MB"] for r in rows if (r["task"], r["N"], r["mapped"]) == (task, N, mapped)}
        what = f"{'EM, full' if task == 'em' else 'k-means'}, N = {thousands(N)}"
        lines.append([what + (", a file mapped into memory" if mapped else ""), *(number(extra[n]) for n in names)])
    return markdown(["fit", *(f"{name}, MB" for name in names)], lines)


# -------------------------------------------------------------------- figures


def draw(rows, section, task):
    """One row a workload: left the ratio of times on a log scale, right, for whole fits, the gain in quality."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    from gmmlib.plotting import COLORS, MARKERS, use_style

    use_style()
    whole = section == "fits"
    size = (7, 1.6 + 0.4 * len(rows))
    fig, axes = plt.subplots(1, 2 if whole else 1, figsize=size, sharey=True, squeeze=False)
    ax = axes[0, 0]
    for name in libraries(rows):
        if name == OURS:
            continue
        look = list(PEERS).index(name) - 1  # the same in every figure
        places = [i for i, row in enumerate(rows) if name in row["wall"]]
        if whole or len(libraries(rows)) == 2:  # with more peers the bars would hide each other
            for i in places:
                ax.plot(spread(rows[i], name), [i, i], color=COLORS[look], lw=3, alpha=0.5)
        found = [ratio(rows[i], name) for i in places]
        ax.plot(found, places, MARKERS[look], color=COLORS[look], ms=8, label=name, alpha=0.9)
    ax.axvline(1, color="black", lw=1.5)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.4), max(high, 2.5))
    ax.xaxis.set_major_locator(plt.LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(range(len(rows)), [label(row) for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel("ratio of times\n(> 1: gmmlib faster)")
    ax.grid(axis="both", color="0.9")
    if whole:
        differences, errors = zip(*(gain(row, task) for row in rows), strict=True)
        twice = [2 * error for error in errors]
        axes[0, 1].errorbar(differences, range(len(rows)), xerr=twice, fmt="D", color=COLORS[2], ms=6, lw=3)
        axes[0, 1].axvline(0, color="black", lw=1.5)
        reach = max(0.01, *(abs(d) + t for d, t in zip(differences, twice, strict=True)))
        axes[0, 1].set_xlim(-1.1 * reach, 1.1 * reach)
        axes[0, 1].set_xlabel(f"gain, {'nats' if task == 'em' else '%'}\n(> 0: better)")
        axes[0, 1].grid(axis="both", color="0.9")
    else:
        fig.legend(loc="outside lower center", ncols=3)
    return fig


def alt(rows, title):
    """What the figure shows, in a sentence with its numbers."""
    said = []
    for name in libraries(rows):
        if name != OURS:
            found = [ratio(row, name) for row in rows if name in row["wall"]]
            said.append(f"{name} from {min(found):.2f} to {max(found):.2f}")
    return f"Times of peers over those of gmmlib, {len(rows)} rows of {title}, log scale: {'; '.join(said)}."


def pictures(results):
    """{file name: (rows, section, task)} of every figure the page shows."""
    return {
        f"{section}-{task}.svg": (rows, section, task)
        for section, threads, task, rows in parts(results)
        if threads == "1"
    }


def write(results):
    """results.json, and from it results.md and the figures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"  # the same file from the same numbers
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "results.md").write_text(report(results))
    for old in HERE.glob("*.svg"):
        old.unlink()
    for name, shown in pictures(results).items():
        figure = draw(*shown)
        figure.savefig(HERE / name, metadata={"Date": None})
        plt.close(figure)
