import { COLORS, clamp, connect, DASHES, figure, fixed, short } from "./draw.js";
import { ellipse, eStep, mStep, variances } from "./maths.js";

// EM for a Gaussian mixture in the plane: drag the starting means, then take half-steps.
function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  let theta, resp, fresh, trace, paths, note, timer;
  const sides = () =>
    [0, 1].map((d) => {
      const values = [...s.X, ...s.means].map((x) => x[d]),
        low = Math.min(...values),
        high = Math.max(...values);
      return [low - 0.08 * (high - low), high + 0.08 * (high - low)];
    });
  let limits = sides();
  const digits = limits.map(([a, b]) => Math.max(0, 2 - Math.floor(Math.log10(b - a)))),
    num = (v, d) => fixed(v, digits[d]);

  const fig = figure(el, {
    label: "Explorer: EM for a Gaussian mixture, step by step",
    hint:
      "Drag the numbered means to a start (arrow keys work too). Then alternate E and M, " +
      "or press Run.",
    draw,
  });
  const chart = fig.chart({
    label: "Scatter plot with one ellipse a component",
    height: (W) => (W < 480 ? 340 : 430),
    xlabel: s.names[0],
    ylabel: s.names[1],
  });

  // A start: equal weights, the variances of all points along the axes.
  function reset(why = "Start") {
    pause();
    const [v, w] = variances(s.X),
      K = s.means.length;
    theta = {
      weights: s.means.map(() => 1 / K),
      means: structuredClone(s.means),
      covs: s.means.map(() => [
        [v, 0],
        [0, w],
      ]),
    };
    [resp, fresh, note] = [null, false, why];
    trace = [eStep(s.X, theta).logLikelihood];
    paths = s.means.map((m) => [[...m]]);
  }
  function expect() {
    note = fresh
      ? "E-step again: the responsibilities already belong to these parameters. Next: M."
      : "E-step: every point has its responsibilities. Next: M.";
    [resp, fresh] = [eStep(s.X, theta).resp, true];
  }
  function maximise() {
    if (!resp) {
      note = "The M-step needs responsibilities: take an E-step first.";
      return;
    }
    if (!fresh) {
      note = "M-step again: the same responsibilities give the same parameters. Next: E.";
      return;
    }
    try {
      const next = mStep(s.X, resp),
        value = eStep(s.X, next).logLikelihood;
      [theta, fresh] = [next, false];
      trace.push(value);
      theta.means.forEach((m, k) => paths[k].push(m));
      note =
        `M-step: weights, means and covariances are new; the log-likelihood changed by ` +
        `${signed(gain())}. Next: E.`;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      pause();
      note = `Stopped: ${error.message}. Reset, or drag the means to another start.`;
      return false;
    }
  }
  const gain = () => trace.at(-1) - trace.at(-2),
    done = () => trace.length > 1 && Math.abs(gain()) < 1e-6;
  const signed = (v) =>
    Math.abs(v) < 1e-6 ? "less than 0.000001" : (v > 0 ? "+" : "") + short(v, 3);
  function step() {
    if (!fresh) expect();
    if (maximise() === false) return false;
    note = done()
      ? `Converged after ${trace.length - 1} iterations: the last one gained less than 0.000001.`
      : `Iteration ${trace.length - 1}: the log-likelihood changed by ${signed(gain())}.`;
    if (!done()) return true;
    expect();
    note =
      `Converged after ${trace.length - 1} iterations: the last one gained less than ` +
      `0.000001.`;
    return false;
  }

  function pause() {
    clearTimeout(timer);
    timer = undefined;
  }
  function run() {
    if (timer) pause();
    else if (fig.still) for (let i = 0; i < 2000 && step(); i++);
    else tick();
    fig.draw();
  }
  function tick() {
    timer =
      step() && trace.length <= 2000
        ? setTimeout(
            () => {
              tick();
              fig.draw();
            },
            trace.length < 12 ? 260 : 90,
          )
        : undefined;
  }

  theta = null;
  const act = (what) => () => {
    pause();
    what();
    fig.draw();
  };
  const [eButton, mButton, , runButton] = fig.buttons([
    ["E-step", act(expect)],
    ["M-step", act(maximise)],
    ["Step (E + M)", act(step)],
    ["Run", run],
    [
      "Reset",
      act(() => {
        reset();
      }),
    ],
  ]);
  const rising = fig.chart({
    label: "Log-likelihood after each iteration",
    height: 170,
    xlabel: "iteration",
    ylabel: "log-likelihood",
    left: 58,
    yticks: 4,
    role: "img",
  });

  s.means.forEach((_, k) => {
    const set = (d) => (v) => {
      s.means[k] = structuredClone(theta.means[k]);
      s.means[k][d] = clamp(v, ...limits[d]);
    };
    const value = (d) => ({
      now: theta.means[k][d],
      set: set(d),
      min: limits[d][0],
      max: limits[d][1],
      step: (limits[d][1] - limits[d][0]) / 100,
    });
    chart.handle({
      label: `mean ${k + 1}: left and right for ${s.names[0]}, up and down for ${s.names[1]}`,
      glyph: `${k + 1}`,
      color: COLORS[k],
      text: () => `${num(theta.means[k][0], 0)}, ${num(theta.means[k][1], 1)}`,
      at: () => theta.means[k],
      drag: (x, y) => {
        s.means[k] = [clamp(x, ...limits[0]), clamp(y, ...limits[1])];
      },
      values: () => [value(0), value(1)],
    });
  });
  fig.touched = () => {
    // Moving one mean makes a new start, with the other means where they stand.
    s.means = s.means.map((m, k) =>
      m.every((v, d) => v === paths[k][0][d]) ? [...theta.means[k]] : m,
    );
    reset("New start: equal weights, axis-parallel ellipses");
  };

  function draw() {
    chart.begin(...limits);
    const K = s.means.length;
    if (!resp)
      for (const [x, y] of s.X) chart.mark(0, x, y, 2.6, { fill: "var(--gmx-soft)", opacity: 0.7 });
    else
      s.X.forEach(([x, y], n) => {
        const top = Math.max(...resp[n]),
          k = resp[n].indexOf(top),
          sure = K === 1 ? 1 : (top - 1 / K) / (1 - 1 / K);
        chart.mark(k, x, y, 4.4 * Math.sqrt(0.3 + 0.7 * sure), {
          style: `fill:${mixed(resp[n])}`,
          opacity: 0.85,
        });
      });
    theta.weights.forEach((_, k) => {
      chart.path(
        ellipse(theta.means[k], theta.covs[k]),
        { stroke: COLORS[k], "stroke-width": 3, "stroke-dasharray": DASHES[k] },
        true,
      );
      if (paths[k].length > 1)
        chart.path(paths[k], {
          stroke: "var(--gmx-ink)",
          "stroke-width": 1.5,
          "stroke-dasharray": "2 3",
        });
    });
    const n = trace.length - 1,
      low = Math.min(...trace),
      high = Math.max(...trace),
      room = 0.12 * (high - low) || 1;
    rising.begin([-0.02 * Math.max(10, n), 1.02 * Math.max(10, n)], [low - room, high + room]);
    rising.path(
      trace.map((v, i) => [i, v]),
      { stroke: "var(--gmx-ink)" },
    );
    trace.forEach((v, i) =>
      rising.mark(0, i, v, i === n ? 5 : 2.6, { fill: i === n ? COLORS[0] : "var(--gmx-ink)" }),
    );
    rising.node.setAttribute(
      "aria-label",
      `Log-likelihood after each iteration, from ${fixed(trace[0])} to ${fixed(trace[n])} at ` +
        `iteration ${n}`,
    );
    eButton.className = fresh ? "" : "gmx-next";
    mButton.className = fresh ? "gmx-next" : "";
    runButton.textContent = timer ? "Pause" : "Run";
    fig.tiles([
      ["iteration", `${n}`],
      ["log-likelihood", fixed(trace[n]), "var(--gmx-ink)"],
      ...theta.weights.map((w, k) => [
        `${"\u25cf\u25b2\u25a0"[k]} weight ${k + 1}`,
        fixed(w, 3),
        COLORS[k],
      ]),
    ]);
    const means = theta.means
      .map((m, k) => `mean ${k + 1} at (${num(m[0], 0)}, ${num(m[1], 1)})`)
      .join(", ");
    const say = `${note.replace(/\.$/, "")}. Log-likelihood ${fixed(trace[n])}; ${means}.`;
    if (!timer || n % 10 === 0) fig.say(say);
  }
  // The components' colours, mixed in the proportions of the responsibilities.
  function mixed(shares) {
    let color = COLORS[0],
      total = shares[0];
    for (let k = 1; k < shares.length; k++) {
      total += shares[k];
      color =
        `color-mix(in srgb, ${color} ` +
        `${((100 * (total - shares[k])) / total || 0).toFixed(1)}%, ${COLORS[k]})`;
    }
    return color;
  }

  reset();
  const stop = connect(fig, model, s, () => {
    limits = sides();
    reset();
  });
  return () => {
    pause();
    stop();
  };
}
export default { render };
