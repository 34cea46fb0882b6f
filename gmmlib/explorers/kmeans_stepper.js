import { COLORS, clamp, connect, figure, fixed, short } from "./draw.js";
import { assign, inertiaOf, updateCenters, voronoiCell } from "./maths.js";

const MARKS = "\u25cf\u25b2\u25a0\u25c6\u25bc\u271a";

// k-means in the plane: drag the centres, then assign and update, and see each half-step lower the
// inertia.
function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  let centers, labels, trace, paths, note, timer, last;
  const ends = new Map();
  const sides = () =>
    [0, 1].map((d) => {
      const values = [...s.X, ...s.centers].map((x) => x[d]),
        low = Math.min(...values),
        high = Math.max(...values);
      return [low - 0.06 * (high - low), high + 0.06 * (high - low)];
    });
  let limits = sides();

  const fig = figure(el, {
    label: "Explorer: k-means, step by step",
    hint:
      "Drag the numbered centres to a start (arrow keys work too). Then alternate Assign " +
      "and Update, or press Run.",
    draw,
  });
  const chart = fig.chart({
    label: "Scatter plot with centres and their Voronoi cells",
    height: (W) => Math.min(W * 0.92, 470),
    xlabel: s.names[0],
    ylabel: s.names[1],
  });

  function reset(why = "Start: no point belongs to a centre yet. Next: Assign.") {
    pause();
    centers = structuredClone(s.centers);
    [labels, trace, note, last] = [null, [], why, ""];
    paths = centers.map((c) => [[...c]]);
  }
  const stale = () => assign(s.X, centers).labels.filter((label, n) => label !== labels[n]).length;
  const points = (n) => `${n} point${n === 1 ? "" : "s"}`;
  function give() {
    const before = labels,
      next = assign(s.X, centers),
      moved = before ? next.labels.filter((l, n) => l !== before[n]).length : s.X.length;
    labels = next.labels;
    if (last !== "assign") trace.push(next.inertia);
    last = "assign";
    note =
      before && !moved
        ? "Assign: no point changed its centre."
        : `Assign: ${points(moved)} went to ${moved === 1 ? "its" : "their"} nearest centre. ` +
          `Next: Update.`;
    return moved;
  }
  function update() {
    if (!labels) {
      note = "Update needs labels: press Assign first.";
      return;
    }
    if (last === "update") {
      note = "Update again: the same points have the same means. Next: Assign.";
      return;
    }
    centers = updateCenters(s.X, labels, centers);
    trace.push(inertiaOf(s.X, labels, centers));
    centers.forEach((c, k) => paths[k].push(c));
    last = "update";
    note =
      `Update: every centre is the mean of its points. ${points(stale())} (ringed) now ` +
      `${stale() === 1 ? "lies" : "lie"} in another cell. Next: Assign.`;
  }
  function step() {
    if (last !== "assign") give();
    update();
    return arrived();
  }
  // One half-step, for Run; false when nothing can move any more.
  function half() {
    if (last === "assign") update();
    else give();
    return !arrived();
  }
  function arrived() {
    if (last !== "update" || stale()) return false;
    const end = fixed(trace.at(-1)),
      first = !paths.ended;
    paths.ended = true;
    if (first) ends.set(end, (ends.get(end) ?? 0) + 1);
    note =
      `Arrived: no point lies in another cell, so nothing moves any more. This end has ` +
      `inertia ${end}.`;
    return true;
  }

  function pause() {
    clearTimeout(timer);
    timer = undefined;
  }
  function run() {
    if (timer) pause();
    else if (fig.still) for (let i = 0; i < 2000 && half(); i++);
    else tick();
    fig.draw();
  }
  function tick() {
    timer = half()
      ? setTimeout(() => {
          tick();
          fig.draw();
        }, 350)
      : undefined;
  }

  const act = (what) => () => {
    pause();
    what();
    fig.draw();
  };
  const [assignButton, updateButton, , runButton] = fig.buttons([
    ["Assign", act(give)],
    [
      "Update",
      act(() => {
        update();
        if (labels) arrived();
      }),
    ],
    ["Step (both)", act(step)],
    ["Run", run],
    ["Reset", act(() => reset())],
  ]);
  const falling = fig.chart({
    label: "Inertia after each half-step",
    height: 170,
    xlabel: "half-step (\u25cf assign, \u25b2 update)",
    ylabel: "inertia",
    yticks: 4,
    role: "img",
    left: 52,
  });

  s.centers.forEach((_, k) => {
    const set = (d) => (v) => {
      s.centers[k] = [...centers[k]];
      s.centers[k][d] = clamp(v, ...limits[d]);
    };
    const value = (d) => ({
      now: centers[k][d],
      set: set(d),
      min: limits[d][0],
      max: limits[d][1],
      step: (limits[d][1] - limits[d][0]) / 100,
    });
    chart.handle({
      label: `centre ${k + 1}: left and right for ${s.names[0]}, up and down for ${s.names[1]}`,
      glyph: `${k + 1}`,
      color: COLORS[k],
      text: () => `${short(centers[k][0])}, ${short(centers[k][1])}`,
      at: () => centers[k],
      drag: (x, y) => {
        s.centers[k] = [clamp(x, ...limits[0]), clamp(y, ...limits[1])];
      },
      values: () => [value(0), value(1)],
    });
  });
  fig.touched = () => {
    // Moving one centre makes a new start, with the others where they stand.
    s.centers = s.centers.map((c, k) =>
      c.every((v, d) => v === paths[k][0][d]) ? [...centers[k]] : c,
    );
    reset("New start. Next: Assign.");
  };

  function draw() {
    chart.begin(...limits, true);
    // Cells reach past the edge, so that only the borders between them are seen.
    const beyond = chart.limits().map(([a, b]) => [a - (b - a) / 20, b + (b - a) / 20]);
    if (centers.length > 1)
      centers.forEach((_, k) => {
        const cell = voronoiCell(k, centers, beyond);
        if (cell.length)
          chart.path(
            cell,
            { fill: COLORS[k], "fill-opacity": 0.1, stroke: "var(--gmx-ink)", "stroke-width": 1.2 },
            true,
          );
      });
    const nearest = assign(s.X, centers).labels;
    s.X.forEach(([x, y], n) => {
      if (!labels) return void chart.mark(0, x, y, 2.6, { fill: "var(--gmx-soft)", opacity: 0.8 });
      chart.mark(labels[n], x, y, 3.9, { fill: COLORS[labels[n]], opacity: 0.85 });
      if (labels[n] !== nearest[n])
        chart.mark(0, x, y, 7.5, { fill: "none", stroke: "var(--gmx-ink)", "stroke-width": 1.5 });
    });
    for (const path of paths)
      if (path.length > 1)
        chart.path(path, {
          stroke: "var(--gmx-ink)",
          "stroke-width": 1.5,
          "stroke-dasharray": "2 3",
        });
    const n = trace.length,
      low = n ? Math.min(...trace) : 0,
      high = n ? Math.max(...trace) : 1,
      room = 0.14 * (high - low) || 1;
    falling.begin([0.8, Math.max(10, n) * 1.02], [Math.max(0, low - room), high + room], false, !n);
    if (n)
      falling.path(
        trace.map((v, i) => [i + 1, v]),
        { stroke: "var(--gmx-ink)" },
      );
    trace.forEach((v, i) =>
      falling.mark(i % 2, i + 1, v, i === n - 1 ? 6 : 4, {
        fill: i === n - 1 ? COLORS[0] : "var(--gmx-ink)",
      }),
    );
    falling.node.setAttribute(
      "aria-label",
      n
        ? `Inertia after each half-step, from ${fixed(trace[0])} down to ${fixed(trace[n - 1])}`
        : "Inertia after each half-step: no step yet",
    );
    assignButton.className = last === "assign" ? "" : "gmx-next";
    updateButton.className = last === "assign" ? "gmx-next" : "";
    runButton.textContent = timer ? "Pause" : "Run";
    const sorted = [...ends].sort((a, b) => a[0] - b[0]);
    fig.tiles([
      ["half-steps", `${n}`],
      ["inertia", n ? fixed(trace[n - 1]) : "\u2013", "var(--gmx-ink)"],
      [
        "points a centre",
        labels
          ? centers
              .map((_, k) => `${MARKS[k]}\u202f${labels.filter((l) => l === k).length}`)
              .join("  ")
          : "\u2013",
      ],
      [
        "ends you have found",
        sorted.length
          ? sorted
              .slice(0, 3)
              .map(([v]) => v)
              .join(", ") + (sorted.length > 3 ? ", \u2026" : "")
          : "none yet",
      ],
    ]);
    const best =
      sorted.length > 1 ? ` The best of ${sorted.length} ends so far is ${sorted[0][0]}.` : "";
    const where = centers
      .map((c, k) => `centre ${k + 1} at (${short(c[0])}, ${short(c[1])})`)
      .join(", ");
    fig.say(
      `${note}${n && !paths.ended ? ` Inertia ${fixed(trace[n - 1])}.` : ""}${best} ` +
        `C${where.slice(1)}.`,
    );
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
