import Foundation
import TinyLayers
import TinyTensor

/// The block as the papers write it: loops over doubles, the whole text at once, no cache.
struct ReferenceModel {
    let spec: ModelSpec
    let weights = RandomWeights()

    typealias Vector = [Double]

    /// Logits of every token.
    func logits(_ tokens: [Int]) -> [Vector] {
        let table = matrix(.tokenTable, spec.vocabulary, spec.width)
        var x = tokens.map { table[$0] }
        if case .learned(let rows) = spec.stem.positions {
            let positions = matrix(.positionTable, rows, spec.width)
            for t in x.indices { x[t] = add(x[t], positions[t]) }
        }
        for (i, layer) in spec.layers.enumerated() { x = block(layer, i, x) }
        if let norm = spec.finalNorm { x = x.map { self.norm(norm, $0) { .finalNorm($0) } } }
        let head = spec.head.weight == .tied ? table : matrix(.head, spec.vocabulary, spec.width)
        return x.map { multiply(head, $0) }
    }

    private func block(_ layer: LayerSpec, _ i: Int, _ x: [Vector]) -> [Vector] {
        func norm(_ spec: NormSpec?, _ role: NormRole, _ x: [Vector]) -> [Vector] {
            guard let spec else { return x }
            return x.map { self.norm(spec, $0) { .layer(i, .norm(role, $0)) } }
        }
        func add(_ a: [Vector], _ b: [Vector]) -> [Vector] { zip(a, b).map { self.add($0, $1) } }
        switch layer.wiring {
        case .sequential(let first, let second):
            var y = norm(
                first.after, .afterAttention, attention(layer.attention, i, norm(first.before, .beforeAttention, x)))
            let x = norm(first.onSum, .onAttentionSum, add(x, y))
            y = norm(
                second.after, .afterFeedForward,
                feedForward(layer.feedForward, i, norm(second.before, .beforeFeedForward, x)))
            return norm(second.onSum, .onFeedForwardSum, add(x, y))
        case .parallel(let first, let second):
            let a = norm(first, .beforeAttention, x)
            let b = second == nil ? a : norm(second, .beforeFeedForward, x)
            return add(x, add(attention(layer.attention, i, a), feedForward(layer.feedForward, i, b)))
        }
    }

    private func attention(_ spec: AttentionSpec, _ i: Int, _ x: [Vector]) -> [Vector] {
        let (d, groups) = (spec.headWidth, spec.heads / spec.keyValueHeads)
        func project(_ slot: (Part) -> LayerSlot, _ heads: Int, bias: Bool) -> [Vector] {
            x.map { linear({ .layer(i, slot($0)) }, $0, heads * d, bias: bias) }
        }
        var q = project(LayerSlot.query, spec.heads, bias: spec.inputBias)
        var k = project(LayerSlot.key, spec.keyValueHeads, bias: spec.inputBias)
        let v = project(LayerSlot.value, spec.keyValueHeads, bias: spec.inputBias)
        if let rotary = spec.rotary {
            for t in x.indices {
                rotate(&q[t], rotary, d, position: t)
                rotate(&k[t], rotary, d, position: t)
            }
        }
        return x.indices.map { t in
            var first = 0
            if case .causalWindow(let tokens) = spec.reach { first = max(0, t + 1 - tokens) }
            var joined: Vector = []
            for head in 0..<spec.heads {
                func part(_ row: Vector, _ head: Int) -> ArraySlice<Double> { row[head * d..<(head + 1) * d] }
                let scores = (first...t).map { s in
                    exp(
                        zip(part(q[t], head), part(k[s], head / groups)).reduce(0) { $0 + $1.0 * $1.1 }
                            * Double(spec.scale))
                }
                let total = scores.reduce(0, +)
                var sum = Vector(repeating: 0, count: d)
                for (n, s) in (first...t).enumerated() {
                    for (j, value) in part(v[s], head / groups).enumerated() { sum[j] += scores[n] / total * value }
                }
                joined += sum
            }
            return linear({ .layer(i, .attentionOutput($0)) }, joined, self.spec.width, bias: spec.outputBias)
        }
    }

    /// Without scaling: those are held to the reference implementation in the fixtures.
    private func rotate(_ x: inout Vector, _ rotary: RotarySpec, _ d: Int, position: Int) {
        for start in stride(from: 0, to: x.count, by: d) {
            for i in 0..<rotary.width / 2 {
                let angle = Double(position) * pow(rotary.base, -2 * Double(i) / Double(rotary.width))
                let (a, b) =
                    rotary.pairing == .halves
                    ? (start + i, start + i + rotary.width / 2) : (start + 2 * i, start + 2 * i + 1)
                (x[a], x[b]) = (x[a] * cos(angle) - x[b] * sin(angle), x[a] * sin(angle) + x[b] * cos(angle))
            }
        }
    }

    private func feedForward(_ spec: FeedForwardSpec, _ i: Int, _ x: [Vector]) -> [Vector] {
        x.map { x in
            var hidden = linear({ .layer(i, .up($0)) }, x, spec.hidden, bias: spec.bias)
            switch spec.form {
            case .plain: hidden = hidden.map { activate(spec.activation, $0) }
            case .gated:
                let gate = linear({ .layer(i, .gate($0)) }, x, spec.hidden, bias: spec.bias)
                hidden = zip(gate, hidden).map { activate(spec.activation, $0) * $1 }
            }
            return linear({ .layer(i, .down($0)) }, hidden, self.spec.width, bias: spec.bias)
        }
    }

    private func activate(_ activation: FeedForwardSpec.Activation, _ x: Double) -> Double {
        switch activation {
        case .silu: x / (1 + exp(-x))
        case .gelu: x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .relu: max(0, x)
        }
    }

    private func norm(_ spec: NormSpec, _ x: Vector, _ slot: (Part) -> Slot) -> Vector {
        let weight = weights.vector(slot(.weight), count: x.count).map(Double.init)
        let n = Double(x.count)
        switch spec {
        case .rms(let epsilon):
            let size = (x.reduce(0) { $0 + $1 * $1 } / n + Double(epsilon)).squareRoot()
            return zip(x, weight).map { $0 / size * $1 }
        case .layer(let epsilon, let hasBias):
            let mean = x.reduce(0, +) / n
            let deviation = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n + Double(epsilon)).squareRoot()
            let y = zip(x, weight).map { ($0 - mean) / deviation * $1 }
            return hasBias ? add(y, weights.vector(slot(.bias), count: x.count).map(Double.init)) : y
        }
    }

    private func linear(_ slot: (Part) -> Slot, _ x: Vector, _ rows: Int, bias: Bool) -> Vector {
        let y = multiply(matrix(slot(.weight), rows, x.count), x)
        return bias ? add(y, weights.vector(slot(.bias), count: rows).map(Double.init)) : y
    }

    private func matrix(_ slot: Slot, _ rows: Int, _ columns: Int) -> [Vector] {
        if let known = Self.matrices.value["\(slot) \(rows) \(columns)"] { return known }
        let values = weights.matrix(slot, rows: rows, columns: columns).floats().map(Double.init)
        let matrix = (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
        Self.matrices.set("\(slot) \(rows) \(columns)", matrix)
        return matrix
    }

    private func multiply(_ matrix: [Vector], _ x: Vector) -> Vector {
        matrix.map { row in
            var sum = 0.0
            for i in row.indices { sum += row[i] * x[i] }
            return sum
        }
    }

    private func add(_ a: Vector, _ b: Vector) -> Vector { zip(a, b).map(+) }

    /// Made once: the same slot is asked for again and again.
    private static let matrices = Matrices()

    private final class Matrices: @unchecked Sendable {
        private let lock = NSLock()
        private var known: [String: [Vector]] = [:]
        var value: [String: [Vector]] { lock.withLock { known } }
        func set(_ name: String, _ matrix: [Vector]) { lock.withLock { known[name] = matrix } }
    }
}
