"""Chapter 2: exercise 1 has four other buses and another bell."""

import math

MOVED = ()


def vary(rng):
    p, q = (int(n) for n in rng.choice([(3, 2), (5, 1), (5, 2), (5, 3), (6, 1), (6, 2), (6, 4), (7, 3)]))
    mean = int(rng.integers(16, 31))
    sd = int(rng.choice([3, 4]))
    gap = int(rng.choice([1, 2, 3]))
    bell, late = mean - gap, [mean - p, mean - q, mean + q, mean + p]
    steps = [x - bell for x in late]
    squares = 2 * p * p + 2 * q * q
    best = math.sqrt(squares / 4)
    return {
        "ex1": [
            ("late by 10, 13, 15 and 18 minutes", "late by {}, {}, {} and {} minutes".format(*late)),
            ("mean 12 and standard deviation 2,", f"mean {bell} and standard deviation {sd},"),
            ("at mean 12, sd 2;", f"at mean {bell}, sd {sd};"),
            ("(16 + 1 + 1 + 16) / 4)  # around the mean, 14", f"{squares} / 4)  # around the mean, {mean}"),
            ("(-2 + 1 + 3 + 6) / 2**2", f"({' + '.join(f'({d})' for d in steps)}) / {sd}**2"),
            ("(4 + 1 + 9 + 36) / 2**2", f"({' + '.join(str(d * d) for d in steps)}) / {sd}**2"),
            ("np.array([10.0, 13.0, 15.0, 18.0])", f"np.array({[float(x) for x in late]})"),
            ("two = 1e-5, np.log(2.0)", f"two = 1e-5, np.log({sd}.0)"),
            ("height(12 + h, two) - height(12 - h, two)", f"height({bell} + h, two) - height({bell} - h, two)"),
            ("height(12, two + h) - height(12, two - h)", f"height({bell}, two + h) - height({bell}, two - h)"),
            ("[12.0, 1.0]", f"[{bell}.0, 1.0]"),
            ("pull the mean from 12 up", f"pull the mean from {bell} up"),
            ("towards 14, so", f"towards {mean}, so"),
            ("slope_mean, 2 * by_mean", f"slope_mean, {sd} * by_mean"),
            ("by the variance, 4, and", f"by the variance, {sd * sd}, and"),
            ("moving the mean from 12 a little", f"moving the mean from {bell} a little"),
            ("slope_spread, by_log / 2", f"slope_spread, by_log / {sd}"),
            ("34 / 4 - 4", f"{squares} / {sd * sd} - 4"),
            ("the bell with mean 12, and", f"the bell with mean {bell}, and"),
            ("deviations from 14", f"deviations from {mean}"),
            ("z taken at mean 12 and sd 2", f"z taken at mean {bell} and sd {sd}"),
            ("best_sd - np.sqrt(8.5)", f"best_sd - np.sqrt({squares / 4})"),
            ("slope_mean - 2)", f"slope_mean - {4 * gap} / {sd * sd})"),
            ("slope_spread - 8.5)", f"slope_spread - {squares + 4 * gap * gap} / {sd * sd} + 4)"),
            ("half_width - 5.356) < 0.02", f"half_width - {3.18245 * best / math.sqrt(3):.4f}) < 0.02"),
        ]
    }
