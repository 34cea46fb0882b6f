# What R's own copies of our data sets add up to: writes copies_in_r.json.
#
#   Rscript tests/data/copies_in_r.R      (from the top of the repository)
#
# Nothing here reads our files. Needs Debian's r-base-core, r-cran-mass, r-cran-mclust,
# r-cran-rrcov, r-cran-palmerpenguins and r-cran-jsonlite.
# Of each column: its sum, and the sum of row number times value, which a changed
# order of rows changes too.

library(jsonlite)
get_data <- function(name, package) {
  e <- new.env()
  data(list = name, package = package, envir = e)
  as.data.frame(e[[name]])
}
add_up <- function(from, table) {
  columns <- as.list(as.data.frame(table))
  list(copy = from, N = length(columns[[1]]),
       sum = unname(sapply(columns, sum)),
       sum_by_row = unname(sapply(columns, function(x) sum(seq_along(x) * x))))
}

rrcov <- get_data("diabetes", "rrcov")
birds <- get_data("penguins", "palmerpenguins")
birds <- birds[!is.na(birds$bill_length_mm), ]
copies <- list(
  old_faithful = add_up("datasets::faithful", datasets::faithful),
  iris = add_up("datasets::iris", cbind(datasets::iris[, 1:4], as.integer(datasets::iris$Species) - 1)),
  galaxies = add_up("MASS::galaxies / 1000", data.frame(get_data("galaxies", "MASS")[[1]] / 1000)),
  diabetes_mclust = add_up("mclust::diabetes", get_data("diabetes", "mclust")[, c("glucose", "insulin", "sspg")]),
  diabetes = add_up("rrcov::diabetes",
    cbind(rrcov[, c("fpg", "glucose", "insulin")], match(rrcov$group, c("normal", "chemical", "overt")) - 1)),
  penguins = add_up("palmerpenguins::penguins",
    cbind(birds[, c("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")], as.integer(birds$species) - 1)))
copies$penguins$female <- sum(birds$sex == "female", na.rm = TRUE)
copies$penguins$male <- sum(birds$sex == "male", na.rm = TRUE)
packages <- c("MASS", "mclust", "rrcov", "palmerpenguins")
provenance <- c(list(script = "tests/data/copies_in_r.R", R = paste(R.version$major, R.version$minor, sep = ".")),
                sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE))
writeLines(toJSON(list(provenance = provenance, copies = copies), auto_unbox = TRUE, digits = NA, pretty = TRUE),
           "tests/data/copies_in_r.json")
