/// Chooses tokens from logits. Keeps the random state and the history that penalties need; allocates nothing per token, unless penalties make its history grow.
///
/// Order of steps, as in the reference: penalties, temperature, top-k, top-p, min-p.
package struct Sampler: ~Copyable {
    private let sampling: Sampling
    private var random: SplitMix64
    /// Tokens of prompt and text, for the repetition penalty.
    private var seen: Set<Int> = []
    /// How often each token was generated.
    private var generated: [Int: Int] = [:]
    private let logits: UnsafeMutableBufferPointer<Float>
    private var heap: CandidateHeap
    private var selected: LargestLogits

    package init(_ sampling: Sampling, prompt: [Int], vocabulary: Int) throws(RunnerError) {
        try sampling.check()
        self.sampling = sampling
        random = SplitMix64(seed: sampling.seed ?? .random(in: 0 ... .max))
        if sampling.repetitionPenalty != 1 { seen = Set(prompt) }
        logits = .allocate(capacity: vocabulary)
        logits.initialize(repeating: 0)
        heap = CandidateHeap(capacity: sampling.temperature == 0 ? 0 : vocabulary)
        selected = LargestLogits(capacity: 1..<vocabulary ~= sampling.topK ? sampling.topK : 0)
    }

    deinit { logits.deallocate() }

    package mutating func next(_ given: Span<Float>) -> Int {
        precondition(given.count == logits.count, "\(given.count) logits for a vocabulary of \(logits.count)")
        if sampling.temperature == 0 && !hasPenalties { return given.withUnsafeBufferPointer { Self.likeliest($0) } }
        given.withUnsafeBufferPointer { _ = logits.update(fromContentsOf: $0) }
        applyPenalties()
        let token = sampling.temperature == 0 ? Self.likeliest(UnsafeBufferPointer(logits)) : draw()
        if sampling.repetitionPenalty != 1 { seen.insert(token) }
        if sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0 { generated[token, default: 0] += 1 }
        return token
    }

    private var hasPenalties: Bool {
        sampling.repetitionPenalty != 1 || sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0
    }

    private func applyPenalties() {
        for token in seen {
            let logit = logits[token]
            logits[token] = logit > 0 ? logit / sampling.repetitionPenalty : logit * sampling.repetitionPenalty
        }
        for (token, count) in generated {
            logits[token] -= sampling.presencePenalty + Float(count) * sampling.frequencyPenalty
        }
    }

    /// The first of the largest. A logit that is no number never wins.
    ///
    /// By lanes, as one by one it would take longer than a small layer: first how large the largest is, then where.
    package static func likeliest(_ logits: UnsafeBufferPointer<Float>) -> Int {
        guard let base = logits.baseAddress else { return 0 }
        typealias Lanes = SIMD16<Float>
        var lanes = Lanes(repeating: -.infinity)
        let whole = logits.count / Lanes.scalarCount * Lanes.scalarCount
        for i in stride(from: 0, to: whole, by: Lanes.scalarCount) {
            let next = UnsafeRawPointer(base + i).loadUnaligned(as: Lanes.self)
            lanes.replace(with: next, where: next .> lanes)
        }
        var largest = lanes.max()
        for i in whole..<logits.count where logits[i] > largest { largest = logits[i] }
        return largest == -.infinity ? 0 : logits.firstIndex(of: largest) ?? 0
    }

    /// Takes candidates from the top of a heap until the rules say enough, then one of them at random: the vocabulary
    /// is never sorted as a whole.
    private mutating func draw() -> Int {
        let likeliest = Self.likeliest(UnsafeBufferPointer(logits))
        let largest = logits[likeliest]
        guard largest.isFinite else { return likeliest }
        let temperature = sampling.temperature
        // Weights are relative to the largest, so that nothing overflows.
        func weight(_ logit: Float) -> Double { Self.weight(logit, largest: largest, temperature: temperature) }
        var total = 0.0
        let target = random.unit()
        heap.removeAll()
        if 1..<logits.count ~= sampling.topK {  // by logits: however hot, the k likeliest stay
            selected.select(sampling.topK, of: logits.span)
            for entry in selected.entries {
                let weight = Float(weight(entry.logit))
                heap.append(entry.token, weight)
                total += Double(weight)  // top-p counts among those that top-k left
            }
        } else {
            for i in 0..<logits.count {
                let weight = weight(logits[i])
                logits[i] = Float(weight)
                total += weight
            }
            let hasLimits = sampling.topK > 0 || sampling.topP < 1 || sampling.minP > 0
            if !hasLimits { return Self.pick(target * total, among: logits) }
            // All that are lighter do not make up half of what top-p leaves out, together.
            let least = max(Double(sampling.minP), total * Double(1 - sampling.topP) / Double(2 * logits.count))
            for i in 0..<logits.count where Double(logits[i]) >= least { heap.append(i, logits[i]) }
        }
        heap.order()
        var kept = 0
        var sum = 0.0
        while kept < heap.filled {
            let weight = heap.candidate(kept).weight  // the likeliest has weight 1
            if kept > 0 && (sum >= Double(sampling.topP) * total || weight < sampling.minP || weight == 0) { break }
            sum += Double(weight)
            kept += 1
        }
        var chosen = 0
        var rest = target * sum
        while chosen + 1 < kept {
            rest -= Double(heap.candidate(chosen).weight)
            if rest < 0 { break }
            chosen += 1
        }
        return heap.candidate(chosen).token
    }

    private static func weight(_ logit: Float, largest: Float, temperature: Float) -> Double {
        let weight = exponential(Double(logit - largest) / Double(temperature))
        return weight.isNaN ? 0 : weight
    }

    /// The one of all tokens at which the sum of weights passes `target`.
    private static func pick(_ target: Double, among weights: UnsafeMutableBufferPointer<Float>) -> Int {
        var rest = target
        var last = 0
        for i in 0..<weights.count where weights[i] > 0 {
            rest -= Double(weights[i])
            last = i
            if rest < 0 { break }
        }
        return last
    }
}

/// A heap of tokens by weight, the heaviest on top; among equals the smaller id. What was popped stays readable.
private struct CandidateHeap: ~Copyable {
    private let entries: UnsafeMutableBufferPointer<(token: Int32, weight: Float)>
    /// How many there are, popped or not.
    private(set) var filled = 0
    private var count = 0

    init(capacity: Int) { entries = .allocate(capacity: capacity) }

    deinit { entries.deallocate() }

    mutating func removeAll() { filled = 0 }

    mutating func append(_ token: Int, _ weight: Float) {
        entries.initializeElement(at: filled, to: (Int32(truncatingIfNeeded: token), weight))
        filled += 1
    }

    /// Behind the last that is appended.
    mutating func order() {
        count = filled
        for i in stride(from: count / 2 - 1, through: 0, by: -1) { sink(i) }
    }

    /// The n-th heaviest. What was popped stands behind the heap, the first at the end.
    mutating func candidate(_ n: Int) -> (token: Int, weight: Float) {
        while filled - count <= n {
            count -= 1
            entries.swapAt(0, count)
            sink(0)
        }
        let entry = entries[filled - 1 - n]
        return (Int(entry.token), entry.weight)
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        entries[a].weight != entries[b].weight
            ? entries[a].weight > entries[b].weight : entries[a].token < entries[b].token
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            if child >= count { return }
            if child + 1 < count && precedes(child + 1, child) { child += 1 }
            if precedes(parent, child) { return }
            entries.swapAt(parent, child)
            parent = child
        }
    }
}

/// A small generator of random numbers whose sequence is the same on every machine.
///
/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Evenly from 0 up to but not including 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
