import { COLORS, clamp, connect, DASHES, figure, fixed, linspace } from "./draw.js";
import {
  contour,
  infectionBound,
  infectionTest,
  twoMeans,
  twoMeansBound,
  twoMeansTop,
} from "./maths.js";

// EM as a climb on a bound: the E-step lifts it to touch the log-likelihood, the M-step walks to
// its top. One parameter (a prevalence) as a curve, two (means of the waits) as a map.
const SIDES = [46, 94];
const LEVELS = [-2400, -1900, -1600, -1400, -1250, -1150, -1090, -1060, -1049];

function render({ model, el }) {
  const s = structuredClone(model.get("state")),
    start = structuredClone(s);
  const data = { x: s.waits, n: s.counts, sd: s.sd };
  const places = linspace(...SIDES, 49);
  const surface = places.map((b) => places.map((a) => twoMeans(data, [a, b]).logLikelihood));
  const lines = LEVELS.map((level) => contour(places, places, surface, level));
  const prevalences = linspace(0.02, 0.98, 193);
  let note = "";

  const fig = figure(el, {
    label: "Explorer: the bound under the log-likelihood",
    hint: "Drag where we stand, or the guess q (arrow keys work too). Then let E and M move them.",
    draw,
  });
  const curve = fig.chart({
    label: "Log-likelihood of the prevalence, and the bound below it",
    height: (W) => (W < 480 ? 300 : 330),
    xlabel: "prevalence",
    ylabel: "log-likelihood, and bound",
    left: 50,
    bottom: 62,
  });
  const strip = fig.chart({
    label: "The guess q for a positive test",
    height: 92,
    xlabel: "q, the guess for a positive",
    yticks: 0,
    top: 14,
    bottom: 62,
    left: 50,
  });
  const map = fig.chart({
    label: "Map of the log-likelihood over two means, and of the bound",
    height: (W) => (W < 480 ? 1.05 : 0.86) * W,
    xlabel: "first mean (minutes)",
    ylabel: "second mean (minutes)",
  });
  const one = () => s.view === 1;
  const setPi = (v) => {
    s.prevalence = clamp(v, 0.02, 0.98);
  };
  const setQ = (v) => {
    s.q = clamp(v, 0.01, 0.99);
  };
  curve.handle({
    label: "prevalence: where we stand",
    glyph: "\u03c0",
    color: COLORS[1],
    hidden: () => !one(),
    text: () => fixed(s.prevalence, 3),
    at: () => [s.prevalence, curve.limits()[1][0]],
    drag: setPi,
    values: () => [{ now: s.prevalence, set: setPi, min: 0.02, max: 0.98, step: 0.01 }],
  });
  strip.handle({
    label: "q: the guess for a positive test",
    glyph: "q",
    color: COLORS[0],
    hidden: () => !one(),
    text: () => fixed(s.q, 3),
    at: () => [s.q, 0],
    drag: setQ,
    values: () => [{ now: s.q, set: setQ, min: 0.01, max: 0.99, step: 0.01 }],
  });
  const setMean = (k) => (v) => {
    s.means[k] = clamp(v, ...SIDES);
  };
  const mean = (k) => ({
    now: s.means[k],
    set: setMean(k),
    min: SIDES[0],
    max: SIDES[1],
    step: 0.5,
  });
  map.handle({
    label: "where we stand: left and right for the first mean, up and down for the second",
    glyph: "\u03b8",
    color: COLORS[1],
    hidden: one,
    text: () => `${fixed(s.means[0], 1)} and ${fixed(s.means[1], 1)} minutes`,
    at: () => s.means,
    drag: (x, y) => [x, y].forEach((v, k) => setMean(k)(v)),
    values: () => [mean(0), mean(1)],
  });
  fig.touched = () => {
    note = "";
  };

  function expect() {
    const before = look().gap;
    if (one()) s.q = infectionTest(s.prevalence).posterior;
    else s.held = [...s.means];
    note = `E-step: the bound was lifted by ${fixed(before, 3)} and touches. `;
  }
  function maximise() {
    const before = look();
    if (one()) setPi((5 * s.q) / 8);
    else s.means = twoMeansTop(data, before.share).means;
    const after = look();
    note =
      `M-step: the bound at our place rose by ${fixed(after.bound - before.bound, 3)}, ` +
      `the log-likelihood changed by ${fixed(after.value - before.value, 3)}. `;
  }
  function act(...steps) {
    return () => {
      for (const step of steps) step();
      fig.draw();
      fig.commit();
    };
  }
  const reset = () => {
    Object.assign(s, structuredClone(start), { view: s.view });
    note = "";
  };
  const other = () => {
    s.view = 3 - s.view;
    note = "";
  };
  const buttons = fig.buttons([
    ["E-step", act(expect)],
    ["M-step", act(maximise)],
    ["Step (E + M)", act(expect, maximise)],
    ["Reset", act(reset)],
    ["Two parameters", act(other)],
  ]);

  // Log-likelihood, bound and gap where we stand.
  function look() {
    if (one()) {
      const { posterior, logLikelihood } = infectionTest(s.prevalence);
      const bound = infectionBound(s.q, s.prevalence);
      return { posterior, value: logLikelihood, bound, gap: Math.max(0, logLikelihood - bound) };
    }
    const { share } = twoMeans(data, s.held),
      value = twoMeans(data, s.means).logLikelihood;
    const bound = twoMeansBound(data, share, s.means);
    return { share, value, bound, gap: Math.max(0, value - bound) };
  }

  function draw() {
    for (const chart of [curve, strip]) chart.node.style.display = one() ? "" : "none";
    map.node.style.display = one() ? "none" : "";
    buttons[4].textContent = one() ? "Two parameters" : "One parameter";
    const now = look(),
      still = now.gap < 5e-4;
    buttons.slice(0, 2).forEach((b, i) => b.classList.toggle("gmx-next", (i === 1) === still));
    const where = one() ? drawCurve(now) : drawMap(now);
    fig.tiles([
      ["log-likelihood", fixed(now.value, 3), "var(--gmx-ink)"],
      ["bound", fixed(now.bound, 3), COLORS[0]],
      ["gap (KL)", fixed(now.gap, 3), COLORS[2]],
      where,
    ]);
    fig.say(note + sentence(now, still));
  }

  function drawCurve(now) {
    const low = -8.4,
      cut = ([, y]) => y > low - 2;
    curve.begin([0, 1], [low, -5.1]);
    strip.begin([0, 1], [-1, 1]);
    const floor = prevalences.map((p) => [p, infectionBound(s.q, p)]).filter(cut);
    const likelihood = prevalences.map((p) => [p, infectionTest(p).logLikelihood]).filter(cut);
    curve.path(likelihood, { stroke: "var(--gmx-ink)" });
    curve.path(floor, { stroke: COLORS[0], "stroke-dasharray": DASHES[1] });
    const p = s.prevalence,
      top = (5 * s.q) / 8;
    curve.path(
      [
        [p, low],
        [p, now.bound],
      ],
      { stroke: COLORS[1], "stroke-width": 1.5, "stroke-dasharray": "2 4" },
    );
    curve.path(
      [
        [p, now.bound],
        [p, now.value],
      ],
      { stroke: COLORS[2], "stroke-width": 8, opacity: 0.6 },
    );
    curve.mark(1, top, infectionBound(s.q, top), 7, { fill: COLORS[0] });
    curve.mark(0, p, now.bound, 5, { fill: COLORS[1] });
    const target = [
      [now.posterior, -0.9],
      [now.posterior, 0.9],
    ];
    strip.path(target, { stroke: COLORS[2], "stroke-width": 4 });
    const end = now.posterior > 0.75 ? { "text-anchor": "end" } : {};
    const aside = now.posterior > 0.75 ? -8 : 8;
    strip.word(strip.px(now.posterior) + aside, strip.py(0.7) + 6, "posterior", end);
    return ["prevalence", fixed(p, 3), COLORS[1]];
  }

  function drawMap(now) {
    map.begin(SIDES, SIDES);
    const at = ([x, y]) => `${map.px(x).toFixed(1)} ${map.py(y).toFixed(1)}`;
    for (const pieces of lines) {
      const d = pieces.map(([a, b]) => `M${at(a)}L${at(b)}`).join("");
      map.raw("path", { d, fill: "none", stroke: "var(--gmx-soft)", "stroke-width": 1 });
    }
    const diagonal = [
      [SIDES[0], SIDES[0]],
      [SIDES[1], SIDES[1]],
    ];
    map.path(diagonal, { stroke: "var(--gmx-soft)", "stroke-width": 1, "stroke-dasharray": "2 4" });
    const top = twoMeansTop(data, now.share),
      peak = twoMeansBound(data, now.share, top.means);
    // The bound is a paraboloid: its contour lines, at the same levels, are ellipses.
    for (const level of [peak - 4, ...LEVELS.filter((v) => v < peak - 4)].slice(0, 5)) {
      const reach = top.counts.map((m) => Math.sqrt((2 * (peak - level) * s.sd ** 2) / m));
      const ring = linspace(0, 2 * Math.PI, 73).map((a) => [
        top.means[0] + reach[0] * Math.cos(a),
        top.means[1] + reach[1] * Math.sin(a),
      ]);
      map.path(ring, { stroke: COLORS[0], "stroke-width": 2, "stroke-dasharray": DASHES[1] });
    }
    map.path([s.held, top.means], { stroke: COLORS[0], "stroke-width": 2 });
    map.mark(0, ...s.held, 6, { fill: COLORS[2] });
    map.mark(1, ...top.means, 7, { fill: COLORS[0] });
    return ["means (minutes)", `${fixed(s.means[0], 1)}, ${fixed(s.means[1], 1)}`, COLORS[1]];
  }

  function sentence(now, still) {
    const begin = one()
      ? `Prevalence ${fixed(s.prevalence, 3)}, guess q ${fixed(s.q, 3)}: `
      : `Means ${fixed(s.means[0], 1)} and ${fixed(s.means[1], 1)}: `;
    const numbers =
      `log-likelihood ${fixed(now.value, 3)}, bound ${fixed(now.bound, 3)}, ` +
      `gap ${fixed(now.gap, 3)}. `;
    const goal = one() ? [(5 * s.q) / 8] : twoMeansTop(data, now.share).means;
    const here = one() ? [s.prevalence] : s.means;
    const rests = goal.every((v, k) => Math.abs(v - here[k]) < (one() ? 5e-4 : 0.005));
    if (still && rests)
      return `${begin}${numbers}The bound touches at its own top: EM stands still.`;
    if (still) {
      const place = goal.map((v) => fixed(v, one() ? 3 : 1)).join(" and ");
      return `${begin}${numbers}The bound touches here. M walks to its top, ${place} (triangle).`;
    }
    return `${begin}${numbers}The bound keeps below: an E-step lifts it until it touches.`;
  }
  return connect(fig, model, s);
}
export default { render };
