# R's mclust behind the lines that peers.py explains.
suppressMessages(library(mclust))

args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
kind <- args[3]
N <- as.integer(args[4])
D <- as.integer(args[5])
K <- as.integer(args[6])
numbers <- function(name, n) readBin(file.path(folder, name), "double", n)

X <- matrix(numbers("X", N * D), N, D, byrow = TRUE)
means <- matrix(numbers("means", K * D), D, K)  # one column a component
model <- c(full = "VVV", tied = "EEE", diag = "VVI", spherical = "VII")[[kind]]
variance <- switch(
  kind,
  full = {
    sigma <- array(numbers("covs", K * D * D), c(D, D, K))
    list(sigma = sigma, cholsigma = array(apply(sigma, 3, chol), c(D, D, K)))
  },
  tied = {
    Sigma <- matrix(numbers("covs", D * D), D, D)
    list(Sigma = Sigma, cholSigma = chol(Sigma))
  },
  diag = {
    variances <- matrix(numbers("covs", K * D), D, K)
    scale <- exp(colMeans(log(variances)))
    list(scale = scale, shape = sweep(variances, 2, scale, "/"))
  },
  spherical = list(sigmasq = numbers("covs", K))
)
start <- list(pro = numbers("weights", K), mean = means, variance = c(list(modelName = model, d = D, G = K), variance))

say <- function(...) {
  cat(..., "\n")
  flush(stdout())
}
say("ready", as.character(packageVersion("mclust")))
requests <- file("stdin", "r")
while (length(line <- readLines(requests, 1)) > 0) {
  if (startsWith(line, "run")) {
    control <- emControl(tol = c(0, 0), itmax = rep(as.integer(substring(line, 5)), 2))
    gc(FALSE)
    begin <- Sys.time()
    fit <- em(data = X, modelName = model, parameters = start, control = control, warn = FALSE)
    seconds <- as.numeric(Sys.time() - begin, units = "secs")
    say(seconds, abs(attr(fit, "info")[["iterations"]]))
  } else {
    writeBin(as.vector(fit$parameters$mean), file.path(folder, "answer"))
    say("saved")
  }
}
