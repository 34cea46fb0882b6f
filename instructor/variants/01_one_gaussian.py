"""Chapter 1: exercise 1 has another tent."""

MOVED = ()


def vary(rng):
    half = int(rng.choice([8, 10, 12, 15, 16, 24, 25, 30]))
    low = int(rng.integers(20, 60))
    beyond = int(rng.choice([part for part in range(2, half - 1) if 2 * part != half]))
    peak, high = low + half, low + 2 * half
    cut = high - beyond
    return {
        "ex1": [
            ("0 up to 60 minutes", f"0 up to {low} minutes"),
            ("its peak at 80,", f"its peak at {peak},"),
            ("down to 0 at 100", f"down to 0 at {high}"),
            ("more than 90 minutes", f"more than {cut} minutes"),
            ("beyond_90", f"beyond_{cut}"),
            ("1 / 20  # half of 40 minutes", f"1 / {half}  # half of {2 * half} minutes"),
            ("60 / 20  # the base is 2/3 hour", f"60 / {half}  # the base is {2 * half}/60 hour"),
            ("1 / 8  # half of 10 minutes times half of the peak", f"({beyond} / {half}) ** 2 / 2"),
            ("np.arange(60.05, 100, 0.1)", f"np.arange({low}.05, {high}, 0.1)"),
            ("np.abs(middle - 80) / 20", f"np.abs(middle - {peak}) / {half}"),
            ("tent[middle > 90]", f"tent[middle > {cut}]"),
            ("right of 90 minutes", f"right of {cut} minutes"),
            ("is it at 90,", f"is it at {cut},"),
        ],
    }
