"""Chapter 4: exercise 1 has stones elsewhere, and another number of votes for the first."""

MOVED = ()
WORDS = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}


def vary(rng):
    votes = int(rng.integers(3, 7))
    a = int(rng.choice([2, 4, 5, 6, 7, 8, 9]))
    n = votes + 2
    word, all_votes = WORDS[votes], WORDS[n]
    return {
        "ex1": [
            ("Three stones, four votes", f"Three stones, {all_votes} votes"),
            ("at $(0, 0)$, $(3, 0)$ and $(0, 3)$", f"at $(0, 0)$, $({a}, 0)$ and $(0, {a})$"),
            ("The first has two votes", f"The first has {word} votes"),
            ("mean_x = 3 / 4", f"mean_x = {a} / {n}"),
            (
                "variance = (2 * (3 / 4) ** 2 + (9 / 4) ** 2 + (3 / 4) ** 2) / 4",
                f"variance = (({n} - 1) * ({a} / {n}) ** 2 + ({a} - {a} / {n}) ** 2) / {n}",
            ),
            (
                "covariance = (2 * (3 / 4) ** 2 - 2 * (9 / 4) * (3 / 4)) / 4",
                f"covariance = ({votes} * ({a} / {n}) ** 2 - 2 * ({a} - {a} / {n}) * ({a} / {n})) / {n}",
            ),
            (
                "[1 - 1 / 3, 1 + 1 / 3])  # correlation -1/3",
                f"[1 - 1 / {n - 1}, 1 + 1 / {n - 1}])  # correlation -1/{n - 1}",
            ),
            ("[(0, 0), (0, 0), (3, 0), (0, 3)]", f"[(0, 0)] * {votes} + [({a}, 0), (0, {a})]"),
            ("near(mean_x, 1)", f"near(mean_x, {a} / 3)"),
            ('the first has two"', f'the first has {word}"'),
            ("is not the average of four votes", f"is not the average of {all_votes} votes"),
            ("near(variance, 2)", f"near(variance, 2 * {a}**2 / 9)"),
            ("around the mean, over four votes", f"around the mean, over {all_votes} votes"),
            ("two deviations, over four votes", f"two deviations, over {all_votes} votes"),
            ("4 * (best - plain)", f"{n} * (best - plain)"),
            (
                'lost by all four votes together; each loses a "\n    "quarter of it',
                f'lost by all {all_votes} votes together; "\n    "each loses its part of it',
            ),
            ("densities of the four votes", f"densities of the {all_votes} votes"),
            ("agree with four votes,", f"agree with {all_votes} votes,"),
            ("[[0.0, 0], [3, 0], [0, 3]]", f"[[0.0, 0], [{a}, 0], [0, {a}]]"),
            ("fit_gaussian(stones, [2, 1, 1])", f"fit_gaussian(stones, [{votes}, 1, 1])"),
            ("1 - 1 / 9)", f"1 - 1 / {(n - 1) ** 2})"),
        ]
    }
