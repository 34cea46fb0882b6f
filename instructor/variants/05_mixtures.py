"""Chapter 5: exercise 1 has other trams, and a city with more lines."""

MOVED = ()
LINES = {4: "four", 5: "five", 6: "six", 7: "seven"}


def trams():
    """(weight of the express, its mean and sd, the local's), no answer near one that a check takes for a slip."""
    for w in (0.2, 0.3, 0.35, 0.4):
        for m1 in (3, 5, 6):
            for m2 in (13, 14, 15, 16):
                for s1, s2 in ((1, 3), (2, 3), (1.5, 2.5), (2, 1)):
                    spread = w * w * s1 * s1 + (1 - w) ** 2 * s2 * s2
                    mean = w * m1 + (1 - w) * m2
                    if abs(spread**0.5 - spread) > 0.1 and abs(mean - 10) > 0.1 and abs(spread - 2.3125) > 0.3:
                        yield w, m1, s1, m2, s2


def vary(rng):
    every = list(trams())
    w, m1, s1, m2, s2 = every[int(rng.integers(len(every)))]
    v, lines = round(1 - w, 2), int(rng.integers(4, 8))
    mean = w * m1 + v * m2
    square = w * s1 * s1 + v * s2 * s2 + w * (m1 - mean) ** 2 + v * (m2 - mean) ** 2
    average = w * w * s1 * s1 + v * v * s2 * s2
    return {
        "ex1": [
            ("needs 4 minutes, give or take 1,", f"needs {m1} minutes, give or take {s1:g},"),
            ("the local 12 minutes, give or take 2;", f"the local {m2} minutes, give or take {s2:g};"),
            (
                "express with probability 0.25, the local with probability 0.75",
                f"express with probability {w}, the local with probability {v}",
            ),
            (r"$0.25\,X_1 + 0.75\,X_2$", rf"${w}\,X_1 + {v}\,X_2$"),
            ("a larger city has three lines", f"a larger city has {LINES[lines]} lines"),
            ("mean = 0.25 * 4 + 0.75 * 12", f"mean = {w} * {m1} + {v} * {m2}"),
            ("within = 0.25 * 1**2 + 0.75 * 2**2", f"within = {w} * {s1:g}**2 + {v} * {s2:g}**2"),
            (
                "0.25 * (4 - mean) ** 2 + 0.75 * (12 - mean) ** 2",
                f"{w} * ({m1} - mean) ** 2 + {v} * ({m2} - mean) ** 2",
            ),
            ("(0.25**2 * 1**2 + 0.75**2 * 2**2)", f"({w}**2 * {s1:g}**2 + {v}**2 * {s2:g}**2)"),
            ("numbers = 2 + 3 * 2 + 3 * 3", f"numbers = {lines - 1} + {lines} * 2 + {lines} * 3"),
            (
                "[0.25, 0.75], [[4.0], [12.0]], [[[1.0]], [[4.0]]]",
                f"[{w}, {v}], [[{m1}.0], [{m2}.0]], [[[{s1 * s1:.2f}]], [[{s2 * s2:.2f}]]]",
            ),
            ("rng.normal([4.0, 12.0], [1.0, 2.0],", f"rng.normal([{m1}.0, {m2}.0], [{s1:.1f}, {s2:.1f}],"),
            ("both @ [0.25, 0.75]", f"both @ [{w}, {v}]"),
            ("n_parameters(3, 2)", f"n_parameters({lines}, 2)"),
            ("abs(mean - 10) < 0.02", f"abs(mean - {mean:.6f}) < 0.02"),
            ("15.25**0.5", f"{square:.6f}**0.5"),
            ("2.3125**0.5", f"{average:.6f}**0.5"),
            ("numbers == 17", f"numbers == {6 * lines - 1}"),
        ]
    }
