public import TinyLayers
public import TinyModels
package import TinyTensor

/// Reads tokens one after the other and tells what the model expects next. Owns its cache; one user at a time.
///
/// ```swift
/// var decoder = model.decoder(capacity: 2048)
/// try decoder.read(model.tokens("Once upon a time")) { logits in … }
/// ```
public struct Decoder: ~Copyable {
    public let model: Model
    private let cache: KeyValueCache
    private let scratch: Scratch
    private var profile: Profile?

    private static let defaultChunk = 256

    /// - Parameters:
    ///   - chunk: the most tokens in one pass through the layers; results do not depend on it; 256 if nil.
    ///   - allLogits: whether there is room for the logits of every token of a chunk, not only of the last.
    package init(model: Model, capacity: Int, chunk: Int? = nil, allLogits: Bool = false) {
        self.model = model
        var capacity = min(max(0, capacity), Self.memoryLimit(model))
        capacity = min(capacity, model.spec.positionRows ?? capacity)
        // Where tokens see what comes after them, or one of them speaks for all, a text is read at once.
        let rows =
            model.spec.seesAhead || model.spec.pooler != nil
            ? max(1, capacity) : max(1, min(chunk ?? Self.defaultChunk, capacity))
        cache = KeyValueCache(spec: model.spec, capacity: capacity, precision: model.compute.precision)
        scratch = Scratch(
            spec: model.spec, capacity: capacity, rows: rows, logitRows: allLogits ? rows : 1,
            compute: model.compute)
    }

    /// The most tokens that half of the memory there is could hold: beyond it, asking for room would only fail.
    private static func memoryLimit(_ model: Model) -> Int {
        let perToken =
            KeyValueCache.byteCount(spec: model.spec, capacity: 1, precision: model.compute.precision)
            + Scratch.bytesPerToken(spec: model.spec, compute: model.compute)
        return CPU.memoryLimitBytes / 2 / perToken
    }

    /// The most tokens there is room for; reading more is an error that says both numbers.
    public var capacity: Int { cache.capacity - model.spec.prefix }

    /// Shows someone what each product's weights are multiplied by.
    func observe(_ observer: @escaping (Rows, Weights) -> Void) { scratch.observer = observer }

    /// The most tokens read in one pass.
    var chunk: Int { scratch.rows }

    /// Tokens read so far.
    public var count: Int { max(0, cache.count - model.spec.prefix) }

    /// Reads a text, or the next part of it.
    ///
    /// - Parameters:
    ///   - probe: shown what it asks for; of what goes with logits, that of the last token.
    ///   - body: shown the logits `[V]` of the token that follows the last one; valid only inside.
    /// - Throws: `RunnerError` if the tokens do not fit, one is unknown or the probe asks for what is not there; nothing has
    ///   been read then.
    @discardableResult
    public mutating func read<R>(
        _ tokens: [Int], probe: Probe? = nil, _ body: (Span<Float>) throws -> R
    ) throws -> R {
        try checkFits(tokens, probe: probe)
        let total = count + tokens.count
        var rest = tokens[...]
        while rest.count > scratch.rows {
            _ = pass(rest.prefix(scratch.rows), total: total, .none, .prompt, probe: probe)
            rest = rest.dropFirst(scratch.rows)
        }
        return try pass(rest, total: total, .last, .prompt, probe: probe).withRow(0, body)
    }

    /// Reads one chunk of a text of `total` tokens that is known to fit, and shows the logits behind it.
    mutating func readPart<R>(_ tokens: ArraySlice<Int>, total: Int, _ body: (Span<Float>) throws -> R) throws -> R {
        try pass(tokens, total: total, .last, .prompt).withRow(0, body)
    }

    /// Reads one chunk whose logits nobody wants.
    mutating func readPart(_ tokens: ArraySlice<Int>, total: Int) throws {
        _ = pass(tokens, total: total, .none, .prompt)
    }

    /// Reads one chunk of a text of `total` tokens that is known to fit, and scores what follows each of its tokens.
    ///
    /// - Parameter targets: for each token the one that follows it.
    /// - Returns: −ln p of each target; threads share the rows.
    /// - Precondition: made with `allLogits`.
    mutating func readPart(_ tokens: ArraySlice<Int>, total: Int, losses targets: [Int]) -> [Double] {
        precondition(tokens.count == targets.count, "\(tokens.count) tokens and \(targets.count) that follow them")
        let logits = pass(tokens, total: total, .all, .prompt)
        return [Double](unsafeUninitializedCapacity: targets.count) { losses, count in
            let base = losses.baseAddress!
            model.compute.pool.forRanges(of: targets.count) { rows in
                for row in rows {
                    (base + row).initialize(
                        to: logits.withRow(row) { negativeLogLikelihood(of: targets[row], $0) })
                }
            }
            count = targets.count
        }
    }

    /// Reads one chunk of a text of `total` tokens that is known to fit, and shows what `readAll` does.
    ///
    /// - Returns: the logits `[T, V]`, valid until the next pass.
    /// - Precondition: made with `allLogits`.
    mutating func readPart(_ tokens: ArraySlice<Int>, total: Int, probe: Probe) -> Rows {
        pass(tokens, total: total, .all, .prompt, probe: probe)
    }

    /// Reads one token: a step of decoding.
    @discardableResult
    public mutating func step<R>(
        _ token: Int, probe: Probe? = nil, _ body: (Span<Float>) throws -> R
    ) throws -> R {
        try checkFits(CollectionOfOne(token), probe: probe)
        let logits = withUnsafePointer(to: token) { pointer in
            forward(UnsafeBufferPointer(start: pointer, count: 1), total: count + 1, .last, .decode, probe: probe)
        }
        return try logits.withRow(0, body)
    }

    /// Forgets all but the first `count` tokens.
    ///
    /// - Throws: `RunnerError.badParameter` if fewer have been read.
    public mutating func truncate(to count: Int) throws {
        guard (0...self.count).contains(count) else {
            throw RunnerError.badParameter(
                name: "count", value: "\(count)", expected: "a number from 0 to \(self.count)")
        }
        cache.truncate(to: count == 0 ? 0 : count + model.spec.prefix)
    }

    /// Reads tokens and shows the logits `[T, V]` of every one, a chunk at a time; `[0, V]` where the model has none.
    ///
    /// - Parameters:
    ///   - types: the kind of each token, where the model knows several.
    ///   - pooled: given the vector for the whole text, where the model has one and the text is read at once.
    /// - Precondition: made with `allLogits`.
    package mutating func readAll(
        _ tokens: [Int], types: [Int]? = nil, probe: Probe? = nil,
        pooled: ((Pooled) -> Void)? = nil, _ body: (_ first: Int, Rows) throws -> Void
    ) throws {
        try checkFits(tokens, continuing: false, probe: probe)
        let start = count
        for position in stride(from: 0, to: tokens.count, by: scratch.rows) {
            let end = min(position + scratch.rows, tokens.count)
            let logits = pass(
                tokens[position..<end], types: types.map { Array($0[position..<end]) }, total: start + tokens.count,
                .all, .prompt, probe: probe, pooled: pooled)
            try body(position, logits)
        }
    }

    // MARK: Profiles

    /// From here on time is written down in a profile; nil for no more.
    ///
    /// - Throws: `RunnerError.badParameter` if it was made for another model.
    public mutating func attach(_ profile: Profile?) throws(RunnerError) {
        if let profile, profile.model !== model {
            throw .badParameter(
                name: "profile", value: "one of \(profile.model.path)", expected: "one of \(model.path)")
        }
        self.profile = profile
    }

    /// The same as attaching none, which cannot fail.
    mutating func detachProfile() { profile = nil }

    // MARK: Passes

    /// - Parameter continuing: whether the model is asked for what comes next, which an encoder does not know.
    func checkFits(_ tokens: some Collection<Int>, continuing: Bool = true, probe: Probe? = nil) throws(RunnerError) {
        if continuing && !model.spec.continues { throw .noContinuation(family: model.family) }
        if tokens.isEmpty { throw .noTokens }
        guard tokens.count <= capacity - count else {
            throw .contextFull(capacity: capacity, held: count, added: tokens.count)
        }
        for token in tokens where token < 0 || token >= model.spec.vocabulary {
            throw .tokenOutOfRange(token: token, vocabulary: model.spec.vocabulary)
        }
        if let (point, reason) = probe?.problem(model.spec) { throw .badProbe(point: point, reason: reason) }
    }

    private func pass(
        _ tokens: ArraySlice<Int>, types: [Int]? = nil, total: Int, _ logits: Transformer.LogitRows, _ phase: Phase,
        probe: Probe? = nil, pooled: ((Pooled) -> Void)? = nil
    ) -> Rows {
        tokens.withUnsafeBufferPointer {
            forward($0, types: types, total: total, logits, phase, probe: probe, pooled: pooled)
        }
    }

    /// - Parameter total: tokens of the text as a whole, for rotations that stretch with it: a prompt is one text, however
    ///   it is cut.
    private func forward(
        _ tokens: UnsafeBufferPointer<Int>, types: [Int]? = nil, total: Int, _ logits: Transformer.LogitRows,
        _ phase: Phase, probe: Probe? = nil, pooled: ((Pooled) -> Void)? = nil
    ) -> Rows {
        if let profile {
            return profile.pass(phase) {
                model.transformer.forward(
                    tokens, types: types, length: total, logits: logits, phase: phase, compute: profile.compute,
                    cache: cache, scratch: scratch, probe: probe, pooled: pooled)
            }
        }
        return model.transformer.forward(
            tokens, types: types, length: total, logits: logits, phase: phase, compute: model.compute, cache: cache,
            scratch: scratch, probe: probe, pooled: pooled)
    }
}

extension ModelSpec {
    /// Whether the model predicts what comes next, and not only what stands in a place that was hidden.
    var continues: Bool { head != nil && head?.transform == nil }
}

extension Model {
    /// A decoder with an empty cache.
    ///
    /// - Parameter capacity: the most tokens it will hold, prompt and continuation together; no more than the model has
    ///   positions, where those are learned, and than half of this machine's memory could hold.
    public func decoder(capacity: Int) -> Decoder { Decoder(model: self, capacity: capacity) }
}
