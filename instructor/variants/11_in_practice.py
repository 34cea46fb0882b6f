"""Chapter 11: exercise 1 goes into another unit, with another reg_covar."""

MOVED = ()
PARTS = {
    2: "halves",
    3: "thirds",
    4: "quarters",
    5: "fifths",
    8: "eighths",
    10: "tenths",
    20: "twentieths",
    100: "hundredths",
}


def vary(rng):
    f, unit = list(PARTS.items())[int(rng.integers(len(PARTS)))]
    r = int(rng.integers(2, 10))
    return {
        "ex1": [
            ("From minutes to seconds", f"From minutes to {unit}"),
            ("turned into *seconds*", f"turned into *{unit} of a minute*"),
            (r"of $10^{-6}$ was", rf"of ${r}\cdot10^{{-6}}$ was"),
            (
                "a bell that is 60 times as wide is 60 times as *low*",
                f"a bell that is {f} times as wide is {f} times as *low*",
            ),
            ('the density is per "\n    "second squared', 'the density is per "\n    "square of the unit'),
            ("per minute squared is not per second squared", "per square minute is not per square of a part"),
            ("-1130.26 - 272 * 2 * np.log(60)", f"-1130.26 - 272 * 2 * np.log({f})"),
            ("2 * 272 * 2 * np.log(60)", f"2 * 272 * 2 * np.log({f})"),
            ("1e-6 * 60**2", f"{r}e-6 * {f}**2"),
            ("60 * geyser", f"{f} * geyser"),
            ("reg_seconds, 6e-5,", f"reg_{unit}, {r}e-6 * {f},"),
            ("1e-6 / 3600", f"{r}e-6 / {f * f}"),
            ("(geyser, 1e-6)", f"(geyser, {r}e-6)"),
            ("floor[1e-6]", f"floor[{r}e-6]"),
            ("high, 60 * low", f"high, {f} * low"),
            ('"from 1e-6, and of {high:.4f} s from', f'"from {r}e-6, and of {{high:.4f}} {unit} from'),
            ("in_seconds, -3357.58, atol=0.1", f"in_{unit}, -1130.26 - 544 * np.log({f}), atol=0.1"),
            ("bic_change, 4454.6, atol=0.2", f"bic_change, 1088 * np.log({f}), atol=0.2"),
            ("seconds", unit),
        ]
    }
