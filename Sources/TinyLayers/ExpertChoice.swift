import CTinyKernels
import TinyTensor

/// Which experts read which tokens, and how much each counts: memory of fixed size, filled anew by every layer.
final class ExpertChoice {
    private let expertNumbers: UnsafeMutablePointer<Int>
    private let expertWeights: UnsafeMutablePointer<Float>
    /// Tokens of the expert that was gathered last, and their weights.
    private let gatheredTokens: UnsafeMutablePointer<Int>
    private let gatheredWeights: UnsafeMutablePointer<Float>
    private let capacity: Int
    private var tokens = 0
    private var chosen = 0
    private var gathered = 0

    /// - Parameters:
    ///   - tokens: the most at once.
    ///   - chosen: the most experts of one.
    init(tokens: Int, chosen: Int) {
        capacity = tokens * chosen
        expertNumbers = .allocate(capacity: max(1, capacity))
        expertWeights = .allocate(capacity: max(1, capacity))
        gatheredTokens = .allocate(capacity: max(1, tokens))
        gatheredWeights = .allocate(capacity: max(1, tokens))
        expertNumbers.initialize(repeating: 0, count: max(1, capacity))
        expertWeights.initialize(repeating: 0, count: max(1, capacity))
        gatheredTokens.initialize(repeating: 0, count: max(1, tokens))
        gatheredWeights.initialize(repeating: 0, count: max(1, tokens))
    }

    deinit {
        expertNumbers.deallocate()
        expertWeights.deallocate()
        gatheredTokens.deallocate()
        gatheredWeights.deallocate()
    }

    func begin(tokens: Int, chosen: Int) {
        precondition(tokens * chosen <= capacity, "a choice of \(tokens) · \(chosen) in room for \(capacity)")
        (self.tokens, self.chosen) = (tokens, chosen)
    }

    /// `[K]`, in the order of their numbers.
    func experts(of token: Int) -> UnsafeMutableBufferPointer<Int> {
        UnsafeMutableBufferPointer(start: expertNumbers + token * chosen, count: chosen)
    }

    /// `[K]`
    func weights(of token: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: expertWeights + token * chosen, count: chosen)
    }

    /// Finds the tokens that an expert reads, and returns how many there are.
    func gather(_ expert: Int) -> Int {
        gathered = 0
        for i in 0..<tokens * chosen where expertNumbers[i] == expert {
            gatheredTokens[gathered] = i / chosen
            gatheredWeights[gathered] = expertWeights[i]
            gathered += 1
        }
        return gathered
    }

    /// The tokens that were gathered last, in their order.
    var gatheredTokenNumbers: [Int] { Array(UnsafeBufferPointer(start: gatheredTokens, count: gathered)) }

    /// The gathered tokens' rows of `x`.
    func copy(_ x: Rows, to rows: Rows) {
        for i in 0..<gathered { rows[i].update(from: x[gatheredTokens[i]], count: x.width) }
    }

    /// Adds what the expert made of the gathered tokens, each times its weight, to their rows of `y`.
    func add(_ rows: Rows, to y: Rows, _ compute: Compute) {
        let kernels = compute.kernels.table.pointee
        for i in 0..<gathered {
            kernels.scale(rows[i], gatheredWeights[i], rows.width)
            kernels.add(y[gatheredTokens[i]], rows[i], rows.width)
        }
    }
}
