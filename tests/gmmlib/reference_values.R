# Reference fits by other people's code: writes reference_values.json.
#
#   Rscript tests/gmmlib/reference_values.R      (from the top of the repository)
#
# Needs R with mclust, mixtools and jsonlite (Debian: r-cran-mclust, r-cran-mixtools,
# r-cran-jsonlite). mclust and mixtools stop early at their default tolerances, so
# each fit goes on to its stationary point: me() repeats from its own z until 200
# more iterations of EM move no parameter by more than 1e-12 of its size. Count data and
# Gammas are fitted by nlminb(), which maximises the likelihood without EM.
# Old Faithful comes from R itself; the other data from data/, which is compared
# with R's copies where R has one.

suppressPackageStartupMessages({library(mclust); library(mixtools); library(jsonlite)})

ctrl <- emControl(tol = c(1e-12, 1e-12), itmax = c(100000, 100000))
onward <- emControl(tol = c(0, 0), itmax = c(200, 200))
read <- function(name) read.csv(file.path("data", name))

# ---- data ----------------------------------------------------------------------
old_faithful <- as.matrix(datasets::faithful)
stopifnot(all(old_faithful == as.matrix(read("old_faithful.csv"))))
waiting <- old_faithful[, 2]
galaxies <- read("galaxies.csv")
stopifnot(all(round(1000 * galaxies$velocity) == MASS::galaxies))
iris4 <- as.matrix(datasets::iris[, 1:4])
stopifnot(all(iris4 == as.matrix(read("iris.csv")[, 2:5])))
data(diabetes, package = "mclust")
as_in_mclust <- as.matrix(diabetes[, 2:4])
csv <- read("diabetes_reaven_miller.csv")
stopifnot(all(as_in_mclust == as.matrix(csv[, c("fasting_glucose", "glucose_area_mclust", "insulin_area")])))
corrected <- as_in_mclust
corrected[104, 2] <- 455
stopifnot(all(corrected == as.matrix(csv[, c("fasting_glucose", "glucose_area", "insulin_area")])))
penguins <- read("penguins.csv")

# ---- mclust --------------------------------------------------------------------
flat <- function(p) c(p$pro, p$mean, p$variance$sigma, p$variance$sigmasq)

# `start`: hard classes to begin from; without it mclust chooses its own beginning.
gaussian_fit <- function(X, K, model, command, truth, start) {
  fit <- if (is.null(start)) Mclust(X, G = K, modelNames = model, control = ctrl, verbose = FALSE)
         else me(X, modelName = model, z = unmap(start), control = ctrl)
  moved <- if (K == 1) 0 else Inf
  for (round in seq_len(1000)) {
    if (moved <= 1e-12) break
    new <- suppressWarnings(me(X, modelName = model, z = fit$z, control = onward))
    moved <- max(abs(flat(new$parameters) - flat(fit$parameters)) / pmax(1, abs(flat(new$parameters))))
    fit <- new
  }
  stopifnot(moved <= 1e-12)
  p <- fit$parameters
  n_par <- nMclustParams(model, d = NCOL(X), G = K)
  if (NCOL(X) == 1) {
    s <- p$variance$sigmasq
    covs <- array(rep(s, length.out = K), c(1, 1, K))
    means <- matrix(p$mean, 1)
  } else {
    covs <- array(p$variance$sigma, c(NCOL(X), NCOL(X), K))
    means <- matrix(p$mean, ncol = K)
  }
  # The log-likelihood once more, in base R, at the parameters that are stored.
  weights <- if (K == 1) 1 else p$pro
  X <- as.matrix(X)
  density <- sapply(seq_len(K), function(k) {
    S <- matrix(covs[, , k], ncol(X))
    weights[k] * exp(-mahalanobis(X, means[, k], S) / 2) / sqrt(det(2 * pi * S))
  })
  loglik <- sum(log(rowSums(matrix(density, nrow(X)))))
  order <- order(means[1, ])
  out <- list(
    command = command, software = "mclust", N = nrow(X), D = ncol(X), K = K, model = model,
    log_likelihood = loglik, n_parameters = n_par,
    bic = -2 * loglik + n_par * log(nrow(X)), aic = -2 * loglik + 2 * n_par,
    weights = weights[order], means = t(means[, order, drop = FALSE]),
    covariances = lapply(order, function(k) matrix(covs[, , k], ncol(X))),
    largest_relative_move = moved)
  if (!is.null(truth)) out$adjusted_rand_index <- adjustedRandIndex(max.col(fit$z), truth)
  out
}

# `covariances` has one D x D matrix per component, whatever the model.
fits <- list()
add <- function(name, X, K, model, expr, truth = NULL, cuts = NULL) {
  start <- if (is.null(cuts)) NULL else cut(as.matrix(X)[, 1], c(-Inf, cuts, Inf), labels = FALSE)
  from <- if (is.null(cuts)) sprintf('Mclust(%s, G = %d, modelNames = "%s")', expr, K, model)
          else sprintf('me(%s, "%s", z) with z from cutting the first column at %s', expr, model, paste(cuts, collapse = ", "))
  fits[[name]] <<- gaussian_fit(X, K, model, paste0(from, ", then me() to the stationary point"), truth, start)
}
add("old_faithful_full_1", old_faithful, 1, "XXX", "faithful")
add("old_faithful_full_2", old_faithful, 2, "VVV", "faithful")
add("old_faithful_tied_2", old_faithful, 2, "EEE", "faithful")
add("old_faithful_diag_2", old_faithful, 2, "VVI", "faithful")
add("old_faithful_spherical_2", old_faithful, 2, "VII", "faithful")
add("old_faithful_tied_spherical_2", old_faithful, 2, "EII", "faithful")
# Two local maxima of three components; the second, higher one splits the short eruptions.
add("old_faithful_full_3", old_faithful, 3, "VVV", "faithful", cuts = c(3, 4))
add("old_faithful_full_3_higher", old_faithful, 3, "VVV", "faithful", cuts = c(1.9, 3))
add("waiting_2", waiting, 2, "V", "faithful$waiting")
add("waiting_tied_2", waiting, 2, "E", "faithful$waiting")
add("galaxies_3", galaxies$velocity, 3, "V", "MASS::galaxies / 1000", cuts = c(15, 30))
add("galaxies_26960_3", galaxies$velocity_26960, 3, "V", "MASS::galaxies / 1000 with [78] = 26.960", cuts = c(15, 30))
add("iris_full_2", iris4, 2, "VVV", "iris[, 1:4]", iris$Species)
add("iris_full_3", iris4, 3, "VVV", "iris[, 1:4]", iris$Species)
add("diabetes_full_3", corrected, 3, "VVV", "diabetes[, 2:4] with [104, 2] = 455", diabetes$class)
add("diabetes_mclust_full_3", as_in_mclust, 3, "VVV", "diabetes[, 2:4]", diabetes$class)

# ---- mixtools: a second opinion on the waits --------------------------------------
set.seed(1)
invisible(capture.output(
  mt <- normalmixEM(waiting, lambda = 0.5, mu = c(55, 80), sigma = c(5, 5), epsilon = 1e-13, maxit = 100000)))
o <- order(mt$mu)
fits$waiting_2_mixtools <- list(
  command = "normalmixEM(faithful$waiting, lambda = 0.5, mu = c(55, 80), sigma = c(5, 5), epsilon = 1e-13, maxit = 100000)",
  software = "mixtools", N = 272, D = 1, K = 2, log_likelihood = mt$loglik,
  weights = mt$lambda[o], means = mt$mu[o], standard_deviations = mt$sigma[o])

# ---- counts and Gammas by direct maximisation ----------------------------------------
softmax <- function(a) { e <- exp(c(0, a) - max(0, a)); e / sum(e) }
polish <- function(nll, start) {
  for (i in 1:10) {
    fit <- nlminb(start, nll, control = list(rel.tol = 1e-15, x.tol = 1e-12, eval.max = 10000, iter.max = 10000))
    start <- fit$par
  }
  start
}
poisson_fit <- function(x, times, K, rates, command) {
  nll <- function(t) {
    w <- softmax(t[seq_len(K - 1)]); r <- exp(t[K:(2 * K - 1)])
    -sum(times * log(colSums(w * t(outer(x, r, dpois)))))
  }
  t <- polish(nll, c(rep(0, K - 1), log(rates)))
  r <- exp(t[K:(2 * K - 1)]); o <- order(r)
  list(command = command, software = "stats::nlminb", N = sum(times), D = 1, K = K,
       log_likelihood = -nll(t), weights = softmax(t[seq_len(K - 1)])[o], rates = r[o])
}
h <- read("hasselblad_deaths.csv")
fits$hasselblad_poisson_1 <- poisson_fit(h$deaths, h$days, 1, 2, "nlminb, one Poisson rate")
fits$hasselblad_poisson_2 <- poisson_fit(h$deaths, h$days, 2, c(1, 3), "nlminb, two Poisson rates from 1, 3")
q <- read("earthquakes.csv")$count
one <- rep(1, length(q))
starts <- list(19, c(15, 25), c(10, 20, 30), c(8, 15, 20, 30))
for (K in 1:4)
  fits[[paste0("earthquakes_poisson_", K)]] <- poisson_fit(
    q, one, K, starts[[K]], paste("nlminb, Poisson rates from", paste(starts[[K]], collapse = ", ")))
x <- read("enzyme.csv")$activity
gamma_nll <- function(t) {
  w <- softmax(t[1])
  -sum(log(w[1] * dgamma(x, exp(t[2]), exp(t[4])) + w[2] * dgamma(x, exp(t[3]), exp(t[5]))))
}
t <- polish(gamma_nll, c(-0.5, log(c(4, 8, 20, 6))))
fits$enzyme_gamma_2 <- list(
  command = "nlminb, two Gammas from shapes 4, 8 and rates 20, 6", software = "stats::nlminb",
  N = length(x), D = 1, K = 2, log_likelihood = -gamma_nll(t),
  bic = 2 * gamma_nll(t) + 5 * log(length(x)),
  weights = softmax(t[1]), shapes = exp(t[2:3]), rates = exp(t[4:5]))

# ---- penguins: what mclust picks --------------------------------------------------------
P <- penguins[, c("bill_length", "bill_depth", "flipper_length", "body_mass")]
b <- mclustBIC(P, verbose = FALSE)
best <- strsplit(names(summary(b))[1], ",")[[1]]
three <- Mclust(P, G = 3, x = b, verbose = FALSE)
fits$penguins_selection <- list(
  command = "mclustBIC(penguins) at mclust's default tolerance; Mclust(penguins, G = 3)", software = "mclust",
  N = nrow(P), D = 4, best_model = best[1], best_K = as.integer(best[2]), best_bic = -as.numeric(summary(b)[1]),
  K3_model = three$modelName,
  K3_adjusted_rand_index = adjustedRandIndex(three$classification, penguins$species))

versions <- lapply(c(mclust = "mclust", mixtools = "mixtools", MASS = "MASS"), function(p) as.character(packageVersion(p)))
provenance <- c(list(
  script = "tests/gmmlib/reference_values.R",
  R = paste(R.version$major, R.version$minor, sep = "."),
  control = "emControl(tol = c(1e-12, 1e-12), itmax = c(100000, 100000)), then 200 iterations of me() at a time until they move no parameter by more than 1e-12 of max(1, its size)",
  conventions = "log_likelihood is the sum over rows, natural logarithm; bic and aic: lower is better; components in the order of their first mean (or rate); covariances: one D x D matrix per component"),
  versions)
json <- toJSON(list(provenance = provenance, fits = fits), auto_unbox = TRUE, digits = NA, pretty = TRUE, matrix = "rowmajor")
writeLines(json, "tests/gmmlib/reference_values.json")
