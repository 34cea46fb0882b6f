// The mathematics of the explorers. tests/explorers holds it against gmmlib, to 1e-10. X is an
// array of [x, y]; a mixture is {weights, means, covs} in the plane, {weights, means, sds} on a
// line.

const LOG_2PI = Math.log(2 * Math.PI);
const sum = (values) => values.reduce((a, b) => a + b, 0);

export function logSumExp(values) {
  const top = Math.max(...values);
  return top === -Infinity ? top : top + Math.log(sum(values.map((v) => Math.exp(v - top))));
}

// ---- on a line

export function logGaussian1d(x, mean, sd) {
  const z = (x - mean) / sd;
  return -0.5 * (LOG_2PI + z * z) - Math.log(sd);
}

// Below 2.5 a series without cancellation, above it the continued fraction of the tail.
function erfc(x) {
  if (x < 0) return 2 - erfc(-x);
  const bell = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2.5) {
    let term = x,
      total = x;
    for (let n = 1; term > 1e-17 * total; n++) total += term *= (2 * x * x) / (2 * n + 1);
    return 1 - 2 * bell * total;
  }
  let tail = x;
  for (let n = 80; n > 0; n--) tail = x + n / 2 / tail;
  return bell / tail;
}

export function intervalProbability(a, b, mean, sd) {
  let [low, high] = [(a - mean) / sd, (b - mean) / sd];
  if (low + high < 0) [low, high] = [-high, -low]; // the side where tails keep their digits
  return (erfc(low / Math.SQRT2) - erfc(high / Math.SQRT2)) / 2;
}

export function eStep1d(x, { weights, means, sds }) {
  const joint = weights.map((w, k) => Math.log(w) + logGaussian1d(x, means[k], sds[k]));
  const logDensity = logSumExp(joint);
  return { joint, logDensity, resp: joint.map((v) => Math.exp(v - logDensity)) };
}

// Number of points, their mean and their variance: all that a bell's likelihood needs of them.
export function summary(x) {
  const mean = sum(x) / x.length;
  return { N: x.length, mean, var: sum(x.map((v) => (v - mean) ** 2)) / x.length };
}

// Log-likelihood of a bell, its height below the top, and its slope in the mean and in ln(sd).
export function bellLikelihood({ N, mean: centre, var: around }, mean, sd) {
  const square = (around + (centre - mean) ** 2) / sd ** 2; // mean square of z
  const top = -0.5 * N * (LOG_2PI + Math.log(around) + 1);
  const logLikelihood = -0.5 * N * (LOG_2PI + 2 * Math.log(sd) + square);
  return {
    logLikelihood,
    drop: top - logLikelihood,
    score: [(N * (centre - mean)) / sd ** 2, N * (square - 1)],
  };
}

// The closed line of bells, as [mean, ln(sd)], whose log-likelihood is `drop` below the top; of
// the ln(sd) only those within `limits` (and a closing line at the limit).
export function likelihoodContour(
  { N, mean, var: around },
  drop,
  limits = [-Infinity, Infinity],
  n = 60,
) {
  const c = 1 + (2 * drop) / N; // with u = ln(sd) above its best: the mean is off by sd0 sqrt(f(u))
  const f = (u) => Math.exp(2 * u) * (c - 2 * u) - 1;
  const [least, most] = limits.map((v) => v - Math.log(around) / 2);
  const low = Math.max(
      bisect((u) => -f(u), -c, 0),
      least,
    ),
    high = Math.min(bisect(f, 0, c / 2), most);
  const side = Array.from({ length: n + 1 }, (_, i) => {
    const u = (low + high) / 2 - ((high - low) / 2) * Math.cos((Math.PI * i) / n);
    return [Math.sqrt(around * Math.max(0, f(u))), u + Math.log(around) / 2];
  });
  return [
    ...side.map(([off, v]) => [mean + off, v]),
    ...side.reverse().map(([off, v]) => [mean - off, v]),
  ];
}

// Numbers from 0 to 1, the same for the same seed (Mulberry32).
export function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// The story of a mixture: a dart u falls on a strip that the weights divide, and so chooses a
// component z; x is drawn from its bell (Box and Muller).
export function tellStory(uniform, { weights, means, sds }) {
  const u = uniform();
  let z = 0;
  for (let edge = weights[0]; u >= edge && z < weights.length - 1; edge += weights[z]) z++;
  const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { u, z, x: means[z] + sds[z] * normal };
}

// Every mode lies between the smallest and the largest mean: walk there, watch the slope change
// sign.
export function modes({ weights, means, sds }) {
  const slope = (x) =>
    sum(
      weights.map(
        (w, k) => (w * Math.exp(logGaussian1d(x, means[k], sds[k])) * (means[k] - x)) / sds[k] ** 2,
      ),
    );
  const step = Math.min(...sds) / 40;
  const low = Math.min(...means) - step,
    high = Math.max(...means) + step;
  const n = Math.min(20000, Math.ceil((high - low) / step));
  const found = [];
  let left = low,
    rising = true;
  for (let i = 1; i <= n; i++) {
    const right = low + ((high - low) * i) / n,
      s = slope(right);
    if (rising && s < 0) found.push(bisect(slope, left, right));
    if (s !== 0) [rising, left] = [s > 0, right];
  }
  return found;
}

function bisect(slope, left, right) {
  for (let i = 0; i < 60; i++) {
    const mid = (left + right) / 2;
    if (slope(mid) > 0) left = mid;
    else right = mid;
  }
  return (left + right) / 2;
}

// ---- in the plane

export function cholesky([[a], [b, c]]) {
  const l11 = Math.sqrt(a),
    l21 = b / l11,
    l22 = Math.sqrt(c - l21 * l21);
  if (!(l11 > 0 && l22 > 0)) throw new RangeError("a covariance is not positive definite");
  return [l11, l21, l22];
}

export function logGaussian(X, mean, cov) {
  const [l11, l21, l22] = cholesky(cov);
  const constant = LOG_2PI + Math.log(l11) + Math.log(l22);
  return X.map(([x, y]) => {
    const z1 = (x - mean[0]) / l11,
      z2 = (y - mean[1] - l21 * z1) / l22;
    return -constant - (z1 * z1 + z2 * z2) / 2;
  });
}

export function eStep(X, { weights, means, covs }) {
  const joint = weights.map((w, k) =>
    logGaussian(X, means[k], covs[k]).map((v) => Math.log(w) + v),
  );
  const logDensity = X.map((_, n) => logSumExp(joint.map((row) => row[n])));
  const resp = X.map((_, n) => joint.map((row) => Math.exp(row[n] - logDensity[n])));
  return { resp, logDensity, logLikelihood: sum(logDensity) };
}

export function mStep(X, resp) {
  const centre = meanOf(X),
    K = resp[0].length;
  const mass = Array.from({ length: K }, (_, k) => sum(resp.map((row) => row[k])));
  if (!mass.every((m) => m > 0)) throw new RangeError("a component has no points left");
  const means = mass.map((m, k) =>
    [0, 1].map((d) => centre[d] + sum(X.map((x, n) => resp[n][k] * (x[d] - centre[d]))) / m),
  );
  const covs = mass.map((m, k) => {
    const entry = (i, j) =>
      // around the new mean
      sum(X.map((x, n) => resp[n][k] * (x[i] - means[k][i]) * (x[j] - means[k][j]))) / m;
    const off = entry(0, 1);
    return [
      [entry(0, 0), off],
      [off, entry(1, 1)],
    ];
  });
  return { weights: mass.map((m) => m / sum(mass)), means, covs };
}

// One Gaussian from points with votes: the M-step of a single component.
export function weightedGaussian(X, weight) {
  const { means, covs } = mStep(
    X,
    weight.map((w) => [w]),
  );
  return { mean: means[0], cov: covs[0] };
}

export function meanOf(X) {
  return [0, 1].map((d) => sum(X.map((x) => x[d])) / X.length);
}

export function variances(X) {
  const centre = meanOf(X);
  return [0, 1].map((d) => sum(X.map((x) => (x[d] - centre[d]) ** 2)) / X.length);
}

// The contour that holds `coverage` of a Gaussian: squared radius = chi-squared quantile, 2 degrees
// of freedom.
export function ellipse(mean, cov, coverage = 0.9, n = 72) {
  const [l11, l21, l22] = cholesky(cov),
    r = Math.sqrt(-2 * Math.log(1 - coverage));
  return Array.from({ length: n }, (_, i) => {
    const u = r * Math.cos((2 * Math.PI * i) / n),
      v = r * Math.sin((2 * Math.PI * i) / n);
    return [mean[0] + l11 * u, mean[1] + l21 * u + l22 * v];
  });
}

// Radius of the ellipse that holds `share`: in two dimensions the share outside is exp(-r^2 / 2).
export const radiusOf = (share) => Math.sqrt(-2 * Math.log(1 - share));

export function countInside(X, mean, cov, share) {
  const [l11, l21, l22] = cholesky(cov),
    most = radiusOf(share) ** 2;
  return X.filter(([x, y]) => {
    const z1 = (x - mean[0]) / l11,
      z2 = (y - mean[1] - l21 * z1) / l22;
    return z1 * z1 + z2 * z2 <= most;
  }).length;
}

// Half-axes of the ellipse of radius one, the longer first, and its direction in degrees.
export function axesOf([[a], [b, c]]) {
  const middle = (a + c) / 2,
    apart = Math.hypot((a - c) / 2, b);
  return {
    lengths: [Math.sqrt(middle + apart), Math.sqrt((a * c - b * b) / (middle + apart))],
    angle: (Math.atan2(2 * b, a - c) * 90) / Math.PI,
  };
}

export function covOf([long, wide], angle) {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)],
    off = (long ** 2 - wide ** 2) * cos * sin;
  return [
    [(long * cos) ** 2 + (wide * sin) ** 2, off],
    [off, (long * sin) ** 2 + (wide * cos) ** 2],
  ];
}

// The second coordinate once the first is known.
export function conditional1d(mean, [[a], [b, c]], x) {
  return { mean: mean[1] + (b / a) * (x - mean[0]), sd: Math.sqrt(c - (b * b) / a) };
}

// ---- k-means

export function assign(X, centers) {
  const sq = X.map(([x, y]) => centers.map((c) => (x - c[0]) ** 2 + (y - c[1]) ** 2));
  const labels = sq.map((row) => row.indexOf(Math.min(...row))); // ties go to the lower index
  return { labels, inertia: sum(sq.map((row, n) => row[labels[n]])) };
}

export function updateCenters(X, labels, centers) {
  return centers.map((c, k) => {
    const own = X.filter((_, n) => labels[n] === k);
    return own.length ? meanOf(own) : c; // a centre without points stays
  });
}

// Sum of squared distances to the centre each point was given, nearest or not.
export function inertiaOf(X, labels, centers) {
  return sum(
    X.map((x, n) => (x[0] - centers[labels[n]][0]) ** 2 + (x[1] - centers[labels[n]][1]) ** 2),
  );
}

// Cut the rectangle down to the points nearer to centre k than to any other.
export function voronoiCell(k, centers, [[x0, x1], [y0, y1]]) {
  let cell = [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
  centers.forEach((c, j) => {
    const own = centers[k],
      normal = [c[0] - own[0], c[1] - own[1]];
    if (j === k || (normal[0] === 0 && normal[1] === 0)) return;
    const offset = (c[0] ** 2 + c[1] ** 2 - own[0] ** 2 - own[1] ** 2) / 2;
    const side = (p) => p[0] * normal[0] + p[1] * normal[1] - offset; // > 0: nearer to c
    const kept = [];
    cell.forEach((p, i) => {
      const q = cell[(i + 1) % cell.length],
        [sp, sq] = [side(p), side(q)];
      if (sp <= 0) kept.push(p);
      if (sp * sq < 0) kept.push([0, 1].map((d) => p[d] + ((q[d] - p[d]) * sp) / (sp - sq)));
    });
    cell = kept;
  });
  return cell;
}

// ---- the landscape of two means: equal weights, one standard deviation, x with counts

export function slopesOfMeans({ values, counts, sd }, [m1, m2]) {
  const v = sd * sd;
  let height = 0;
  const N = [0, 0],
    pull = [0, 0],
    bend = [0, 0, 0]; // second derivatives: 11, 12, 22
  values.forEach((x, i) => {
    const away = [(x - m1) / v, (x - m2) / v];
    const joint = [m1, m2].map((m) => logGaussian1d(x, m, sd) - Math.LN2);
    const total = logSumExp(joint),
      c = counts[i];
    const r = joint.map((u) => Math.exp(u - total));
    height += c * total;
    for (const k of [0, 1]) {
      N[k] += c * r[k];
      pull[k] += c * r[k] * away[k];
      bend[2 * k] += c * (r[0] * r[1] * away[k] ** 2 - r[k] / v);
    }
    bend[1] -= c * r[0] * r[1] * away[0] * away[1];
  });
  return { height, N, gradient: pull, hessian: bend };
}

// One step of three climbers. Gradient ascent has a step length, chosen for it; Newton's method
// goes where the gradient of the parabola that fits here is zero; EM to the weighted means.
export const climbers = {
  gradient(data, at) {
    const { gradient } = slopesOfMeans(data, at),
      total = sum(data.counts);
    return at.map((m, k) => m + (data.sd ** 2 / total) * gradient[k]);
  },
  newton(data, at) {
    const {
      gradient: g,
      hessian: [a, b, c],
    } = slopesOfMeans(data, at);
    const det = a * c - b * b;
    return [at[0] - (c * g[0] - b * g[1]) / det, at[1] - (a * g[1] - b * g[0]) / det];
  },
  em(data, at) {
    const { gradient, N } = slopesOfMeans(data, at);
    return at.map((m, k) => m + (data.sd ** 2 / N[k]) * gradient[k]);
  },
};

// The log-likelihood when one component, of weight 1/N, sits on a value and is this narrow; the
// other one is fitted to all points.
export function needle({ values, counts }, at, sd) {
  const N = sum(counts),
    mean = sum(values.map((x, i) => x * counts[i])) / N;
  const wide = Math.sqrt(sum(values.map((x, i) => counts[i] * (x - mean) ** 2)) / N);
  return sum(
    values.map((x, i) => {
      const parts = [
        logGaussian1d(x, at, sd) - Math.log(N),
        logGaussian1d(x, mean, wide) + Math.log(1 - 1 / N),
      ];
      return counts[i] * logSumExp(parts);
    }),
  );
}

// ---- chapter 8: the bound under a log-likelihood

// A test that never misses an infection and raises a false alarm for one healthy person in four; of
// eight people five are positive. `pi` is the prevalence, q the probability of infection that a
// positive gets.
export function infectionTest(pi) {
  const positive = (1 + 3 * pi) / 4;
  return {
    posterior: pi / positive,
    logLikelihood: 5 * Math.log(positive) + 3 * Math.log(1 - positive),
  };
}

export function infectionBound(q, pi) {
  const healthy = (1 - pi) / 4;
  return (
    5 * (q * Math.log(pi / q) + (1 - q) * Math.log(healthy / (1 - q))) + 3 * Math.log(3 * healthy)
  );
}

// Two Gaussians of one standard deviation and equal weights over the values x, each of which was
// seen n times. `share` is the responsibility of the second component.
export function twoMeans({ x, n, sd }, means) {
  const theta = { weights: [0.5, 0.5], means, sds: [sd, sd] };
  const all = x.map((v) => eStep1d(v, theta));
  return {
    share: all.map((e) => e.resp[1]),
    logLikelihood: sum(all.map((e, i) => n[i] * e.logDensity)),
  };
}

export function twoMeansTop({ x, n }, share) {
  const held = [n.map((m, i) => m * (1 - share[i])), n.map((m, i) => m * share[i])];
  const counts = held.map(sum);
  return { counts, means: held.map((h, k) => sum(h.map((m, i) => m * x[i])) / counts[k]) };
}

export function twoMeansBound({ x, n, sd }, share, means) {
  const term = (r, joint) => (r > 0 ? r * (joint - Math.log(r)) : 0);
  const joint = (v, k) => Math.log(0.5) + logGaussian1d(v, means[k], sd);
  return sum(
    x.map((v, i) => n[i] * (term(1 - share[i], joint(v, 0)) + term(share[i], joint(v, 1)))),
  );
}

// Pieces of the contour line at `level`: for each cell of the grid, where its edges are crossed.
// values[j][i] belongs to (xs[i], ys[j]).
export function contour(xs, ys, values, level) {
  const pieces = [];
  for (let j = 0; j + 1 < ys.length; j++)
    for (let i = 0; i + 1 < xs.length; i++) {
      const corners = [
        [i, j],
        [i + 1, j],
        [i + 1, j + 1],
        [i, j + 1],
      ];
      const crossed = [];
      corners.forEach(([a, b], c) => {
        const [d, e] = corners[(c + 1) % 4],
          [from, to] = [values[b][a] - level, values[e][d] - level];
        if (from < 0 === to < 0) return;
        const t = from / (from - to);
        crossed.push([xs[a] + t * (xs[d] - xs[a]), ys[b] + t * (ys[e] - ys[b])]);
      });
      for (let c = 0; c + 1 < crossed.length; c += 2) pieces.push([crossed[c], crossed[c + 1]]);
    }
  return pieces;
}

// ---- an alarm on low density

// The k-th smallest score, with k / (n + 1) at most `rate`; -Infinity where no k is.
export function rankThreshold(scores, rate) {
  const k = Math.min(scores.length, Math.floor(rate * (scores.length + 1) + 1e-9));
  return k ? scores.toSorted((a, b) => a - b)[k - 1] : -Infinity;
}

export const rateBelow = (scores, limit) =>
  scores.filter((score) => score < limit).length / scores.length;
