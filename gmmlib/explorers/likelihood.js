import { COLORS, clamp, connect, figure, fixed, linspace, roundTop } from "./draw.js";
import { bellLikelihood, likelihoodContour, logGaussian1d, summary } from "./maths.js";

// One bell over points, and the surface of its log-likelihood: where both scores are zero is the
// top.
const DROPS = [0.5, 2, 4.5, 8, 16, 32, 64, 128, 256, 512];

function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const all = summary(s.x),
    wide = Math.sqrt(all.var);
  const meanLim = [all.mean - 1.8 * wide, all.mean + 1.8 * wide],
    logLim = [Math.log(0.35 * wide), Math.log(2.2 * wide)];
  const line = [
    Math.min(all.mean - 4 * wide, ...s.x) - 0.2 * wide,
    Math.max(all.mean + 4 * wide, ...s.x) + 0.2 * wide,
  ];
  const unit = s.label.match(/\((.*)\)/)?.[1] ?? "",
    per = unit ? ` per ${unit.replace(/s$/, "")}` : "";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(wide))),
    num = (v) => fixed(v, digits);
  const start = { mean: s.mean, sd: s.sd },
    meanStep = wide / 20,
    logStep = 0.02;
  const points = () => s.x.slice(0, s.n);
  const density = (x) => Math.exp(logGaussian1d(x, s.mean, s.sd));

  const fig = figure(el, {
    label: "Explorer: a bell over points and the surface of its log-likelihood",
    hint:
      "Drag \u03bc, \u03c3 or the point \u03b8 on the surface, or focus one and use the arrow " +
      "keys. A handle clicks into place where a score is zero.",
    draw,
  });
  const above = fig.chart({
    label: "Points and the bell above them",
    height: (W) => (W < 480 ? 260 : 290),
    xlabel: s.label,
    ylabel: `density${per && ` (${per.trim()})`}`,
  });
  const below = fig.chart({
    label: "Contours of the log-likelihood over the mean and the logarithm of the sd",
    height: (W) => (W < 480 ? 330 : 370),
    xlabel: `mean \u03bc${unit && ` (${unit})`}`,
    ylabel: `ln \u03c3${unit && ` (\u03c3 in ${unit})`}`,
  });

  // Near the line on which a score is zero, take the line.
  const nearest = (v, zero, step) => (Math.abs(v - zero) < 0.5 * step ? zero : v);
  const bestLog = () => {
    const { mean, var: around } = summary(points());
    return 0.5 * Math.log(around + (mean - s.mean) ** 2);
  };
  const setMean = (v) => (s.mean = clamp(nearest(v, summary(points()).mean, meanStep), ...meanLim));
  const setLog = (v) => (s.sd = Math.exp(clamp(nearest(v, bestLog(), logStep), ...logLim)));
  const range = {
    mean: () => ({ now: s.mean, set: setMean, min: meanLim[0], max: meanLim[1], step: meanStep }),
    log: () => ({
      now: Math.log(s.sd),
      set: setLog,
      min: logLim[0],
      max: logLim[1],
      step: logStep,
    }),
  };
  above.handle({
    label: "mean",
    glyph: "\u03bc",
    color: COLORS[0],
    text: () => `${num(s.mean)} ${unit}`.trim(),
    at: () => [s.mean, density(s.mean), 0, -18],
    drag: setMean,
    values: () => [range.mean()],
  });
  above.handle({
    label: "logarithm of the standard deviation",
    glyph: "\u03c3",
    color: COLORS[0],
    text: () => `${fixed(Math.log(s.sd))}, standard deviation ${num(s.sd)} ${unit}`.trim(),
    at: () => [s.mean + s.sd, density(s.mean + s.sd)],
    drag: (x) => setLog(Math.log(Math.max(x - s.mean, 1e-3 * wide))),
    values: () => [range.log()],
  });
  below.handle({
    label: "point on the surface: mean, and upwards the logarithm of the standard deviation",
    glyph: "\u03b8",
    color: COLORS[1],
    text: () => `mean ${num(s.mean)}, standard deviation ${num(s.sd)} ${unit}`.trim(),
    at: () => [s.mean, Math.log(s.sd)],
    drag: (x, y) => {
      setMean(x);
      setLog(y);
    },
    values: () => [range.mean(), range.log()],
  });

  const act = (change) => () => {
    change();
    fig.commit();
    fig.draw();
  };
  const place = (mean, log) => {
    s.mean = clamp(mean, ...meanLim);
    s.sd = Math.exp(clamp(log, ...logLim));
  };
  // Score over information: N / sd^2 for the mean, 2 N for ln(sd).
  const target = () => {
    const { score } = bellLikelihood(summary(points()), s.mean, s.sd);
    return [s.mean + (score[0] * s.sd ** 2) / s.n, Math.log(s.sd) + score[1] / (2 * s.n)];
  };
  const sizes = [...new Set([s.few, s.x.length])];
  fig.buttons([
    ["Step: score / information", act(() => place(...target()))],
    ["Back to the start", act(() => place(start.mean, Math.log(start.sd)))],
    ...sizes.map((n) => [`${n} points`, act(() => (s.n = n))]),
  ]);

  function draw() {
    const data = points(),
      known = summary(data),
      here = bellLikelihood(known, s.mean, s.sd);
    above.begin(line, [0, roundTop(density(s.mean) * 1.15)]);
    const faint = clamp(6 / data.length, 0.12, 0.9);
    for (const x of data)
      above.path(
        [
          [x, 0],
          [x, density(x)],
        ],
        { stroke: "var(--gmx-ink)", "stroke-width": 2.5, opacity: faint },
      );
    for (const x of data)
      above.mark(0, x, 0, 4, { fill: "var(--gmx-ink)", opacity: Math.max(0.35, faint) });
    above.path(
      linspace(...line, 161).map((x) => [x, density(x)]),
      { stroke: COLORS[0], "stroke-width": 3 },
    );
    surface(known);
    const arrow = target();
    below.path([[s.mean, Math.log(s.sd)], arrow], { stroke: COLORS[1], "stroke-width": 3 });
    fig.tiles([
      ["log-likelihood", fixed(here.logLikelihood)],
      ["below the top", fixed(here.drop)],
      [`score of \u03bc${per && ` (${per.trim()})`}`, fixed(here.score[0], 3), COLORS[0]],
      ["score of ln \u03c3", fixed(here.score[1]), COLORS[2]],
    ]);
    fig.say(sentence(here));
  }

  function surface(known) {
    below.begin(meanLim, logLim);
    for (const drop of DROPS)
      below.path(
        likelihoodContour(known, drop, [logLim[0] - 0.5, logLim[1] + 0.5]),
        {
          stroke: drop === 2 ? "var(--gmx-ink)" : "var(--gmx-soft)",
          "stroke-width": drop === 2 ? 2.5 : 1.4,
        },
        true,
      );
    below.path(
      logLim.map((v) => [known.mean, v]),
      { stroke: COLORS[0], "stroke-dasharray": "2 5" },
    );
    below.path(
      linspace(...meanLim, 81).map((m) => [m, 0.5 * Math.log(known.var + (known.mean - m) ** 2)]),
      { stroke: COLORS[2], "stroke-dasharray": "9 5" },
    );
    below.mark(5, known.mean, 0.5 * Math.log(known.var), 6, { fill: "var(--gmx-ink)" });
  }

  function sentence({ drop, score }) {
    const flat = score.map((v, i) => Math.abs(v) < (i ? 0.005 : 0.0005));
    const go = [
      flat[0] ? "is zero" : `is ${fixed(score[0], 3)}${per}: go ${score[0] > 0 ? "right" : "left"}`,
      flat[1] ? "is zero" : `is ${fixed(score[1])}: go ${score[1] > 0 ? "wider" : "narrower"}`,
    ];
    return (
      `${s.n} points. Mean ${num(s.mean)}, standard deviation ${num(s.sd)} ${unit}`.trim() +
      (flat[0] && flat[1]
        ? ". Both scores are zero: this is the top."
        : `. The score of the mean ${go[0]}. The score of ln \u03c3 ${go[1]}. ` +
          `${fixed(drop)} below the top${drop <= 2 ? ", inside the bold contour" : ""}.`)
    );
  }
  return connect(fig, model, s);
}
export default { render };
