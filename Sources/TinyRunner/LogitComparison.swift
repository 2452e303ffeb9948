import TinyTensor

/// What two models expect next after each token of a text, held against each other.
package struct LogitComparison: Sendable {
    /// Tokens that both models know; only these are compared.
    package let vocabulary: Int
    /// Tokens after which the next one was compared.
    package private(set) var rows = 0
    /// Rows in which both models' likeliest token is the same.
    package private(set) var agreeingRows = 0
    package private(set) var sumOfDivergences = 0.0
    package private(set) var maxDivergence = 0.0
    package private(set) var maxAbsDiff = 0.0
    package private(set) var maxAbsReference = 0.0
    package private(set) var sumOfAbsDiffs = 0.0
    /// The first row whose likeliest tokens differ.
    package private(set) var firstBadRow: Int?
    /// −ln p of the tokens that came, in nats, and how many there were.
    package private(set) var losses = (model: 0.0, original: 0.0, count: 0)

    init(vocabulary: Int) { self.vocabulary = vocabulary }

    /// Rows in which both expect the same token first: 0 to 1.
    package var agreement: Double { rows == 0 ? 1 : Double(agreeingRows) / Double(rows) }
    /// Mean of Σ p · ln(p / q), in nats.
    package var meanDivergence: Double { rows == 0 ? 0 : sumOfDivergences / Double(rows) }
    package var meanAbsDiff: Double { rows == 0 ? 0 : sumOfAbsDiffs / Double(rows) / Double(vocabulary) }
    /// exp of the mean loss of the tokens that came; nil if there was none.
    package var perplexities: (model: Double, original: Double)? {
        if losses.count == 0 { return nil }
        return (exponential(losses.model / Double(losses.count)), exponential(losses.original / Double(losses.count)))
    }

    /// - Parameters:
    ///   - found: `[T, V]` of the model, `expected` of its original.
    ///   - followers: the tokens that came; the last row may have none.
    mutating func add(_ found: Rows, _ expected: Rows, followers: ArraySlice<Int>, _ pool: ThreadPool) {
        let (vocabulary, count) = (vocabulary, min(found.count, expected.count))
        let compared = [Row](unsafeUninitializedCapacity: count) { memory, initialized in
            let base = memory.baseAddress!
            pool.forRanges(of: count) { rows in
                for row in rows {
                    let follower = row < followers.count ? followers[followers.startIndex + row] : nil
                    (base + row).initialize(to: Row(found[row], expected[row], vocabulary, follower: follower))
                }
            }
            initialized = count
        }
        for row in compared {
            agreeingRows += row.agrees ? 1 : 0
            if !row.agrees && firstBadRow == nil { firstBadRow = rows }
            rows += 1
            sumOfDivergences += row.divergence
            maxDivergence = max(maxDivergence, row.divergence)
            maxAbsDiff = max(maxAbsDiff, row.maxAbsDiff)
            maxAbsReference = max(maxAbsReference, row.maxAbsReference)
            sumOfAbsDiffs += row.sumOfAbsDiffs
            if let (model, original) = row.losses {
                losses = (losses.model + model, losses.original + original, losses.count + 1)
            }
        }
    }
}

/// One token's two rows of logits.
private struct Row {
    var agrees: Bool
    var divergence = 0.0
    var maxAbsDiff = 0.0
    var maxAbsReference = 0.0
    var sumOfAbsDiffs = 0.0
    var losses: (Double, Double)?

    /// - Parameters: `found`, `expected`: pointers to at least `count` logits.
    init(_ found: UnsafePointer<Float>, _ expected: UnsafePointer<Float>, _ count: Int, follower: Int?) {
        var (likeliest, wanted) = (0, 0)
        for i in 0..<count {
            if found[i] > found[likeliest] { likeliest = i }
            if expected[i] > expected[wanted] { wanted = i }
            let diff = abs(Double(found[i]) - Double(expected[i]))
            maxAbsDiff = diff.isNaN ? .infinity : max(maxAbsDiff, diff)
            maxAbsReference = max(maxAbsReference, abs(Double(expected[i])))
            sumOfAbsDiffs += diff
        }
        agrees = likeliest == wanted
        let (topQ, topP) = (Double(found[likeliest]), Double(expected[wanted]))
        var (sumQ, sumP, product) = (0.0, 0.0, 0.0)
        for i in 0..<count {
            let (q, p) = (Double(found[i]) - topQ, Double(expected[i]) - topP)
            let weight = exponential(p)
            sumQ += exponential(q)
            sumP += weight
            if weight > 0 { product += weight * (p - q) }
        }
        // Σ p (ln p − ln q), with ln p = p − ln Σ; never less than 0 but for rounding.
        divergence = max(0, product / sumP - logarithm(sumP) + logarithm(sumQ))
        if (product / sumP).isNaN || (product / sumP).isInfinite { divergence = .infinity }
        if let follower, follower < count {
            losses = (
                logarithm(sumQ) + topQ - Double(found[follower]), logarithm(sumP) + topP - Double(expected[follower])
            )
        }
    }
}
