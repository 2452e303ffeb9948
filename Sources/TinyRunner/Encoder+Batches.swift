import TinyLayers
import TinyModels
import TinyTensor

/// Which texts are read together: those of about the same length, longest first, as many as fill a pass.
struct Batches {
    /// Tokens of a pass: enough for products to be worth it, few enough for what stands between two layers to stay in the
    /// second-level cache.
    static let tokens = 256

    /// Indices of texts.
    private(set) var batches: [[Int]] = []
    /// The most tokens of a pass, and of a text.
    private(set) var passTokens = 1
    private(set) var textTokens = 1
    /// The most texts of a pass.
    private(set) var texts = 1

    /// - Parameters:
    ///   - counts: tokens of each text.
    ///   - packs: whether a pass may have several.
    init(_ counts: [Int], packs: Bool) {
        // Equal lengths stay in their order: what a user sees first does not depend on how a sort breaks ties.
        let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
        var used = 0
        for index in order {
            if packs, let last = batches.indices.last, used + counts[index] <= Self.tokens {
                batches[last].append(index)
                used += counts[index]
            } else {
                batches.append([index])
                used = counts[index]
            }
            passTokens = max(passTokens, used)
            texts = max(texts, batches[batches.count - 1].count)
        }
        textTokens = counts.max() ?? 1
    }
}

/// Reads texts, a batch in a pass. Owns the memory that this takes.
struct TextReader: ~Copyable {
    private let encoder: Encoder
    private let cache: KeyValueCache
    private let scratch: Scratch
    private let skipped: Int

    /// - Parameter skipped: tokens in front of each text that do not count.
    init(_ encoder: Encoder, _ batches: Batches, skipped: Int) {
        self.encoder = encoder
        self.skipped = skipped
        let (spec, compute) = (encoder.model.spec, encoder.model.compute)
        // Where tokens see what comes after them, or one of them speaks for all, a text is read at once; otherwise a long one
        // is read in parts.
        let isWhole = spec.seesAhead || encoder.settings.source == .modelsPooler
        let rows = isWhole ? batches.passTokens : min(batches.passTokens, Batches.tokens)
        let capacity = max(batches.passTokens, batches.textTokens)
        cache = KeyValueCache(spec: spec, capacity: capacity, precision: compute.precision)
        scratch = Scratch(
            spec: spec, capacity: capacity, rows: rows, logitRows: 0, texts: batches.texts, compute: compute)
    }

    /// The vectors of a batch's texts.
    mutating func read(_ texts: [FramedText]) -> [[Float]] {
        cache.truncate(to: 0)
        if let text = texts.first, texts.count == 1 { return [readAlone(text)] }
        let packed = PackedTexts(counts: texts.map(\.tokens.count), in: cache)
        let tokens = texts.flatMap(\.tokens)
        return tokens.withUnsafeBufferPointer { buffer in
            let states = states(buffer, texts.flatMap(\.types), packed, length: buffer.count)
            return texts.indices.map { index in
                let rows = packed.rows(ofText: index)
                return vector(states.slice(rows), UnsafeBufferPointer(rebasing: buffer[rows]))
            }
        }
    }

    /// In parts, where there is no room for the whole.
    private func readAlone(_ text: FramedText) -> [Float] {
        text.tokens.withUnsafeBufferPointer { tokens in
            let types = text.types
            if tokens.count <= scratch.rows { return vector(states(tokens, types, nil, length: tokens.count), tokens) }
            var sums = sums
            for first in stride(from: 0, to: tokens.count, by: scratch.rows) {
                let part = first..<min(first + scratch.rows, tokens.count)
                let states = states(
                    UnsafeBufferPointer(rebasing: tokens[part]), Array(types[part]), nil, length: tokens.count)
                for index in sums.indices { sums[index].add(states, encoder.model.compute) }
            }
            return sums.flatMap(\.result)
        }
    }

    private func states(
        _ tokens: UnsafeBufferPointer<Int>, _ types: [Int], _ texts: PackedTexts?, length: Int
    ) -> Rows {
        encoder.model.transformer.states(
            tokens, types: encoder.model.tokenTypes > 1 ? types : nil, texts: texts, length: length,
            compute: encoder.model.compute, cache: cache, scratch: scratch)
    }

    /// The vector of a whole text.
    private func vector(_ states: Rows, _ tokens: UnsafeBufferPointer<Int>) -> [Float] {
        if encoder.settings.source == .modelsPooler,
            let pooled = encoder.model.transformer.pooled(
                states, tokens: tokens, compute: encoder.model.compute, cache: cache, scratch: scratch)
        {
            return pooled.embedding
        }
        var sums = sums
        for index in sums.indices { sums[index].add(states, encoder.model.compute) }
        return sums.flatMap(\.result)
    }

    private var sums: [PooledSum] {
        guard case .states(let poolings) = encoder.settings.source else { return [] }
        return poolings.map { PooledSum($0, width: encoder.model.spec.width, skipped: skipped) }
    }
}
