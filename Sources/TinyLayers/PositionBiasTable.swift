import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is added to scores for where query and key stand, worked out once for all layers.
final class PositionBiasTable {
    let spec: PositionBias
    private let capacity: Int
    /// Vectors in front of the text.
    private let prefix: Int
    private let heads: Int
    /// `[H, 2 · capacity]`: by distance, or in the first half by the key's position.
    private let values: RowBuffer
    /// `[rows, H]`, the learned ones.
    private var learned: [Float] = []

    init(_ spec: PositionBias, heads: Int, capacity: Int, prefix: Int) {
        self.spec = spec
        (self.heads, self.capacity, self.prefix) = (heads, capacity, prefix)
        values = RowBuffer(capacity: heads * 2 * capacity)
        switch spec {
        case .none, .buckets: break
        case .linear(let slopes):
            fill { head, index in slopes[head] * Float(index - capacity) }
        case .roundedLinear(let slopes, let factor):
            fill { head, key in key < capacity ? factor * bfloat16(bfloat16(slopes[head]) * bfloat16(Float(key))) : 0 }
        }
    }

    /// Takes the learned values, once.
    func learn(_ table: [Float]) {
        guard case .buckets(let buckets) = spec, learned.isEmpty else { return }
        learned = table
        fill { head, index in table[buckets.bucket(distance: index - self.capacity) * self.heads + head] }
    }

    private func fill(_ value: (_ head: Int, _ index: Int) -> Float) {
        for head in 0..<heads {
            for index in 0..<2 * capacity { values.base[head * 2 * capacity + index] = value(head, index) }
        }
    }

    /// Whether rows are put together for every query.
    var needsRows: Bool { if case .buckets = spec { prefix > 0 } else { false } }

    /// What is added for key j of `0..<count`, at j.
    ///
    /// - Parameter row: scratch of `count` floats where `needsRows`.
    func row(head: Int, query: Int, count: Int, _ row: UnsafeMutablePointer<Float>?) -> UnsafePointer<Float> {
        let start = values.base + head * 2 * capacity
        if case .roundedLinear = spec { return UnsafePointer(start) }
        let byDistance = start + capacity - query
        guard case .buckets(let buckets) = spec, prefix > 0, let row else { return UnsafePointer(byDistance) }
        row.update(from: byDistance, count: count)
        let (other, bucket) =
            query < prefix
            ? (min(prefix, count)..<count, buckets.prefixToText)
            : (0..<min(prefix, count), buckets.textToPrefix)
        for key in other { row[key] = learned[bucket * heads + head] }
        return UnsafePointer(row)
    }
}

extension BucketSpec {
    /// The row of the table for a key this far ahead of the query, or behind it if negative.
    ///
    /// The arithmetic is in single precision as the reference's is: it decides where the wider buckets begin.
    func bucket(distance: Int) -> Int {
        let half = buckets / 2
        let exact = half / 2
        let near = abs(distance)
        var bucket = near
        if near >= exact {
            let part =
                Float(log(Double(Float(near) / Float(exact)))) / Float(log(Double(self.distance) / Double(exact)))
            bucket = min(half - 1, exact + Int(part * Float(half - exact)))
        }
        return distance > 0 ? half + bucket : bucket
    }
}

/// The nearest number with eight bits, ties to even.
private func bfloat16(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
}

/// ln x
func logarithm(_ x: Double) -> Double { log(x) }
