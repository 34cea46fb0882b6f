"""Chapter 3: exercise 1 has another covariance, another x1 and another ellipse."""

import math

MOVED = ()


def vary(rng):
    s1, s2 = (int(s) for s in rng.choice([(2, 4), (2, 5), (3, 2), (3, 4), (3, 5), (4, 3), (4, 5), (5, 3), (5, 4)]))
    c = int(
        rng.choice([c for c in range(2, s1 * s2) if 0.3 < c / (s1 * s2) < 0.85 and abs(c / (s1 * s2) - 0.5) > 0.02])
    )
    x1 = int(rng.choice([x for x in (1, 3, 4, 5) if x != s1]))
    far = float(rng.choice([1.5, 2.5, 3.0]))
    v1, v2 = s1 * s1, s2 * s2
    det, corr = v1 * v2 - c * c, c / (s1 * s2)
    root, peak = s2 * math.sqrt(1 - corr**2), 1 / (2 * math.pi * math.sqrt(det))
    return {
        "ex1": [
            (r"\begin{pmatrix}4&3\\3&9\end{pmatrix}", rf"\begin{{pmatrix}}{v1}&{c}\\{c}&{v2}\end{{pmatrix}}"),
            ("$x_1=-2$ is known", f"$x_1=-{x1}$ is known"),
            ("Mahalanobis distance is larger than 2", f"Mahalanobis distance is larger than {far:g}"),
            ("corr = 3 / (2 * 3)", f"corr = {c} / ({s1} * {s2})"),
            ("root = 3 * np.sqrt", f"root = {s2} * np.sqrt"),
            ("np.sqrt(4 * 9 - 3 * 3)", f"np.sqrt({v1} * {v2} - {c} * {c})"),
            ("expected = 3 / 4 * -2", f"expected = {c} / {v1} * -{x1}"),
            ("np.exp(-(2**2) / 2)", f"np.exp(-({far:g}**2) / 2)"),
            ("near(corr, 3 / 36)", f"near(corr, {c} / {v1 * v2})"),
            ('standard deviations, 2 "\n    "and 3,', f'standard deviations, {s1} "\n    "and {s2},'),
            ("near(corr * 2 * 3, 3)", f"near(corr * {s1} * {s2}, {c})"),
            ('"covariance, 3"', f'"covariance, {c}"'),
            ("near(root, np.sqrt(9))", f"near(root, np.sqrt({v2}))"),
            ('"add up to 9"', f'"add up to {v2}"'),
            ("near(root**2 + 1.5**2, 9)", f"near(root**2 + ({c} / {s1}) ** 2, {v2})"),
            ("(1.5, root)", f"({c / s1:.3g}, root)"),
            ("to the variance 9", f"to the variance {v2}"),
            ("[[4, 3], [3, 9]]", f"[[{v1}, {c}], [{c}, {v2}]]"),
            ("1 / (2 * np.pi * 27)", f"1 / (2 * np.pi * {det})"),
            ("1 / (2 * np.pi * 6)", f"1 / (2 * np.pi * {s1 * s2})"),
            ("np.linspace(-15, 15, 6001)", "np.linspace(-60, 60, 6001)"),
            ("np.full(6001, -2.0)", f"np.full(6001, -{x1}.0)"),
            ("near(expected, 3 / 9 * -2)", f"near(expected, {c} / {v2} * -{x1})"),
            ("near(expected, -1)", f"near(expected, {c} / {s1 * s2} * -{x1})"),
            (
                'that is in standard deviations, -1 times the "\n    "correlation times 2: the units of x2 are missing',
                f'that is the correlation times -{x1}: "\n    "the units of x1 and x2 are missing',
            ),
            ("along the slice x1 = -2", f"along the slice x1 = -{x1}"),
            ("law.cdf([2, 2])", f"law.cdf([{far:g}, {far:g}])"),
            ("2 * stats.norm.sf(2)", f"2 * stats.norm.sf({far:g})"),
            ("beyond two standard deviations", f"beyond {far:g} standard deviations"),
            ("np.exp(-2 / 2)", f"np.exp(-{far:g} / 2)"),
            ("the distance is 2, its square is 4", f"the distance is {far:g}, its square is {far * far:g}"),
            ("stats.chi2(2).sf(4)", f"stats.chi2(2).sf({far * far:g})"),
            ("near(corr, 0.5) and near(root, 2.598)", f"near(corr, {corr:.5f}) and near(root, {root:.5f})"),
            ("near(peak, 0.03063)", f"near(peak, {peak:.7f})"),
            ("near(expected, -1.5)", f"near(expected, {-x1 * c / v1:.5f})"),
            ("near(outside, 0.1353)", f"near(outside, {math.exp(-far * far / 2):.6f})"),
        ]
    }
