import TinyLayers
import TinyModels
import TinyTensor

/// Takes down what a probe and the logits show.
final class TraceRecorder {
    private let model: Model
    private let options: TraceOptions
    private(set) var trace: Trace
    /// Of the likeliest token behind the last one.
    private var bestScore: TokenScore?

    /// The most attention weights that are kept: 128 MB.
    private static let weightLimit = 1 << 25

    init(_ tokens: [Int], _ options: TraceOptions, _ model: Model) throws {
        try options.check()
        self.model = model
        self.options = options
        let layers = Set(options.attention).sorted()
        trace = Trace(
            tokens: tokens.map { Trace.Token(id: $0, isChosen: false) }, lensLayers: Set(options.lens).sorted(),
            attention: [])
        let points = trace.lensLayers.map(Probe.Point.lens) + layers.map(Probe.Point.attention)
        if let (point, reason) = Probe(points, { _, _ in }).problem(model.spec) {
            throw RunnerError.badProbe(point: point, reason: reason)
        }
        trace.attention = layers.map { layer in
            let attention = model.spec.layers[layer - 1].attention
            return AttentionMap(
                layer: layer, heads: attention.heads, hasElsewhere: attention.sinks || model.spec.prefix > 0)
        }
        try checkRoom(Self.length(tokens.count, options.steps, model))
    }

    /// Tokens of the text and the walk, as far as the model's context goes.
    static func length(_ tokens: Int, _ steps: Int, _ model: Model) -> Int {
        let sum = tokens.addingReportingOverflow(steps)
        return min(sum.overflow ? .max : sum.partialValue, model.contextLimit ?? .max)
    }

    private func checkRoom(_ tokens: Int) throws {
        let heads = trace.attention.reduce(0) { $0 + $1.heads }
        let pairs = model.spec.seesAhead ? Double(tokens) * Double(tokens) : Double(tokens) * (Double(tokens) + 1) / 2
        let count = Double(heads) * pairs
        if count > Double(Self.weightLimit) {
            throw RunnerError.tooManyWeights(
                count: Int(min(count, 1e18)), limit: Self.weightLimit, layers: trace.attention.count, tokens: tokens)
        }
    }

    /// What sees to it that lens and attention are shown; nil if nobody asked for either.
    var probe: Probe? {
        let points = trace.lensLayers.map(Probe.Point.lens) + trace.attention.map { .attention($0.layer) }
        return points.isEmpty ? nil : Probe(points) { [self] in take($0, $1) }
    }

    private func take(_ reading: Probe.Reading, _ values: Span<Float>) {
        switch reading.point {
        case .lens:
            for (prediction, position) in zip(predictions(values, reading.shape, targets: []), reading.positions) {
                trace.tokens[position].lens.append(prediction.next)
            }
        case .attention(let layer):
            guard let index = trace.attention.firstIndex(where: { $0.layer == layer }) else { return }
            trace.attention[index].append(
                values, shape: reading.shape, positions: reading.positions, prefix: model.spec.prefix,
                seesAhead: model.spec.layers[layer - 1].attention.reach == .everything)
        default: break
        }
    }

    /// Takes the logits `[T, V]` behind tokens from `first` on.
    func take(_ logits: Span<Float>, first: Int) throws {
        let count = logits.count / model.spec.vocabulary
        let targets = trace.tokens[min(first + 1, trace.tokens.count)...].prefix(count).map(\.id)
        for (index, row) in predictions(logits, [count, model.spec.vocabulary], targets: targets).enumerated() {
            if !row.isNumber { throw RunnerError.notANumber(position: first + index) }
            trace.tokens[first + index].next = row.next
            if index < targets.count { trace.tokens[first + index + 1].score = row.score }
            bestScore = row.best
        }
    }

    /// Appends the likeliest token.
    func choose() -> Int? {
        guard let best = trace.next?.candidates.first else { return nil }
        trace.tokens.append(Trace.Token(id: best.token, isChosen: true, score: bestScore))
        return best.token
    }

    func stop(_ reason: StopReason) { trace.stopReason = reason }

    private struct Row {
        let next: Prediction
        let best: TokenScore
        let score: TokenScore?
        let isNumber: Bool
    }

    /// - Parameter targets: the tokens that came, for as many rows as they are known of.
    private func predictions(_ values: Span<Float>, _ shape: [Int], targets: [Int]) -> [Row] {
        let (count, width, top) = (shape[0], shape[1], options.top)
        return values.withUnsafeBufferPointer { values in
            [Row](unsafeUninitializedCapacity: count) { rows, initialized in
                let base = rows.baseAddress!
                model.compute.pool.forRanges(of: count) { range in
                    for row in range {
                        let logits = UnsafeBufferPointer(rebasing: values[row * width..<(row + 1) * width]).span
                        let distribution = Distribution(logits)
                        (base + row).initialize(
                            to: Row(
                                next: Prediction(logits, top: top, distribution), best: TokenScore(distribution),
                                score: row < targets.count
                                    ? TokenScore(of: targets[row], logits, distribution) : nil,
                                isNumber: distribution.isNumber))
                    }
                }
                initialized = count
            }
        }
    }
}
