import TinyRunner

/// When the tokens of an answer came.
struct TokenTimes {
    private let arrival: ContinuousClock.Instant
    private let counts: ServerCounts
    private var last: [Int: ContinuousClock.Instant] = [:]

    init(since arrival: ContinuousClock.Instant, _ counts: ServerCounts) {
        (self.arrival, self.counts) = (arrival, counts)
    }

    mutating func saw(_ event: Engine.Event, choice: Int) {
        guard case .piece = event else { return }
        let now = ContinuousClock.now
        if let before = last.updateValue(now, forKey: choice) {
            counts.nextToken(seconds: before.duration(to: now).inSeconds)
        } else {
            counts.firstToken(seconds: arrival.duration(to: now).inSeconds)
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
