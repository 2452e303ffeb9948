import CTinyKernels
package import TinyTensor

/// The keys and values of every token read so far, for all layers. Its capacity is fixed when it is made.
package final class KeyValueCache {
    package let capacity: Int
    /// Tokens held.
    package private(set) var count = 0
    private let buffer: RowBuffer
    private let layers: [Layer]

    private struct Layer {
        let offset: Int
        let heads: Int
        let headWidth: Int
    }

    /// How keys and values are held: as floats where everything is exact, otherwise as halves.
    let elementType: ElementType

    /// - Parameter capacity: the most tokens, without those that stand in front of every text.
    package init(spec: ModelSpec, capacity: Int, precision: Precision) {
        let capacity = capacity + spec.prefix
        self.capacity = capacity
        elementType = Self.elementType(precision)
        var offset = 0
        layers = spec.layers.map { layer in
            defer { offset += 2 * layer.attention.keyValueHeads * capacity * layer.attention.headWidth }
            return Layer(offset: offset, heads: layer.attention.keyValueHeads, headWidth: layer.attention.headWidth)
        }
        buffer = RowBuffer(capacity: (offset * elementType.blockBytes + 3) / 4)
    }

    /// Bytes that a cache takes.
    package static func byteCount(spec: ModelSpec, capacity: Int, precision: Precision) -> Int {
        spec.layers.reduce(0) { $0 + 2 * $1.attention.keyValueHeads * $1.attention.headWidth } * capacity
            * elementType(precision).blockBytes
    }

    private static func elementType(_ precision: Precision) -> ElementType { precision == .exact ? .f32 : .f16 }

    /// Keys of one head, `[capacity, d]`, from a token on.
    func keys(layer: Int, head: Int, from token: Int = 0) -> UnsafeMutableRawPointer {
        let layer = layers[layer]
        precondition(head < layer.heads && token <= capacity, "head \(head) of \(layer.heads), token \(token)")
        return UnsafeMutableRawPointer(buffer.base)
            + (layer.offset + (head * capacity + token) * layer.headWidth) * elementType.blockBytes
    }

    /// Values of one head, `[capacity, d]`, from a token on.
    func values(layer: Int, head: Int, from token: Int = 0) -> UnsafeMutableRawPointer {
        keys(layer: layer, head: head, from: token) + layers[layer].heads * capacity * layers[layer].headWidth
            * elementType.blockBytes
    }

    /// Writes some rows of keys and values, `[T, G · d]` each; they count after `advance`.
    ///
    /// - Parameter token: where the first of these rows stands in the cache.
    func write(
        keys newKeys: Rows, values newValues: Rows, _ rows: Range<Int>, at token: Int, layer: Int,
        _ kernels: CPU.Kernels
    ) {
        precondition(
            token + rows.count <= capacity, "\(rows.count) tokens at \(token) in a cache of \(capacity)")
        let width = layers[layer].headWidth
        for head in 0..<layers[layer].heads {
            let (keys, values) = (keys(layer: layer, head: head), values(layer: layer, head: head))
            for row in rows {
                let t = token + row - rows.lowerBound
                store(newKeys[row] + head * width, width, at: keys, t, kernels)
                store(newValues[row] + head * width, width, at: values, t, kernels)
            }
        }
    }

    private func store(
        _ source: UnsafePointer<Float>, _ width: Int, at base: UnsafeMutableRawPointer, _ row: Int,
        _ kernels: CPU.Kernels
    ) {
        let target = base + row * width * elementType.blockBytes
        if elementType == .f32 {
            target.assumingMemoryBound(to: Float.self).update(from: source, count: width)
        } else {
            kernels.table.pointee.narrow(source, width, target.assumingMemoryBound(to: UInt16.self))
        }
    }

    func advance(by tokens: Int) {
        precondition(count + tokens <= capacity, "\(count) and \(tokens) tokens in a cache of \(capacity)")
        count += tokens
    }

    /// Forgets all but the first `count` tokens.
    package func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "\(count) of \(self.count) tokens")
        self.count = count
    }

    /// Takes the first `count` tokens of another cache for the same model, in place of those held.
    package func copy(_ count: Int, from other: KeyValueCache) {
        precondition(
            layers.count == other.layers.count && elementType == other.elementType && count <= other.count
                && count <= capacity, "\(count) of \(other.count) tokens into a cache of \(capacity)")
        for layer in layers.indices {
            for head in 0..<layers[layer].heads {
                let bytes = count * layers[layer].headWidth * elementType.blockBytes
                keys(layer: layer, head: head).copyMemory(from: other.keys(layer: layer, head: head), byteCount: bytes)
                values(layer: layer, head: head)
                    .copyMemory(from: other.values(layer: layer, head: head), byteCount: bytes)
            }
        }
        self.count = count
    }

    /// Gives back the memory behind the tokens held, as far as it is whole pages.
    package func releaseUnused() {
        for layer in layers.indices {
            let bytes = (capacity - count) * layers[layer].headWidth * elementType.blockBytes
            for head in 0..<layers[layer].heads {
                RowBuffer.release(keys(layer: layer, head: head, from: count), bytes)
                RowBuffer.release(values(layer: layer, head: head, from: count), bytes)
            }
        }
    }
}
