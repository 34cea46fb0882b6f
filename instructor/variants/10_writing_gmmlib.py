"""Chapter 10: exercise 1 has another component and another line from which positions are measured."""

import math

MOVED = ()


def vary(rng):
    weight = float(rng.choice([0.1, 0.2, 0.3, 0.4, 0.6]))
    mean = int(rng.choice([2, 4, 5, 6]))
    sd = float(rng.choice([0.2, 0.25, 0.4]))
    far, wide = int(rng.choice([13, 24, 37, 64, 81])) * 100_000, int(rng.choice([3, 4, 5]))
    v = round(sd * sd, 6)
    up = mean**2 / (2 * v)
    digits = math.log10((far / wide) ** 2)
    c = math.log(weight) - 0.5 * math.log(2 * math.pi * v) - up
    return {
        "ex1": [
            (
                r"weight $\pi=0.25$, the mean $\mu=3$ and the standard deviation $\sigma=0.5$",
                rf"weight $\pi={weight}$, the mean $\mu={mean}$ and the standard deviation $\sigma={sd}$",
            ),
            (
                "mean of 5 200 000 and, within a component, a standard deviation of 2.",
                f"mean of {f'{far:,}'.replace(',', ' ')} and, within a component, a standard deviation of {wide}.",
            ),
            ("b, a = 3 / 0.25, -1 / (2 * 0.25)", f"b, a = {mean} / {v}, -1 / (2 * {v})"),
            (
                "np.log(0.25) - 0.5 * np.log(2 * np.pi * 0.25) - 9 / (2 * 0.25)",
                f"np.log({weight}) - 0.5 * np.log(2 * np.pi * {v}) - {mean * mean} / (2 * {v})",
            ),
            ("(5_200_000 / 2) ** 2", f"({far:_} / {wide}) ** 2"),
            ("np.array([2.0, 2.5, 3.0, 4.0])", f"np.array([{mean - 1}.0, {mean - 0.5}, {mean}.0, {mean + 1}.0])"),
            ("np.log(0.25) + stats.norm(3, 0.5)", f"np.log({weight}) + stats.norm({mean}, {sd})"),
            ("abs(bend + 2) > 0.01", f"abs(bend + 1 / {sd}) > 0.01"),
            ("it bends half as much as it should", "it bends less than it should"),
            ("abs(bend + 4) < 0.01", f"abs(bend + 1 / {v}) < 0.01"),
            ("abs(top - 3) < 0.01", f"abs(top - {mean}) < 0.01"),
            ("abs(off + np.log(0.25)) > 0.01", f"abs(off + np.log({weight})) > 0.01"),
            ("abs(off - 18) > 0.01", f"abs(off - {up:.6g}) > 0.01"),
            ("your log-joint is 18 too high", f"your log-joint is {up:.6g} too high"),
            ("abs(off - np.log(0.5)) > 0.01", f"abs(off - np.log({sd})) > 0.01"),
            ("at z = 3 your log-joint", f"at z = {mean} your log-joint"),
            ("np.log10(2_600_000)", f"np.log10({far:_} / {wide})"),
            ("lost - (16 - 12.83)", f"lost - (16 - {digits:.2f})"),
            ("abs(lost - 12.83) < 0.5", f"abs(lost - {digits:.2f}) < 0.5"),
            (
                "abs(c + 19.612) < 0.002 and abs(b - 12) < 0.002 and a == -2, (",
                f"abs(c + {-c:.5f}) < 0.002 and abs(b - {mean / v:.5f}) < 0.002 and (\n"
                f"    abs(a + {1 / (2 * v):.5f}) < 0.002\n), (",
            ),
        ]
    }
