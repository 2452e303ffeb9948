package import TinyTensor

extension Transformer {
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
