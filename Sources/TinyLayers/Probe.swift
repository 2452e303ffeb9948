import TinyTensor

/// A look inside a pass through the layers: which numbers are wanted, and who is handed them.
///
/// ```swift
/// let probe = Probe([.stream(3), .attention(3)]) { reading, values in
///     print(reading.point, reading.shape, values[0])
/// }
/// try decoder.read(tokens, probe: probe) { logits in … }
/// ```
///
/// The closure is called on the thread that reads, in the order of computation, before the call that reads returns: so
/// it may change what it has captured without a lock, and a probe is not `Sendable`. The values are those the pass
/// goes on with; they are valid only inside the closure. A text that is read in several passes is shown in as many
/// parts. What is not asked for is neither computed nor copied.
///
/// Layers are numbered from 1: layer N makes `stream(N)` of `stream(N − 1)`.
public struct Probe {
    /// What can be looked at. T are the tokens of a pass, C those it can see: the tokens held and the new ones.
    public enum Point: Sendable, Hashable {
        /// The residual stream after layer N, `[T, D]`; 0 is after the stem.
        case stream(Int)
        /// How much each head of layer N weighed each token, `[H, T, C]`.
        ///
        ///     softmax(scale · q · kᵀ)        with the layer's cap, bias by position, window and sinks
        ///
        /// A row sums to 1; where a head has a sink, what lacks is the sink's. In front of the C tokens stand the vectors
        /// that some models put in front of every text (`ModelSpec.prefix`), as columns of their own. It is computed anew
        /// from queries and keys: the kernels for prompts never hold it.
        case attention(Int)
        /// The feed-forward network of layer N in the middle, `[T, F]`: f(x · Wupᵀ), times the gate where there is one. A
        /// mixture is shown expert by expert, each with the tokens that it reads.
        case hidden(Int)
        /// The logits that the model would give if it stopped after layer N, `[T', V]`: final norm and head on `stream(N)`,
        /// for the T' tokens that logits are computed for. After the last layer it is the model's own output.
        ///
        /// nostalgebraist 2020, "interpreting GPT: the logit lens"
        case lens(Int)
        /// What the head is applied to, `[T', D]`.
        case final
    }

    /// Which expert of a mixture.
    public enum Expert: Sendable, Hashable {
        case number(Int)
        /// The one that reads every token.
        case shared
    }

    /// What a closure's values are.
    public struct Reading: Sendable, Equatable {
        public let point: Point
        /// The places in the text of the tokens shown, from 0 on: as many as there are rows.
        public let positions: [Int]
        public let shape: [Int]
        /// For `hidden` of a mixture.
        public let expert: Expert?
    }

    public let points: Set<Point>
    let body: (Reading, Span<Float>) -> Void

    public init(_ points: some Sequence<Point>, _ body: @escaping (Reading, Span<Float>) -> Void) {
        self.points = Set(points)
        self.body = body
    }
}

extension Probe {
    /// A point that a model does not have, and why; nil if it has all.
    package func problem(_ spec: ModelSpec) -> (point: Point, reason: String)? {
        for point in points {
            if let reason = point.problem(spec) { return (point, reason) }
        }
        return nil
    }
}

extension Probe.Point: CustomStringConvertible {
    public var description: String {
        switch self {
        case .stream(let layer): "stream(\(layer))"
        case .attention(let layer): "attention(\(layer))"
        case .hidden(let layer): "hidden(\(layer))"
        case .lens(let layer): "lens(\(layer))"
        case .final: "final"
        }
    }

    fileprivate func problem(_ spec: ModelSpec) -> String? {
        func layer(_ number: Int, from first: Int) -> String? {
            (first...max(first, spec.layers.count)).contains(number) && number <= spec.layers.count
                ? nil : "the model's layers are \(first) to \(spec.layers.count)"
        }
        switch self {
        case .stream(let number): return layer(number, from: 0)
        case .lens(let number):
            return spec.head == nil ? "the model has no head that gives logits" : layer(number, from: 0)
        case .attention(let number):
            if let problem = layer(number, from: 1) { return problem }
            return spec.layers[number - 1].hasAttention ? nil : "this layer has no attention"
        case .hidden(let number):
            if let problem = layer(number, from: 1) { return problem }
            return spec.layers[number - 1].hasFeedForward ? nil : "this layer has no feed-forward network"
        case .final: return nil
        }
    }
}

extension ForwardContext {
    /// Shows rows of the pass to the probe, if it asked for them; those in front of the text are left out.
    ///
    /// - Parameter rows: `[T, n]`, all of the pass.
    func show(_ point: @autoclosure () -> Probe.Point, _ rows: Rows, expert: Probe.Expert? = nil) {
        guard let probe, probe.points.contains(point()) else { return }
        let text = rows.slice(front..<rows.count)
        show(point(), text, positions: Array(firstPosition..<firstPosition + text.count), expert: expert, probe)
    }

    /// Shows rows of chosen tokens.
    ///
    /// - Parameter tokens: which of the pass each row is.
    func show(_ point: @autoclosure () -> Probe.Point, _ rows: Rows, tokens: [Int], expert: Probe.Expert?) {
        guard let probe, probe.points.contains(point()) else { return }
        for (first, token) in tokens.enumerated() where token >= front {
            // Tokens are in their order, so those of the text are the last rows.
            let positions = tokens[first...].map { firstPosition + $0 - front }
            return show(point(), rows.slice(first..<rows.count), positions: positions, expert: expert, probe)
        }
    }

    private func show(
        _ point: Probe.Point, _ rows: Rows, positions: [Int], expert: Probe.Expert?, _ probe: Probe
    ) {
        let reading = Probe.Reading(
            point: point, positions: positions, shape: [rows.count, rows.width], expert: expert)
        probe.body(reading, UnsafeBufferPointer(start: rows.base, count: rows.count * rows.width).span)
    }
}
