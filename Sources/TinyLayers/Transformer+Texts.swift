package import TinyTensor

extension Transformer {
    /// Reads the next parts of several texts in one pass, and shows the logits behind some of their tokens.
    ///
    /// - Parameters:
    ///   - tokens: T ids, those of all parts end to end, each less than V.
    ///   - texts: where the parts end, and their caches.
    ///   - wanted: rows of the pass, in order.
    ///   - body: given the place of a row in `wanted` and logits `[n, V]`, those of this row and the n − 1 behind it; valid
    ///     only inside. Called until all have been shown.
    /// - Precondition: the tokens fit the caches, the scratch and the vocabulary; the model reads tokens, and no vectors stand
    ///   in front of its texts.
    package func forward(
        _ tokens: UnsafeBufferPointer<Int>, texts: PackedTexts, logitsOf wanted: [Int], phase: Phase, compute: Compute,
        scratch: Scratch, _ body: (_ first: Int, Rows) -> Void
    ) {
        guard case .tokens(let stem) = stem else { preconditionFailure("this model reads no tokens") }
        precondition(
            tokens.count <= scratch.rows && texts.positions.count == tokens.count && spec.prefix == 0,
            "\(tokens.count) tokens for \(texts.positions.count) places in a scratch for \(scratch.rows)")
        let context = ForwardContext(
            compute: compute, phase: phase, scratch: scratch, cache: texts.places[0].cache, texts: texts)
        let x = scratch.stream.rows(tokens.count, width: spec.width)
        stem(tokens, types: nil, into: x, context)
        run(x, length: 0, .none, context)
        guard let head else { return }
        // Between layers nobody holds a branch.
        for first in stride(from: 0, to: wanted.count, by: scratch.logitRows) {
            let part = wanted[first..<min(first + scratch.logitRows, wanted.count)]
            let rows = scratch.branch.rows(part.count, width: x.width)
            for (row, source) in part.enumerated() { rows[row].update(from: x[source], count: x.width) }
            norm(rows, context)
            body(first, logits(rows, head, context))
        }
    }

    /// Reads whole texts in one pass, or the next part of one, and returns what the last layer and the norm behind it make
    /// of every token: what the head would be applied to, not scaled.
    ///
    /// - Parameters:
    ///   - tokens: T ids, those of all texts end to end, each less than V.
    ///   - types: the kind of each token, where the model knows several; the first kind for all if nil.
    ///   - texts: where one text ends and the next begins; nil where all is the next part of the text in the cache.
    ///   - length: tokens of that text as a whole.
    /// - Returns: `[T, D]`, valid until the next pass with this scratch.
    /// - Precondition: several texts want an empty cache, a scratch made for as many, and a model that has no vectors in
    ///   front of every text.
    package func states(
        _ tokens: UnsafeBufferPointer<Int>, types: [Int]?, texts: PackedTexts?, length: Int, compute: Compute,
        cache: KeyValueCache, scratch: Scratch
    ) -> Rows {
        guard case .tokens(let stem) = stem else { preconditionFailure("this model reads no tokens") }
        precondition(tokens.count <= scratch.rows, "\(tokens.count) tokens in a scratch for \(scratch.rows)")
        precondition(
            texts == nil || cache.count == 0 && spec.prefix == 0 && texts?.positions.count == tokens.count,
            "texts that are not all the tokens of a first pass")
        let context = ForwardContext(compute: compute, phase: .prompt, scratch: scratch, cache: cache, texts: texts)
        let front = cache.count == 0 ? spec.prefix : 0
        let x = scratch.stream.rows(front + tokens.count, width: spec.width)
        stem(tokens, types: types, into: x, context)
        let text = x.slice(front..<x.count)
        run(x, length: spec.prefix + length, .none, context)
        finalNorm?(text, into: text, compute)
        return text
    }

    /// The model's own vector for a whole text, where it has one.
    ///
    /// - Parameters:
    ///   - states: `[T, D]`, of all its tokens.
    ///   - tokens: its ids.
    package func pooled(
        _ states: Rows, tokens: UnsafeBufferPointer<Int>, compute: Compute, cache: KeyValueCache, scratch: Scratch
    ) -> Pooled? {
        let context = ForwardContext(compute: compute, phase: .prompt, scratch: scratch, cache: cache)
        return pooler?(states, tokens: tokens, context)
    }
}
