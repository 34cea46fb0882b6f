"""Chapter 12: exercise 1 has other dimensions, other numbers of components and other fits."""

MOVED = ()
WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
# (dimensions, full components, spherical components): both models have as many parameters.
BILLS = [(2, 2, 3), (3, 3, 6), (4, 2, 5), (5, 2, 6), (2, 4, 6)]


def vary(rng):
    D, A, B = BILLS[int(rng.integers(len(BILLS)))]
    first, gap = int(rng.integers(12, 30)) * 100, int(rng.choice([5, 6, 7, 9, 10, 11, 12]))
    second, off = first + gap, D * (D - 1) // 2
    p = A - 1 + A * D + A * (D + off)
    assert p == B - 1 + B * D + B, (D, A, B)
    return {
        "ex1": [
            ("403 points in three dimensions", f"403 points in {WORDS[D]} dimensions"),
            (
                "Model A: two full components, log-likelihood $-1500$",
                f"Model A: {WORDS[A]} full components, log-likelihood $-{first}$",
            ),
            (
                "four spherical components, each with a variance of its own, log-likelihood $-1508$",
                f"{WORDS[B]} spherical components, each with a variance of its own, log-likelihood $-{second}$",
            ),
            ("p_a = 1 + 2 * 3 + 2 * 6", f"p_a = {A - 1} + {A} * {D} + {A} * {D + off}"),
            ("p_b = 3 + 4 * 3 + 4", f"p_b = {B - 1} + {B} * {D} + {B}"),
            ("3000 - 3016", f"{2 * first} - {2 * second}"),
            ("p_a != 20 and p_b != 20", f"p_a != {p + 1} and p_b != {p + 1}"),
            ("p_a != 25", f"p_a != {A - 1 + A * D + A * D * D}"),
            ("3 variances and 3 covariances each", f"variances {D}, covariances {off} each"),
            ("p_a == 19", f"p_a == {p}"),
            ("p_b != 27", f"p_b != {B - 1 + 2 * B * D}"),
            ("one variance, and not three", f"one variance, and not {WORDS[D]}"),
            ("p_b == 19", f"p_b == {p}"),
            ("abs(gap - 16) > 1", f"abs(gap - {2 * gap}) > 1"),
            ("abs(abs(gap) - 8) > 1", f"abs(abs(gap) - {gap}) > 1"),
            ("abs(gap + 16) < 1", f"abs(gap + {2 * gap}) < 1"),
            ("n_parameters(2, 3)", f"n_parameters({A}, {D})"),
            ('n_parameters(4, 3, "spherical")', f'n_parameters({B}, {D}, "spherical")'),
            (
                "gmmlib.bic(-1500, p_a, 403) - gmmlib.bic(-1508, p_b, 403)",
                f"gmmlib.bic(-{first}, p_a, 403) - gmmlib.bic(-{second}, p_b, 403)",
            ),
        ]
    }
