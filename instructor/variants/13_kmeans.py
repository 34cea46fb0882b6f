"""Chapter 13: exercise 1 has four other points.

The page's seed is one with which 3000 draws come within its tolerances. Any seed must do here: more draws, and a
tolerance of six standard errors, which the page states; the hidden tests keep the page's own.
"""

import math

MOVED = ()


def vary(rng):
    start, u, v = int(rng.integers(0, 6)), int(rng.choice([4, 5, 6])), int(rng.choice([1, 2]))
    far = int(rng.integers(10, 15))
    points = [start, start + u, start + u + v, start + u + far]
    chances = [u * u, v * v, far * far]
    prices = [v * v + far * far, u * u + (far - v) ** 2, u * u + v * v]
    total = sum(chances)
    expected = sum(c * p for c, p in zip(chances, prices, strict=True)) / total
    spread = math.sqrt(sum(c * (p - expected) ** 2 for c, p in zip(chances, prices, strict=True)) / total)
    chance = chances[2] / total
    draws = 2000  # of 8000, every fourth begins at the second point
    loose = math.ceil(600 * math.sqrt(chance * (1 - chance) / draws)) / 100
    rough = math.ceil(6 * spread / math.sqrt(draws))
    a, b, c, d = points
    return {
        "ex1": [
            ("at 0, 2, 3 and 10.", f"at {a}, {b}, {c} and {d}."),
            ("drawn the point at **2** as", f"drawn the point at **{b}** as"),
            (
                "the second centre is the point at 10. The check allows 0.01.",
                f"the second centre is the point at {d}. The check that you see allows {loose}, the grading 0.01.",
            ),
            ("The check allows 0.1.", f"The check that you see allows {rough}, the grading 0.1."),
            ("if the second centre is 10.", f"if the second centre is {d}."),
            (
                "chance = 64 / (4 + 1 + 64)  # squared distances from 2: 4, 0, 1, 64",
                f"chance = {far**2} / {total}  # squared distances from {b}: {u * u}, 0, {v * v}, {far**2}",
            ),
            (
                "# With 0: points 3 and 10 pay 1 + 64; with 3: 4 + 49; with 10: 4 + 1.",
                f"# With {a}: {prices[0]}; with {c}: {prices[1]}; with {d}: {prices[2]}.",
            ),
            (
                "(4 * (1 + 64) + 1 * (4 + 49) + 64 * (4 + 1)) / 69",
                f"({chances[0]} * {prices[0]} + {chances[1]} * {prices[1]} + {chances[2]} * {prices[2]}) / {total}",
            ),
            (
                "3 * (2 - 5 / 3) ** 2  # three points, their mean is 5/3",
                f"3 * ({b} - {a + b + c} / 3) ** 2  # three points, their mean is {a + b + c}/3",
            ),
            ("[[0.0], [2.0], [3.0], [10.0]]", f"[[{a}.0], [{b}.0], [{c}.0], [{d}.0]]"),
            ("range(3000)", "range(8000)"),
            ("two[0, 0] == 2]  # the first was 2", f"two[0, 0] == {b}]  # the first was {b}"),
            ("two[1, 0] == 10 for", f"two[1, 0] == {d} for"),
            ("abs(chance - often) < 0.01", f"abs(chance - often) < {loose}"),
            ("np.mean(prices)) < 0.1", f"np.mean(prices)) < {rough}"),
            ("lloyd(line, [[2.0], [10.0]])", f"lloyd(line, [[{b}.0], [{d}.0]])"),
            ("chance - 64 / 69)", f"chance - {far**2} / {total})"),
            (
                "expected - 633 / 69)",
                f"expected - {sum(x * y for x, y in zip(chances, prices, strict=True))} / {total})",
            ),
            ("drop - 1 / 3)", f"drop - {(u - v) ** 2} / 3)"),
        ]
    }
