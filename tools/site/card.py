"""The picture that a link to the course shows in a message: `draw(path)` writes 1200 x 630 pixels."""

import numpy as np

TITLE = "Gaussian Mixtures and EM"
LINE = "An executable course. Every number is computed beside the text."
GROUND, INK, ORANGE, BLUE = "#10324a", "#ffffff", "#e69f00", "#56b4e9"


def draw(path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor=GROUND)
    axes = figure.add_axes((0, 0, 1, 0.62))
    axes.set_axis_off()
    x = np.linspace(-4.5, 5, 400)
    left, right = 0.42 * np.exp(-((x + 1.6) ** 2) / 2 / 0.7**2) / 0.7, 0.58 * np.exp(-((x - 1.3) ** 2) / 2)
    for bell, colour in [(left, ORANGE), (right, BLUE)]:
        axes.fill_between(x, bell, color=colour, alpha=0.75, linewidth=0)
    axes.plot(x, left + right, color=INK, linewidth=3)
    axes.set(xlim=(x[0], x[-1]), ylim=(0, 0.72))
    figure.text(0.06, 0.82, TITLE, color=INK, fontsize=48, weight="bold")
    figure.text(0.06, 0.73, LINE, color=INK, fontsize=23)
    figure.savefig(path, facecolor=GROUND, metadata={"Software": None})
