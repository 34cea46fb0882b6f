"""Chapter 8: exercise 1 has other counts of the four kinds."""

import math

MOVED = ()


def counts():
    """(first, second, third, fourth): the first a multiple of five, the numbers of EM clear of the slips."""
    for first in (105, 110, 115, 130, 135, 140, 145, 150):
        for second, third in ((16, 21), (19, 23), (22, 25), (24, 17)):
            for fourth in (26, 28, 31, 38, 41):
                end, rate, _ = ended(first, second + third, fourth)
                hidden = first / 5
                theta_1 = (hidden + fourth) / (hidden + second + third + fourth)
                if 0.08 < rate < 0.3 and abs(end - 0.6268) > 0.01 and abs(theta_1 - 59 / 97) > 0.01:
                    yield first, second, third, fourth


def ended(first, middle, last):
    """The estimate, to four decimals, the rate and the standard error there."""
    b = first - 2 * middle - last
    total = first + middle + last
    end = round((b + math.sqrt(b * b + 8 * total * last)) / (2 * total), 4)
    own = end / (2 + end)
    complete = (first * own + last) / end**2 + middle / (1 - end) ** 2
    missing = first * own * (1 - own) / end**2
    return end, missing / complete, 1 / math.sqrt(complete - missing)


def vary(rng):
    every = list(counts())
    first, second, third, fourth = every[int(rng.integers(len(every)))]
    middle, total, hidden = second + third, first + second + third + fourth, first // 5
    end, rate, error = ended(first, middle, fourth)
    return {
        "ex1": [
            (
                "A classic of genetics: 197 animals come in four kinds, counted 125, 18, 20 and 34",
                f"As in a classic of genetics, {total} animals come in four kinds, "
                f"counted {first}, {second}, {third} and {fourth}",
            ),
            ("how many of the 125 do", f"how many of the {first} do"),
            (r"\hat\theta=0.6268", rf"\hat\theta={end:.4f}"),
            ("splits of the 125", f"splits of the {first}"),
            ("hidden = 125 * (1 / 8)", f"hidden = {first} * (1 / 8)"),
            (
                "(hidden + 34) / (hidden + 18 + 20 + 34)",
                f"(hidden + {fourth}) / (hidden + {second} + {third} + {fourth})",
            ),
            ("end = 0.6268", f"end = {end:.4f}"),
            ("split = 125 * end", f"split = {first} * end"),
            ("(split + 34) / end**2 + (18 + 20)", f"(split + {fourth}) / end**2 + ({second} + {third})"),
            ("missing = 125 * own", f"missing = {first} * own"),
            (
                "np.arange(126)  # of the second half-kind, among the 125",
                f"np.arange({first + 1})  # of the second half-kind, among the {first}",
            ),
            ("(splits + 34) * np.log(theta) + 38 *", f"(splits + {fourth}) * np.log(theta) + {middle} *"),
            ("stats.binom(125, share)", f"stats.binom({first}, share)"),
            (
                "stats.multinomial(197, p).logpmf([125, 18, 20, 34])",
                f"stats.multinomial({total}, p).logpmf({[first, second, third, fourth]})",
            ),
            ("near(hidden, 62.5, 0.1)", f"near(hidden, {first / 2}, 0.1)"),
            ("half of 125:", f"half of {first}:"),
            ("near(hidden, 15.625, 0.1)", f"near(hidden, {first / 8}, 0.1)"),
            ("1/8 of 125 forgets that these 125 are", f"1/8 of {first} forgets that these {first} are"),
            ("one of the 125, times 125", f"one of the {first}, times {first}"),
            ("near(theta_1, 59 / 197)", f"near(theta_1, {hidden + fourth} / {total})"),
            ("divided by all 197 animals", f"divided by all {total} animals"),
            ("near(theta_1, 25 / 63)", f"near(theta_1, {hidden} / {hidden + middle})"),
            ("the 34 animals", f"the {fourth} animals"),
            ("chances(0.6278)", f"chances({end + 0.001:.4f})"),
            ("chances(0.6258)", f"chances({end - 0.001:.4f})"),
            ("from 0.6258 and from", f"from {end - 0.001:.4f} and from"),
            ('"0.6278, end', f'"{end + 0.001:.4f}, end'),
            (
                "seen(0.6268 + h) - 2 * seen(0.6268) + seen(0.6268 - h)",
                f"seen({end} + h) - 2 * seen({end}) + seen({end} - h)",
            ),
            (
                "near(hidden, 25, 1e-3) and near(theta_1, 59 / 97)",
                f"near(hidden, {hidden}, 1e-3) and near(theta_1, {hidden + fourth} / {hidden + middle + fourth})",
            ),
            ("near(rate, 0.1328) and near(error, 0.0515)", f"near(rate, {rate:.5f}) and near(error, {error:.6f})"),
        ]
    }
