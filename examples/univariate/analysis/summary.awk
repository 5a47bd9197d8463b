# Mean, standard deviation and first autocorrelation of the numbers in a file, one a line.
# -v passes=1 squares while reading, as pocket calculators do; -v passes=2 takes the mean off first.

{ x[NR] = $1; sum += $1; squares += $1 * $1 }

END {
    mean = sum / NR
    for (i = 1; i <= NR; i++) {
        spread += (x[i] - mean) ^ 2
        if (i > 1) {
            products += (x[i] - mean) * (x[i - 1] - mean)
            raw += x[i] * x[i - 1]
        }
    }
    if (passes == 1) {
        spread = squares - NR * mean ^ 2
        products = raw - mean * (2 * sum - x[1] - x[NR]) + (NR - 1) * mean ^ 2
    }
    sd = spread > 0 ? sqrt(spread / (NR - 1)) : 0
    r1 = spread > 0 ? products / spread : 0
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.txt$/, "", name)
    printf "{\"data\": \"%s\", \"mean\": %.17g, \"sd\": %.17g, \"r1\": %.17g}\n", name, mean, sd, r1
}
