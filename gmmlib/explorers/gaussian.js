import { COLORS, clamp, connect, figure, fixed, linspace, roundTop, short } from "./draw.js";
import { intervalProbability, logGaussian1d } from "./maths.js";

// One Gaussian: the height of the curve is a density, the area over an interval a probability.
function render({ model, el }) {
  const s = structuredClone(model.get("state")),
    { mean: mean0, sd: sd0 } = s;
  const unit = s.unit ? ` ${s.unit}` : "",
    digits = Math.max(0, 2 - Math.floor(Math.log10(sd0)));
  const num = (v) => fixed(v, digits);
  const range = [mean0 - 5 * sd0, mean0 + 5 * sd0],
    gap = sd0 / 50;
  const density = (x) => Math.exp(logGaussian1d(x, s.mean, s.sd));

  const fig = figure(el, {
    label: "Explorer: one Gaussian, density and probability",
    hint:
      "Drag \u03bc, \u03c3, a and b, or focus one and use the arrow keys (with Shift: ten " +
      "steps).",
    draw,
  });
  const chart = fig.chart({
    label: "Gaussian density with a shaded interval",
    height: (W) => (W < 480 ? 330 : 380),
    xlabel: s.unit ? `x (${s.unit})` : "x",
    ylabel: s.unit ? `density (per ${s.unit.replace(/s$/, "")})` : "density (per unit of x)",
  });

  const slider = (now, set, min, max) => () => [
    { now: now(), set, min: min(), max: max(), step: sd0 / 20 },
  ];
  const setMean = (v) => (s.mean = clamp(v, mean0 - 3 * sd0, mean0 + 3 * sd0));
  const setSd = (v) => (s.sd = clamp(v, sd0 / 10, sd0 * 2.5));
  const setA = (v) => (s.a = clamp(v, range[0], s.b - gap)),
    setB = (v) => (s.b = clamp(v, s.a + gap, range[1]));
  chart.handle({
    label: "mean",
    glyph: "\u03bc",
    color: COLORS[0],
    text: () => num(s.mean) + unit,
    drag: setMean,
    at: () => [s.mean, density(s.mean), 0, -18],
    values: slider(
      () => s.mean,
      setMean,
      () => mean0 - 3 * sd0,
      () => mean0 + 3 * sd0,
    ),
  });
  chart.handle({
    label: "standard deviation",
    glyph: "\u03c3",
    color: COLORS[0],
    text: () => num(s.sd) + unit,
    drag: (x) => setSd(x - s.mean),
    at: () => [s.mean + s.sd, density(s.mean + s.sd), 0, 0],
    values: slider(
      () => s.sd,
      setSd,
      () => sd0 / 10,
      () => sd0 * 2.5,
    ),
  });
  chart.handle({
    label: "left end of the interval",
    glyph: "a",
    color: COLORS[1],
    text: () => num(s.a) + unit,
    drag: setA,
    at: () => [s.a, 0],
    values: slider(
      () => s.a,
      setA,
      () => range[0],
      () => s.b - gap,
    ),
  });
  chart.handle({
    label: "right end of the interval",
    glyph: "b",
    color: COLORS[1],
    text: () => num(s.b) + unit,
    drag: setB,
    at: () => [s.b, 0],
    values: slider(
      () => s.b,
      setB,
      () => s.a + gap,
      () => range[1],
    ),
  });
  const within = (k) => () => {
    [s.a, s.b] = [s.mean - k * s.sd, s.mean + k * s.sd].map((v) => clamp(v, ...range));
    fig.commit();
    fig.draw();
  };
  fig.buttons([1, 2, 3].map((k) => [`\u03bc \u00b1 ${k === 1 ? "" : k}\u03c3`, within(k)]));

  function draw() {
    const peak = density(s.mean),
      mid = (s.a + s.b) / 2,
      height = density(mid);
    const probability = intervalProbability(s.a, s.b, s.mean, s.sd),
      top = roundTop(peak * 1.12);
    chart.begin(range, [0, top]);
    const curve = [
      ...new Set([
        ...linspace(...range, 161),
        ...linspace(s.mean - 4 * s.sd, s.mean + 4 * s.sd, 121),
      ]),
    ].sort((p, q) => p - q);
    const shaded = linspace(s.a, s.b, 121).map((x) => [x, density(x)]);
    chart.path(
      [[s.a, 0], ...shaded, [s.b, 0]],
      { fill: COLORS[1], "fill-opacity": 0.28, stroke: "none" },
      true,
    );
    chart.path(
      [
        [s.a, 0],
        [s.a, height],
        [s.b, height],
        [s.b, 0],
      ],
      { stroke: "var(--gmx-ink)", "stroke-dasharray": "3 4", "stroke-width": 1.5 },
    );
    for (const x of [s.a, s.b])
      chart.path(
        [
          [x, 0],
          [x, density(x)],
        ],
        { stroke: COLORS[1] },
      );
    if (top > 1 && top < 20) {
      chart.path([range.map((x) => [x, 1])].flat(), {
        stroke: "var(--gmx-ink)",
        "stroke-dasharray": "8 5",
        "stroke-width": 1.5,
      });
      chart.word(chart.px(range[0]) + 4, chart.py(1) - 7, "density 1");
    }
    chart.path(
      curve.map((x) => [x, density(x)]),
      { stroke: COLORS[0], "stroke-width": 3 },
    );
    chart.mark(0, mid, height, 4.5, { fill: "var(--gmx-ink)" });
    chart.word(chart.px(mid), chart.py(0.3 * height), fixed(probability, 3), {
      "text-anchor": "middle",
      style: "font-weight:600",
    });
    fig.tiles([
      ["probability of a to b (area)", fixed(probability, 4), COLORS[1]],
      ["density at the middle (height)", short(height), COLORS[0]],
      ["height \u00d7 width (dashed box)", short(height * (s.b - s.a))],
      ["density at the mean (peak)", short(peak), COLORS[0]],
    ]);
    fig.say(sentence(probability, peak));
  }

  function sentence(probability, peak) {
    const k = (s.b - s.mean) / s.sd,
      centred = Math.abs(s.a + s.b - 2 * s.mean) < 1e-6 * sd0;
    const rule = centred
      ? [
          [1, "68", "one standard deviation"],
          [2, "95", "two standard deviations"],
          [3, "99.7", "three standard deviations"],
        ].find(([n]) => Math.abs(k - n) < 1e-6)
      : undefined;
    return (
      `Mean ${num(s.mean)}, standard deviation ${num(s.sd)}${unit}. The interval from ` +
      `${num(s.a)} to ${num(s.b)} has probability ${fixed(probability, 4)}` +
      (rule ? `: about ${rule[1]} % lies within ${rule[2]} of the mean.` : ".") +
      (peak > 1
        ? ` The density reaches ${short(peak)}, more than 1: a height is not a probability, ` +
          `and the whole area is still 1.`
        : "")
    );
  }
  return connect(fig, model, s);
}
export default { render };
