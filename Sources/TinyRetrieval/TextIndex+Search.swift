#if Retrieval
    import TinyTensor

    extension TextIndex {
        /// The passages closest to a query, the closest first.
        ///
        /// Every vector of the index is compared with the query's, so nothing is missed; memory does not grow with their
        /// number.
        ///
        /// - Parameters:
        ///   - top: how many passages at the most.
        ///   - threads: threads that share the products; the cores this process may use, if nil.
        /// - Throws: `RetrievalError`, and what the embedder throws.
        public func search(
            _ query: String, top: Int = 5, with embedder: some TextEmbedder, threads: Int? = nil
        ) throws -> [Match] {
            if top < 1 {
                throw RetrievalError.badParameter(name: "top", value: "\(top)", expected: "a number from 1 on")
            }
            if query.unicodeScalars.allSatisfy(TextBreak.isBlank) {
                throw RetrievalError.badParameter(name: "the query", value: "empty", expected: "a text")
            }
            guard let width = try check(embedder) else { return [] }
            let vector = try embedder.unitVectors(of: [query], for: .query)[0]
            guard vector.count == width else {
                throw RetrievalError.badVectors(
                    model: embedder.name, reason: "a vector of \(vector.count) numbers among those of \(width)")
            }
            let compute = try Compute(precision: .exact, threads: threads)
            return try store.matches(Ranking(query: vector, top: top, compute: compute), width: width)
        }
    }
#endif
