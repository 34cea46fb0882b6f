import { COLORS, clamp, connect, figure, fixed, linspace } from "./draw.js";
import { contour, eStep, rankThreshold, rateBelow } from "./maths.js";

// An alarm on low density: the promised rate of false alarms against the rate on points that took
// no part, with a threshold from the fitted points or from points kept aside.
const ROLES = ["fitted", "calibration", "test"];

function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const parts = ROLES.map((_, r) => s.X.filter((_, n) => s.role[n] === r));
  const limits = [0, 1].map((d) => {
    const values = s.X.map((x) => x[d]),
      low = Math.min(...values),
      high = Math.max(...values);
    return [low - 0.12 * (high - low), high + 0.12 * (high - low)];
  });
  const [xs, ys] = limits.map((lim) => linspace(...lim, 61));
  const cells = ys.flatMap((y) => xs.map((x) => [x, y]));
  // For each mixture: log-densities of the three thirds, and of a grid.
  const known = s.mixtures.map((mixture) => {
    const flat = eStep(cells, mixture).logDensity;
    return {
      scores: parts.map((X) => eStep(X, mixture).logDensity),
      grid: ys.map((_, j) => flat.slice(j * xs.length, (j + 1) * xs.length)),
    };
  });
  const TOP = 0.3;
  const setRate = (v) => (s.rate = clamp(v, 0, TOP));
  const thresholdAt = (rate) => rankThreshold(known[s.which].scores[s.source], rate);

  const fig = figure(el, {
    label: "Explorer: an alarm on low density, its promise and what it keeps",
    hint:
      "Drag the handle below the curve, or focus it and use the arrow keys: it is the promised " +
      "rate of false alarms. The buttons choose the mixture and the points that set the threshold.",
    draw,
  });
  const press = (change) => () => {
    change();
    fig.draw();
    fig.commit();
  };
  const buttons = fig.buttons([
    ...s.mixtures.map((m, i) => [`${m.weights.length} components`, press(() => (s.which = i))]),
    ["from fitted points", press(() => (s.source = 0))],
    ["from calibration points", press(() => (s.source = 1))],
  ]);
  const chart = fig.chart({
    label: "Scatter plot: the outline of the threshold, test points, and those that ring",
    height: (W) => (W < 480 ? 300 : 340),
    xlabel: s.names[0],
    ylabel: s.names[1],
    role: "img",
  });
  const dial = fig.chart({
    label: "Rate of false alarms on the test points against the promised rate",
    height: 240,
    xlabel: "promised rate of false alarms",
    ylabel: "rate on test points (dashed: as promised)",
  });
  dial.handle({
    label: "promised rate of false alarms",
    glyph: "\u03b1",
    text: () => `${percent(s.rate)}`,
    at: () => [s.rate, 0],
    drag: setRate,
    reach: 24,
    values: () => [{ now: s.rate, set: setRate, min: 0, max: TOP, step: 0.005 }],
  });

  function draw() {
    const { scores, grid } = known[s.which],
      limit = thresholdAt(s.rate);
    const rings = (v) => v < limit,
      rates = scores.map((v) => rateBelow(v, limit));
    const chosen = [s.which, s.mixtures.length + s.source];
    buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", chosen.includes(i));
      button.classList.toggle("gmx-next", chosen.includes(i));
    });
    chart.begin(...limits);
    parts[s.source].forEach(([x, y]) => {
      chart.mark(0, x, y, 2, { fill: "var(--gmx-soft)", opacity: 0.55 });
    });
    if (limit > -Infinity)
      for (const piece of contour(xs, ys, grid, limit))
        chart.path(piece, { stroke: "var(--gmx-ink)", "stroke-width": 1.8 });
    parts[2].forEach(([x, y], n) => {
      const odd = rings(scores[2][n]),
        color = COLORS[odd ? 1 : 0];
      chart.mark(odd ? 1 : 0, x, y, odd ? 7 : 4, { fill: color, "fill-opacity": odd ? 1 : 0.55 });
    });
    dial.begin([0, TOP], [0, 0.7]);
    dial.path(
      [
        [0, 0],
        [TOP, TOP],
      ],
      { stroke: "var(--gmx-soft)", "stroke-dasharray": "7 5", "stroke-width": 1.5 },
    );
    const promised = linspace(0, TOP, 241);
    dial.path(
      promised.map((rate) => [rate, rateBelow(scores[2], thresholdAt(rate))]),
      { stroke: COLORS[1] },
    );
    dial.path(
      [
        [s.rate, 0],
        [s.rate, 0.7],
      ],
      { stroke: "var(--gmx-ink)", "stroke-width": 1.5, "stroke-dasharray": "2 4" },
    );
    dial.mark(1, s.rate, rates[2], 7, { fill: COLORS[1] });
    fig.tiles([
      ["promised", percent(s.rate)],
      ["threshold (ln density)", limit > -Infinity ? fixed(limit) : "none"],
      [`\u25b2 rings for test points`, `${percent(rates[2])}`, COLORS[1]],
      ["rings for fitted points", percent(rates[0])],
    ]);
    fig.say(sentence(rates[2], limit));
  }

  function sentence(rate, limit) {
    const n = parts[2].length,
      K = s.mixtures[s.which].weights.length,
      many = Math.round(rate * n);
    const source = `${parts[s.source].length} ${ROLES[s.source]} points`,
      from = `${K} components, threshold from ${source}`;
    if (limit === -Infinity)
      return `${from}: too few for a promise of ${percent(s.rate)}, so the alarm never rings.`;
    // what luck allows: points drawn for the test, and points drawn for the threshold
    const m = parts[s.source].length,
      spread = Math.sqrt(s.rate * (1 - s.rate) * (1 / n + 1 / m));
    const verdict =
      rate > s.rate + 2 * spread
        ? "far more than promised"
        : rate < s.rate - 2 * spread
          ? "far less than promised"
          : "as promised, within what luck allows";
    return (
      `${from}: promised ${percent(s.rate)}, rings for ${many} of ${n} test points, ` +
      `${percent(rate)}: ${verdict}.`
    );
  }
  const percent = (v) => `${fixed(100 * v, 1)} %`;
  return connect(fig, model, s);
}
export default { render };
