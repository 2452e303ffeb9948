/// One case: what it is, how to measure it and its limit, and what came out in each round.
struct Case {
    let labels: [String]
    let limitName: String
    /// The rate of one run.
    let measure: () -> Double
    let measureLimit: (() -> Double)?
    private(set) var rates: [Double] = []
    private(set) var limits: [Double] = []

    init(_ labels: [String], limitName: String, measure: @escaping () -> Double, measureLimit: (() -> Double)?) {
        self.labels = labels
        self.limitName = limitName
        self.measure = measure
        self.measureLimit = measureLimit
    }

    /// The limit right before the case itself: on a shared machine both change from second to second.
    mutating func sample() {
        if let measureLimit { limits.append(measureLimit()) }
        rates.append(measure())
    }

    /// The rates as parts of the limits, each of its own round.
    var shares: [Double] { zip(rates, limits).map { $0 / max($1, 1e-9) } }
}

/// Cases are measured in turn, round after round.
func sample(_ cases: inout [Case], rounds: Int) {
    for _ in 0..<rounds { for index in cases.indices { cases[index].sample() } }
}

extension [Double] {
    var median: Double {
        let sorted = sorted()
        let middle = count / 2
        if isEmpty { return 0 }
        return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// How many steps take about 30 ms, found by trying; at most `most`.
func stepCount(most: Int, _ seconds: (Int) -> Double) -> Int {
    let wanted = 0.03
    var count = 1
    while count < most {
        let taken = seconds(count)
        if taken > wanted / 4 { return max(1, min(most, Int(Double(count) * wanted / taken))) }
        count = min(most, 4 * count)
    }
    return most
}
