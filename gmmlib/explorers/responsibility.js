import {
  COLORS,
  clamp,
  connect,
  DASHES,
  figure,
  fixed,
  html,
  linspace,
  roundTop,
  short,
} from "./draw.js";
import { eStep1d } from "./maths.js";

// Which of two components made the point x? Bayes' rule at every x, and why "surely this one" is
// not "typical".
function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const wide = Math.max(...s.sds),
    low = Math.min(...s.means) - 6 * wide,
    high = Math.max(...s.means) + 6 * wide;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(wide))),
    num = (v) => fixed(v, digits);
  const unit = s.label.match(/\((.*)\)/)?.[1] ?? "",
    per = unit ? ` per ${unit.replace(/s$/, "")}` : "";
  const grid = linspace(low, high, 241);
  s.x = clamp(s.x, low, high);

  const fig = figure(el, {
    label: "Explorer: responsibilities of two components for one point",
    hint:
      "Drag the point x along the axis, or focus it and use the arrow keys. Go far to the " +
      "left and to the right.",
    draw,
  });
  const top = fig.chart({
    label: "Mixture density with its two weighted components, and the point x",
    height: (W) => (W < 480 ? 250 : 280),
    xlabel: "",
    ylabel: `density${per && ` (${per.trim()})`}`,
    bottom: 38,
  });
  const below = fig.chart({
    label: "Responsibilities at every x, stacked to one",
    height: 190,
    xlabel: s.label,
    ylabel: "responsibility",
    yticks: 2,
    role: "img",
  });
  const setX = (v) => (s.x = clamp(v, low, high));
  top.handle({
    label: `point x, ${s.label}`,
    glyph: "x",
    text: () => `${num(s.x)} ${unit}`.trim(),
    at: () => [s.x, 0],
    drag: setX,
    reach: 24,
    values: () => [{ now: s.x, set: setX, min: low, max: high, step: wide / 12 }],
  });
  const bar = html("div", { class: "gmx-bar", "aria-hidden": "true" }, fig.root);
  const pieces = [0, 1].map(() => html("i", {}, bar));

  function draw() {
    const all = grid.map((x) => eStep1d(x, s)),
      here = eStep1d(s.x, s),
      density = Math.exp(here.logDensity);
    const peak = Math.exp(Math.max(...all.map((e) => e.logDensity)));
    top.begin([low, high], [0, roundTop(peak)]);
    for (const k of [0, 1]) {
      const curve = grid.map((x, i) => [x, Math.exp(all[i].joint[k])]);
      top.path(
        [[low, 0], ...curve, [high, 0]],
        { fill: COLORS[k], "fill-opacity": 0.16, stroke: "none" },
        true,
      );
      top.path(curve, { stroke: COLORS[k], "stroke-dasharray": DASHES[k] });
      const x = s.means[k],
        y = Math.exp(eStep1d(x, s).joint[k]);
      top.word(top.px(x), top.py(y * 0.42), s.names[k], { "text-anchor": "middle" });
      top.mark(k, s.x, Math.exp(here.joint[k]), 6, {
        fill: COLORS[k],
        stroke: "var(--gmx-bg)",
        "stroke-width": 1.5,
      });
    }
    top.path(
      grid.map((x, i) => [x, Math.exp(all[i].logDensity)]),
      { stroke: "var(--gmx-ink)", "stroke-width": 2 },
    );
    below.begin([low, high], [0, 1]);
    const split = grid.map((x, i) => [x, all[i].resp[0]]);
    below.path(
      [[low, 0], ...split, [high, 0]],
      { fill: COLORS[0], "fill-opacity": 0.3, stroke: "none" },
      true,
    );
    below.path(
      [[low, 1], ...split, [high, 1]],
      { fill: COLORS[1], "fill-opacity": 0.3, stroke: "none" },
      true,
    );
    below.path(split, { stroke: "var(--gmx-ink)" });
    const order = s.means[0] < s.means[1] ? [0, 1] : [1, 0],
      middle = (below.py(0) + below.py(1)) / 2 + 5;
    below.word(below.px(low) + 10, middle, s.names[order[0]]);
    below.word(below.px(high) - 10, middle, s.names[order[1]], { "text-anchor": "end" });
    for (const chart of [top, below])
      chart.path(
        [
          [s.x, 0],
          [s.x, chart.limits()[1][1]],
        ],
        { stroke: "var(--gmx-ink)", "stroke-width": 1.5, "stroke-dasharray": "2 4" },
      );
    below.mark(0, s.x, here.resp[0], 6, {
      fill: "var(--gmx-ink)",
      stroke: "var(--gmx-bg)",
      "stroke-width": 1.5,
    });
    pieces.forEach((piece, k) => {
      const stripes = k
        ? "background-image:repeating-linear-gradient(45deg,transparent 0 7px," +
          "var(--gmx-bg) 7px 9px);"
        : "";
      piece.style.cssText = `flex:${here.resp[k]} 1 0;background-color:${COLORS[k]};${stripes}`;
    });
    const odds = here.joint[0] - here.joint[1]; // of the first component, as in chapter 6
    fig.tiles([
      ...[0, 1].map((k) => [
        `${"\u25cf\u25b2"[k]} responsibility, ${s.names[k]}`,
        part(here.resp[k]),
        COLORS[k],
      ]),
      [`log-odds of ${s.names[0]} (natural log)`, fixed(odds), COLORS[odds > 0 ? 0 : 1]],
      [`density at x${per && `,${per}`}`, short(density), "var(--gmx-ink)"],
    ]);
    fig.say(sentence(here, density / peak, odds));
  }

  const part = (r) => (r > 0.9995 ? "0.9995 or more" : r < 0.0005 ? short(r, 2) : fixed(r, 3));

  function sentence({ resp }, share, odds) {
    const k = resp[1] > resp[0] ? 1 : 0,
      away = Math.min(...s.means.map((m, j) => Math.abs(s.x - m) / s.sds[j]));
    const start =
      `At x = ${num(s.x)}${unit && ` ${unit}`}, the responsibilities are ` +
      `${part(resp[0])} (${s.names[0]}) and ${part(resp[1])} (${s.names[1]}); log-odds of ` +
      `${s.names[0]} ${fixed(odds)}. `;
    if (away > 3)
      return (
        `${start}Sure which, yet typical of neither: x is ${fixed(away, 1)} standard ` +
        `deviations from the nearest mean, and the density there is ${short(share, 2)} of its peak.`
      );
    const leaning =
      Math.abs(odds) < 0.05 ? "as good as a coin toss" : `more probably from ${s.names[k]}`;
    if (resp[k] < 0.9) return `${start}The point could be from either, ${leaning}.`;
    return (
      `${start}Most probably from ${s.names[k]}: x is ` +
      `${fixed(Math.abs(s.x - s.means[k]) / s.sds[k], 1)} standard deviations from that mean.`
    );
  }
  return connect(fig, model, s);
}
export default { render };
