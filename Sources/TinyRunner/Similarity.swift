extension Embeddings {
    /// The cosines of the angles between all vectors, `[N, N]`; 0 where a vector has no length.
    ///
    ///     s[i][j] = a[i] · a[j] / (|a[i]| · |a[j]|)
    public var similarities: [[Double]] {
        let lengths = vectors.map { Self.product($0, $0).squareRoot() }
        return vectors.indices.map { i in
            vectors.indices.map { j in
                let scale = lengths[i] * lengths[j]
                return scale > 0 ? Self.product(vectors[i], vectors[j]) / scale : 0
            }
        }
    }

    private static func product(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
}
