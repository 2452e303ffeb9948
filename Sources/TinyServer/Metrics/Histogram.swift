/// How often a time fell into each of some ranges, as Prometheus has it.
struct Histogram: Sendable, Equatable {
    /// Upper ends, ascending; the last range, without an end, is not among them.
    let bounds: [Double]
    /// Of each range alone; written out they add up.
    private(set) var counts: [Int]
    private(set) var sum = 0.0

    init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    var count: Int { counts.reduce(0, +) }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
