"""Chapter 6: exercise 1 has other routes, another letter and other odds of getting stuck."""

MOVED = ()


def vary(rng):
    a = int(rng.choice([55, 65, 70, 75, 80]))
    mean_a = int(rng.integers(3, 8))
    mean_b = mean_a + int(rng.choice([3, 4]))
    day = mean_a + 2
    lost, reach = int(rng.choice([4, 6, 8, 10])), int(rng.choice([40, 60, 75, 80]))
    late = mean_b + 6  # three standard deviations
    w, u, q = a / 100, 1 - a / 100, lost / 100
    z = (mean_b - day) / 2
    kept = f"[{(1 - q) * w:.4f}, {(1 - q) * u:.4f}, {q}]"
    return {
        "ex1": [
            (
                "carries 60 % of them, and its letters take 3 days",
                f"carries {a} % of them, and its letters take {mean_a} days",
            ),
            ("the other 40 %: 6 days", f"the other {100 - a} %: {mean_b} days"),
            ("a letter that took 5 days", f"a letter that took {day} days"),
            ("to carry for 5 days", f"to carry for {day} days"),
            ("now 5 letters in 100", f"now {lost} letters in 100"),
            ("from 0 to 50 days", f"from 0 to {reach} days"),
            ("The other 95 take", f"The other {100 - lost} take"),
            ("a letter that took 12 days", f"a letter that took {late} days"),
            ("at 5 days", f"at {day} days"),
            ("at 12 days", f"at {late} days"),
            ("np.exp(-(0.5**2) / 2) / 2", f"np.exp(-({z}**2) / 2) / 2"),
            ("0.6 * a / (0.6 * a + 0.4 * b)", f"{w} * a / ({w} * a + {u:.2f} * b)"),
            ("far = 0.38 *", f"far = {(1 - q) * u:.4f} *"),
            ("stuck = 0.05 / 50 / (far + 0.05 / 50)", f"stuck = {q} / {reach} / (far + {q} / {reach})"),
            (
                "stats.norm(3, sds[0]), stats.norm(6, sds[1])",
                f"stats.norm({mean_a}, sds[0]), stats.norm({mean_b}, sds[1])",
            ),
            ("stats.uniform(0, 50)", f"stats.uniform(0, {reach})"),
            ("counted(5, [0.5, 0.5])", f"counted({day}, [0.5, 0.5])"),
            ("counted(5, [0.4, 0.6])", f"counted({day}, [{u:.2f}, {w}])"),
            ("which route carries 60 %?", f"which route carries {a} %?"),
            ("counted(5, [0.6, 0.8])", f"counted({day}, [{w}, {2 * u:.2f}])"),
            ("counted(5, [0.6, 0.4]", f"counted({day}, [{w}, {u:.2f}]"),
            ("of the letters of 5 days", f"of the letters of {day} days"),
            ("counted(5, [even_weight", f"counted({day}, [even_weight"),
            ("of those that take 5 days", f"of those that take {day} days"),
            ("counted(12, [0.57, 0.38, 0.05])", f"counted({late}, {kept})"),
            ("counted(12, [0.6, 0.4, 0.05])", f"counted({late}, [{w}, {u:.2f}, {q}])"),
            (
                "add up to 1.05: A and B share the 95 letters",
                f"add up to {1 + q}: A and B share the {100 - lost} letters",
            ),
            (
                "counted(12, [0.57, 0.38, 2.5])",
                f"counted({late}, [{(1 - q) * w:.4f}, {(1 - q) * u:.4f}, {q * reach:g}])",
            ),
            ("spread over 50 days", f"spread over {reach} days"),
            ("near(stuck, 0.05)", f"near(stuck, {q})"),
            ("the other routes take 12 days", f"the other routes take {late} days"),
            ("a letter of 12 days", f"a letter of {late} days"),
            ("[[5.0]], [0.6, 0.4], [[3.0], [6.0]]", f"[[{day}.0]], [{w}, {u:.2f}], [[{mean_a}.0], [{mean_b}.0]]"),
            ("[[5.0]], toss, [[3.0], [6.0]]", f"[[{day}.0]], toss, [[{mean_a}.0], [{mean_b}.0]]"),
            ("with even_weight, 5 days", f"with even_weight, {day} days"),
        ]
    }
