import TinyTensor

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

    package init(spec: ModelSpec, capacity: Int) {
        self.capacity = capacity
        var offset = 0
        layers = spec.layers.map { layer in
            defer { offset += 2 * layer.attention.keyValueHeads * capacity * layer.attention.headWidth }
            return Layer(offset: offset, heads: layer.attention.keyValueHeads, headWidth: layer.attention.headWidth)
        }
        buffer = RowBuffer(capacity: offset)
    }

    /// Bytes that a cache takes.
    package static func byteCount(spec: ModelSpec, capacity: Int) -> Int {
        spec.layers.reduce(0) { $0 + 2 * $1.attention.keyValueHeads * $1.attention.headWidth } * capacity * 4
    }

    /// Keys of one head, `[capacity, d]`.
    func keys(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        let layer = layers[layer]
        precondition(head < layer.heads, "head \(head) of \(layer.heads)")
        return buffer.base + layer.offset + head * capacity * layer.headWidth
    }

    /// Values of one head, `[capacity, d]`.
    func values(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        keys(layer: layer, head: head) + layers[layer].heads * capacity * layers[layer].headWidth
    }

    /// Writes keys and values, `[T, G · d]` each, behind the tokens held; they count after `advance`.
    func write(keys newKeys: Rows, values newValues: Rows, layer: Int) {
        precondition(
            count + newKeys.count <= capacity, "\(count) and \(newKeys.count) tokens in a cache of \(capacity)")
        let width = layers[layer].headWidth
        for head in 0..<layers[layer].heads {
            let (keys, values) = (keys(layer: layer, head: head), values(layer: layer, head: head))
            for t in 0..<newKeys.count {
                (keys + (count + t) * width).update(from: newKeys[t] + head * width, count: width)
                (values + (count + t) * width).update(from: newValues[t] + head * width, count: width)
            }
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
}
