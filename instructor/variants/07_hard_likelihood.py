"""Chapter 7: exercise 1 counts other labellings and numberings, and has another bend and another needle."""

import math

MOVED = ()
WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}


def vary(rng):
    n, K = (int(x) for x in rng.choice([(6, 2), (7, 2), (4, 3), (6, 3), (7, 3), (5, 4), (6, 4)]))
    parts, equal = (int(x) for x in rng.choice([(5, 2), (6, 2), (5, 3), (6, 3), (6, 4)]))
    others = parts - equal
    a = float(rng.choice([1.1, 1.3, 1.4, 1.5, 1.6, 1.8]))
    sd, gain = float(rng.choice([0.002, 0.003, 0.004, 0.005])), int(rng.choice([6, 7, 8, 9, 11, 12]))
    ways = math.factorial(parts) // math.factorial(equal)
    twins = ", ".join(['"twin"'] * equal + [f'"other {k}"' for k in range(others)])
    return {
        "ex1": [
            (
                "likelihood of 5 unlabelled points under 3 components",
                f"likelihood of {n} unlabelled points under {K} components",
            ),
            ("a mixture of 4 components has two that", f"a mixture of {parts} components has {WORDS[equal]} that"),
            ("and two others that differ", f"and {WORDS[others]} others that differ"),
            (r"$\pm1.2$", rf"$\pm{a}$"),
            ("standard deviation 0.001 sits", f"standard deviation {sd} sits"),
            ("to add 10 to the log-likelihood", f"to add {gain} to the log-likelihood"),
            ("terms = 3**5", f"terms = {K}**{n}"),
            ("copies = 24 // 2", f"copies = {math.factorial(parts)} // {math.factorial(equal)}"),
            ("bend = 2 * (1.2**2 - 1)", f"bend = 2 * ({a}**2 - 1)"),
            ("width = 0.001 * np.exp(-10)", f"width = {sd} * np.exp(-{gain})"),
            ("product(range(3), repeat=5)", f"product(range({K}), repeat={n})"),
            ("terms != 5**3", f"terms != {n}**{K}"),
            ("five points choose among three components", f"{WORDS[n]} points choose among {WORDS[K]} components"),
            ("terms != 15", f"terms != {n * K}"),
            ("to take one of three for each point", f"to take one of {WORDS[K]} for each point"),
            ('["twin", "twin", "other", "third"]', f"[{twins}]"),
            ("copies != 24", f"copies != {math.factorial(parts)}"),
            (
                "this counts twice what exchanging the twins does not",
                "this counts again what exchanging equal ones does not",
            ),
            ("[-1.2, 1.2]", f"[-{a}, {a}]"),
            ("np.log(0.001)", f"np.log({sd})"),
            ("np.log10(0.001 / width) - 10)", f"np.log10({sd} / width) - {gain})"),
            ("abs(gain - 10)", f"abs(gain - {gain})"),
            ("more, and not 10", f"more, and not {gain}"),
            ("terms == 243 and copies == 12", f"terms == {K**n} and copies == {ways}"),
            ("bend - 0.88", f"bend - {2 * (a * a - 1):.6f}"),
            ("width / 4.54e-8", f"width / {sd * math.exp(-gain):.4e}"),
        ]
    }
