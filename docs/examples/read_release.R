# Read an export of a public release, map it, use its margins, and fit a small model through the noise of its counts:
# the same as read_release.py. It needs R with the packages sf and jsonlite.
#
#   tact export --to FILES --format gpkg,csv
#   Rscript read_release.R FILES RELEASE OUTPUT
#
# FILES is the folder of the export, RELEASE the folder of the release (releases/NAME/public), whose datapackage.json holds
# the noise. OUTPUT gets map.png and margins.png.

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 3) stop("Rscript read_release.R FILES RELEASE OUTPUT")
files <- arguments[1]; release <- arguments[2]; output <- arguments[3]
dir.create(output, showWarnings = FALSE, recursive = TRUE)

find_file <- function(ending) {
  found <- list.files(files, pattern = paste0("-public.*", ending, "$"), full.names = TRUE)
  found[!grepl("communities", found)][1]
}

# Codes are text: some begin with a letter, others would lose a zero.
read_layer <- function(name) {
  read.csv(find_file(paste0(name, "\\.csv")), colClasses = c(code = "character"), fileEncoding = "UTF-8-BOM")
}

if (!file.exists(file.path(release, "datapackage.json"))) {
  stop("RELEASE holds no datapackage.json. It is the folder of the public tier: releases/NAME/public")
}
# The noise: row n + 1 is P(noise | true count n), the last row for all larger counts.
about <- jsonlite::read_json(file.path(release, "datapackage.json"), simplifyVector = TRUE)$tact
noise <- about$parameters$table
largest <- about$parameters$largest
k <- about$k
mark <- if (about$invented) "Invented data. " else ""

# P(published | true), a matrix with a row for each published number. NA is a number that is hidden because it is below k.
likelihood <- function(published, true) {
  rows <- pmin(true, nrow(noise) - 1) + 1
  t(sapply(published, function(number) {
    sapply(seq_along(true), function(i) {
      if (is.na(number)) {
        sum(noise[rows[i], (true[i] + (-largest:largest)) < k])
      } else {
        distance <- number - true[i]
        if (number < k || abs(distance) > largest) 0 else noise[rows[i], distance + largest + 1]
      }
    })
  }))
}

# The smallest and the largest true count that fit a published number (Clopper and Pearson 1934).
interval <- function(published, level = 0.95) {
  top <- if (is.na(published)) k - 1 else published
  true <- 0:(top + largest)
  hidden <- likelihood(NA, true)[1, ]
  shown <- if (is.na(published)) NULL else likelihood(k:(top + 2 * largest), true)
  below <- if (is.na(published)) hidden else hidden + colSums(shown[k:(top + 2 * largest) <= top, , drop = FALSE])
  above <- if (is.na(published)) rep(1, length(true)) else colSums(shown[k:(top + 2 * largest) >= top, , drop = FALSE])
  range(true[pmin(below, above) > (1 - level) / 2])
}

# The last year by region: the noise is that of one draw, and the whole programme is a sum of years, each drawn once.
# A cell that is withheld is left out, never set to zero.
counts <- read_layer("encounters")
counts <- counts[counts$level == "region" & counts$of == "all" & counts$state %in% c("number", "few"), ]
days <- as.numeric(as.Date(counts$last_day) - as.Date(counts$first_day))
year <- days %in% c(364, 365)
counts <- counts[year & counts$last_day == max(counts$last_day[year]), ]
population <- read_layer("population")
population <- population[population$level == "region", ]
population <- population[order(-population$year), ]
counts$people <- population$value[match(counts$code, population$code)]
counts <- counts[!is.na(counts$people), ]
# The noise is that of the published number, `noisy`. `value` is adjusted, so that parts add up to totals.
counts$published <- ifelse(counts$state == "few", NA, counts$noisy)

# published ~ channel(count), count ~ NegBin(mean = rate of the country * people, overdispersion)
countries <- sort(unique(counts$country))
true <- 0:(max(counts$published, na.rm = TRUE) + largest)
channel <- likelihood(counts$published, true)
lose <- function(parameters) {
  means <- exp(parameters[match(counts$country, countries)]) * counts$people / 1e5
  size <- exp(-parameters[length(parameters)])
  chance <- t(sapply(means, function(mean) dnbinom(true, size = size, mu = mean)))
  -sum(log(rowSums(chance * channel)))
}
fit <- optim(c(rep(2, length(countries)), -1), lose, method = "BFGS", hessian = TRUE)
error <- sqrt(diag(solve(fit$hessian)))[seq_along(countries)]
rate <- fit$par[seq_along(countries)]
print(data.frame(country = countries, rate = exp(rate), low = exp(rate - 1.96 * error), high = exp(rate + 1.96 * error)))

ends <- t(sapply(counts$published, interval))
order <- order(ends[, 2])
png(file.path(output, "margins.png"), width = 900, height = 900)
par(mar = c(5, 16, 3, 1))
plot(counts$published[order], seq_along(order), xlim = c(0, max(ends)), yaxt = "n", ylab = "", pch = 19,
     xlab = "children: published number and 95 % interval", main = mark)
segments(ends[order, 1], seq_along(order), ends[order, 2], seq_along(order))
axis(2, seq_along(order), counts$name[order], las = 1)
invisible(dev.off())

map <- sf::st_read(find_file("\\.gpkg"), layer = "encounters_region", quiet = TRUE)
png(file.path(output, "map.png"), width = 900, height = 1100)
plot(map["noisy"], pal = function(n) hcl.colors(n, "Blues", rev = TRUE),
     main = paste0(mark, "Children identified or met by outreach (without colour: no number)"))
invisible(dev.off())
