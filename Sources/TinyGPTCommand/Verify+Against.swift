import ArgumentParser
import TinyGPT

/// `verify --against`: two models on one text.
struct VerifyAgainst {
    let options: ModelOptions
    let original: String
    let text: String
    let window: Int?
    let tolerance: Double?

    /// - Throws: `ExitCode(1)` if it does not hold at the tolerance, or was interrupted.
    func run() throws {
        if text.isEmpty { throw Failure("the text is empty; at least one token is expected") }
        Interruption.watch()
        let (model, _) = try options.open()
        let progress = Progress()
        progress.show("Loading \(original)…")
        let other = try Model(at: original, precision: options.precision, threads: options.threads)
        progress.clear()
        for warning in other.warnings.prefix(20) { Output.error("warning: \(original): \(warning.visible)\n") }
        let clock = RemainingTime()
        let result = try ModelComparison(
            of: model, with: other, on: text, window: window, isCancelled: { Interruption.wasAskedFor },
            onProgress: {
                progress.show("\($0.tokens) of \($0.totalTokens) tokens" + clock.text($0.tokens, of: $0.totalTokens))
            })
        progress.clear()
        let passed = tolerance.map { holds(result, $0) }
        if options.json { try Output.json(Report(result, passed: passed)) } else { try printTable(result, passed) }
        if !result.isComplete {
            Output.error("Interrupted: this is of the first \(result.tokens) of \(result.totalTokens) tokens.\n")
        }
        if passed == false || !result.isComplete { throw ExitCode(1) }
    }

    private func holds(_ result: ModelComparison, _ tolerance: Double) -> Bool {
        guard let logits = result.logits else { return result.layers.allSatisfy { $0.relativeError <= tolerance } }
        return logits.agreement == 1 && logits.maxAbsDiff <= tolerance * logits.maxAbsReference
    }

    private func printTable(_ result: ModelComparison, _ passed: Bool?) throws {
        if result.layers.isEmpty {
            try Output.print("The two differ in depth or width, so that their layers cannot be compared.\n")
        } else {
            try Output.print("layer   relative error   max |diff|\n")
            for layer in result.layers {
                try Output.print(
                    String(layer.layer).leftPadded(to: 5) + layer.relativeError.scientific.leftPadded(to: 17)
                        + layer.maxAbsDiff.scientific.leftPadded(to: 13) + "\n")
            }
        }
        if let logits = result.logits {
            try Output.print("same first choice   \((logits.agreement * 100).fixed(2)) % of \(logits.rows)\n")
            try Output.print(
                "divergence          \(logits.meanDivergence.scientific) nats on average, \(logits.maxDivergence.scientific) at most\n"
            )
            try Output.print(
                "logits              \(logits.maxAbsDiff.scientific) apart at most, of \(logits.maxAbsReference.fixed(3))\n"
            )
            if let perplexities = logits.perplexities {
                try Output.print(
                    "perplexity          \(perplexities.model.fixed(4)), and \(perplexities.original.fixed(4)) of the other\n"
                )
            }
        }
        if let passed, let tolerance {
            try Output.print("The comparison \(passed ? "holds" : "does NOT hold") at a tolerance of \(tolerance).\n")
        }
    }
}

/// What `verify --against --json` prints; the keys that `verify --reference` has too mean the same.
private struct Report: Encodable {
    struct Layer: Encodable {
        let layer: Int
        let relative_error: Double
        let max_abs_diff: Double
    }

    struct Divergence: Encodable {
        let mean: Double
        let max: Double
    }

    struct Perplexities: Encodable {
        let model: Double
        let against: Double
    }

    let tokens: Int
    let rows: Int
    let layers: [Layer]
    let argmax_agreement: Double?
    let max_abs_diff: Double?
    let mean_abs_diff: Double?
    let max_abs_reference: Double?
    let first_bad_row: Int?
    let kl_divergence: Divergence?
    let perplexity: Perplexities?
    /// Nothing is judged without a tolerance.
    let passed: Bool?

    init(_ result: ModelComparison, passed: Bool?) {
        tokens = result.tokens
        rows = result.logits?.rows ?? 0
        layers = result.layers.map {
            Layer(layer: $0.layer, relative_error: $0.relativeError, max_abs_diff: $0.maxAbsDiff)
        }
        let logits = result.logits
        argmax_agreement = logits?.agreement
        max_abs_diff = logits?.maxAbsDiff
        mean_abs_diff = logits?.meanAbsDiff
        max_abs_reference = logits?.maxAbsReference
        first_bad_row = logits?.firstBadRow
        kl_divergence = logits.map { Divergence(mean: $0.meanDivergence, max: $0.maxDivergence) }
        perplexity = logits?.perplexities.map { Perplexities(model: $0.model, against: $0.original) }
        self.passed = passed
    }
}
