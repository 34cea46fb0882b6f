"""Chapter 9: exercise 1 (the M-step on paper) has other waits; 5 and 6 are judged on other data."""

MOVED = ("ex5", "ex6")


def vary(rng):
    a = int(rng.integers(44, 54))
    b, c, d = a + int(rng.integers(3, 8)), a + int(rng.integers(9, 15)), a + int(rng.integers(24, 36))
    old = a + 1 if (a + b + c / 2) / 2.5 > a + 2 else a + 4  # away from the new mean
    squares_1 = f"({a} - mean_1) ** 2 + ({b} - mean_1) ** 2 + ({c} - mean_1) ** 2 / 2"
    return {
        "ex1": [
            ("| 50 | 55 | 60 | 80 |", f"| {a} | {b} | {c} | {d} |"),
            ("component 1 was 52 minutes", f"component 1 was {old} minutes"),
            ("mean_1 = (50 + 55 + 60 / 2) / 2.5", f"mean_1 = ({a} + {b} + {c} / 2) / 2.5"),
            ("variance_1 = (4**2 + 1**2 + 6**2 / 2) / 2.5", f"variance_1 = ({squares_1}) / 2.5"),
            ("mean_2 = (60 / 2 + 80) / 1.5", f"mean_2 = ({c} / 2 + {d}) / 1.5"),
            ("(60 - mean_2) ** 2 / 2 + (80 - mean_2) ** 2", f"({c} - mean_2) ** 2 / 2 + ({d} - mean_2) ** 2"),
            ("(4**2 + 1**2 + 6**2 / 2 + squares_2) / 4", f"({squares_1} + squares_2) / 4"),
            ("np.array([50.0, 55.0, 60.0, 80.0])", f"np.array([{a}.0, {b}.0, {c}.0, {d}.0])"),
            ("assert 50 <= mean_1 <= 60", f"assert {a} <= mean_1 <= {c}"),
            ("the wait of 80", f"the wait of {d}"),
            ("between 50 and 60", f"between {a} and {c}"),
            ("(four - 52)", f"(four - {old})"),
            ("the old mean, 52", f"the old mean, {old}"),
        ]
    }
