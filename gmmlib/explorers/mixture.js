import { COLORS, clamp, connect, DASHES, figure, fixed, linspace, roundTop } from "./draw.js";
import { logGaussian1d, modes } from "./maths.js";

const SUB = ["\u2081", "\u2082", "\u2083"],
  WORDS = ["no", "one", "two", "three"];

// Two or three components on a line: their weighted densities, the sum, and how many peaks it has.
function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const low = Math.min(...s.means.map((m, k) => m - 4 * s.sds[k])),
    high = Math.max(...s.means.map((m, k) => m + 4 * s.sds[k]));
  const typical = (high - low) / 10,
    smallest = typical / 5,
    widest = typical * 2.5;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(typical))),
    num = (v) => fixed(v, digits);
  const part = (k, x) => s.weights[k] * Math.exp(logGaussian1d(x, s.means[k], s.sds[k]));
  const K = () => s.means.length;

  const fig = figure(el, {
    label: "Explorer: a mixture, its components and its modes",
    hint:
      "Drag a mean \u03bc, a standard deviation \u03c3 or a weight \u03c0, or focus one " +
      "and use the arrow keys.",
    draw,
  });
  const chart = fig.chart({
    label: "Mixture density with its weighted components",
    height: (W) => (W < 480 ? 340 : 400),
    xlabel: "x",
    ylabel: "density",
  });

  function setWeight(k, value) {
    const weight = clamp(value, 0.02, 0.96),
      rest = 1 - s.weights[k];
    s.weights = s.weights.map((w, j) => (j === k ? weight : (w * (1 - weight)) / rest));
  }
  for (const k of [0, 1, 2]) {
    const color = COLORS[k],
      hidden = () => k >= K(),
      name = `component ${k + 1}`;
    const setMean = (v) => (s.means[k] = clamp(v, low, high)),
      setSd = (v) => (s.sds[k] = clamp(v, smallest, widest));
    chart.handle({
      label: `weight of ${name}`,
      glyph: `\u03c0${SUB[k]}`,
      color,
      hidden,
      text: () => fixed(s.weights[k]),
      at: () => [s.means[k], part(k, s.means[k])],
      drag: (_, y) => setWeight(k, y / (part(k, s.means[k]) / s.weights[k])),
      values: () => [
        { now: s.weights[k], set: (v) => setWeight(k, v), min: 0.02, max: 0.96, step: 0.01 },
      ],
    });
    chart.handle({
      label: `standard deviation of ${name}`,
      glyph: `\u03c3${SUB[k]}`,
      color,
      hidden,
      text: () => num(s.sds[k]),
      at: () => [s.means[k] + s.sds[k], part(k, s.means[k] + s.sds[k])],
      drag: (x) => setSd(x - s.means[k]),
      values: () => [{ now: s.sds[k], set: setSd, min: smallest, max: widest, step: typical / 20 }],
    });
    chart.handle({
      label: `mean of ${name}`,
      glyph: `\u03bc${SUB[k]}`,
      color,
      hidden,
      text: () => num(s.means[k]),
      at: () => [s.means[k], 0],
      drag: setMean,
      values: () => [{ now: s.means[k], set: setMean, min: low, max: high, step: typical / 20 }],
    });
  }
  const [third] = fig.buttons([
    [
      "",
      () => {
        if (K() === 3) for (const key of ["weights", "means", "sds"]) s[key] = s[key].slice(0, 2);
        else {
          s.means = [...s.means, Math.min(high, Math.max(...s.means) + 2 * Math.max(...s.sds))];
          s.sds = [...s.sds, Math.min(...s.sds)];
          s.weights = [...s.weights.map((w) => w * 0.75), 0.25];
        }
        const total = s.weights.reduce((a, b) => a + b);
        s.weights = s.weights.map((w) => w / total);
        fig.commit();
        fig.draw();
      },
    ],
  ]);

  function draw() {
    third.textContent = K() === 3 ? "Remove the third component" : "Add a third component";
    const x = [...linspace(low, high, 241), ...s.means].sort((p, q) => p - q);
    const total = (v) => s.means.reduce((sum, _, k) => sum + part(k, v), 0),
      found = modes(s);
    chart.begin([low, high], [0, roundTop(Math.max(...found.map(total)))]);
    s.means.forEach((_, k) => {
      const curve = x.map((v) => [v, part(k, v)]);
      chart.path(
        [[low, 0], ...curve, [high, 0]],
        { fill: COLORS[k], "fill-opacity": 0.16, stroke: "none" },
        true,
      );
      chart.path(curve, { stroke: COLORS[k], "stroke-dasharray": DASHES[k] });
    });
    chart.path(
      x.map((v) => [v, total(v)]),
      { stroke: "var(--gmx-ink)", "stroke-width": 3.5 },
    );
    for (const v of found) {
      const tip = chart.py(total(v)) - 8;
      chart.raw("path", { d: `M${chart.px(v)} ${tip}l-7 -11h14Z`, fill: "var(--gmx-ink)" });
    }
    const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
    fig.tiles([
      ["the sum has", `${plural(found.length, "mode")} \u25bc`, "var(--gmx-ink)"],
      ...s.weights.map((w, k) => [`component ${k + 1}: weight`, fixed(w, 3), COLORS[k]]),
    ]);
    fig.say(
      `${plural(K(), "component")}, ${plural(found.length, "mode")}: ` +
        (found.length === K()
          ? "each component shows as a peak of its own. "
          : `${WORDS[K()]} sources, but the sum has only ${WORDS[found.length]} ` +
            `${found.length === 1 ? "peak" : "peaks"}. `) +
        s.means
          .map(
            (m, k) =>
              `Component ${k + 1}: weight ${fixed(s.weights[k], 3)}, mean ${num(m)}, standard ` +
              `deviation ${num(s.sds[k])}.`,
          )
          .join(" "),
    );
  }
  return connect(fig, model, s);
}
export default { render };
