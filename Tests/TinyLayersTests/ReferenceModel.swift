import Foundation
import TinyLayers
import TinyTensor

/// The block as the papers write it: loops over doubles, the whole text at once, no cache.
struct ReferenceModel {
    let spec: ModelSpec
    let weights = RandomWeights()
    /// Told what each head of a layer gives the tokens that a token sees, a sink's share behind.
    var onShares: ((_ layer: Int, _ head: Int, _ token: Int, _ seen: Range<Int>, Vector) -> Void)?

    typealias Vector = [Double]

    /// Logits of every token.
    func logits(_ tokens: [Int]) -> [Vector] {
        let stem = spec.tokenStem
        let table = matrix(.model(.tokenTable, .weight), spec.vocabulary, stem.tableWidth ?? spec.width)
        var x = tokens.map { table[$0].map { Double(stem.scale) * $0 } }
        if stem.tableWidth != nil { x = x.map { linear({ .model(.stemProjection, $0) }, $0, spec.width, bias: false) } }
        if case .learned(let rows) = stem.positions {
            let positions = matrix(.model(.positionTable, .weight), rows, spec.width)
            for t in x.indices { x[t] = add(x[t], positions[t]) }
        }
        if stem.types > 0 {
            let types = matrix(.model(.typeTable, .weight), stem.types, spec.width)
            x = x.map { add($0, types[0]) }
        }
        if stem.prefix > 0 { x = matrix(.model(.prefix, .weight), stem.prefix, spec.width) + x }
        if let norm = stem.norm { x = x.map { self.norm(norm, $0) { .model(.stemNorm, $0) } } }
        for (i, layer) in spec.layers.enumerated() { x = block(layer, i, x) }
        x = Array(x[stem.prefix...])
        if let norm = spec.finalNorm { x = x.map { self.norm(norm, $0) { .model(.finalNorm, $0) } } }
        guard let head = spec.head else { return x }
        return x.map { self.head(head, $0) }
    }

    private func head(_ head: HeadSpec, _ x: Vector) -> Vector {
        var x = x.map { $0 * Double(head.scale) }
        let width = head.tableWidth ?? spec.width
        if let transform = head.transform {
            x = linear({ .model(.headTransform, $0) }, x, x.count, bias: true).map {
                activate(transform.activation, $0)
            }
            x = norm(transform.norm, x) { .model(.headNorm, $0) }
        }
        if head.tableWidth != nil { x = linear({ .model(.headProjection, $0) }, x, width, bias: false) }
        var table = matrix(.model(head.weight == .tied ? .tokenTable : .head, .weight), spec.vocabulary, width)
        if head.unitRows { table = table.map { row in row.map { $0 / dot(row, row).squareRoot() } } }
        var logits = multiply(table, x)
        if head.bias { logits = add(logits, vector(.model(.head, .bias), spec.vocabulary)) }
        return head.cap.map { cap in logits.map { Double(cap) * tanh($0 / Double(cap)) } } ?? logits
    }

    private func block(_ layer: LayerSpec, _ i: Int, _ x: [Vector]) -> [Vector] {
        func norm(_ spec: NormSpec?, _ role: NormRole, _ x: [Vector]) -> [Vector] {
            guard let spec else { return x }
            return x.map { self.norm(spec, $0) { .layer(i, .norm(role), $0) } }
        }
        func sum(_ a: [Vector], _ branches: [Vector]...) -> [Vector] {
            a.indices.map { t in
                branches.reduce(a[t]) { self.add($0, $1[t].map { $0 * Double(layer.branchScale) }) }
                    .map { $0 * Double(layer.sumScale) }
            }
        }
        switch layer.wiring {
        case .sequential(let first, let second):
            var x = norm(first.onStream, .onAttentionStream, x)
            if layer.hasAttention {
                let y = norm(
                    first.after, .afterAttention, attention(layer.attention, i, norm(first.before, .beforeAttention, x))
                )
                x = norm(first.onSum, .onAttentionSum, sum(x, y))
            }
            x = norm(second.onStream, .onFeedForwardStream, x)
            if layer.hasFeedForward {
                let y = norm(
                    second.after, .afterFeedForward,
                    feedForward(layer.feedForward, i, norm(second.before, .beforeFeedForward, x)))
                x = norm(second.onSum, .onFeedForwardSum, sum(x, y))
            }
            return x
        case .parallel(let first, let second):
            let a = norm(first, .beforeAttention, x)
            let b = second == nil ? a : norm(second, .beforeFeedForward, x)
            let nothing = x.map { $0.map { _ in 0.0 } }
            return sum(
                x, layer.hasAttention ? attention(layer.attention, i, a) : nothing,
                layer.hasFeedForward ? feedForward(layer.feedForward, i, b) : nothing)
        }
    }

    // MARK: Parts

    func activate(_ activation: NetworkSpec.Activation, _ x: Double) -> Double {
        switch activation {
        case .silu: x / (1 + exp(-x))
        case .gelu: x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .geluQuick: x / (1 + exp(-1.702 * x))
        case .relu: max(0, x)
        }
    }

    func norm(_ spec: NormSpec, _ x: Vector, _ slot: (Part) -> Slot) -> Vector {
        let weight = vector(slot(.weight), x.count)
        let n = Double(x.count)
        switch spec {
        case .rms(let epsilon):
            let size = (dot(x, x) / n + Double(epsilon)).squareRoot()
            return zip(x, weight).map { $0 / size * $1 }
        case .layer(let epsilon, let hasBias):
            let mean = x.reduce(0, +) / n
            let deviation = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n + Double(epsilon)).squareRoot()
            let y = zip(x, weight).map { ($0 - mean) / deviation * $1 }
            return hasBias ? add(y, vector(slot(.bias), x.count)) : y
        }
    }

    func linear(_ slot: (Part) -> Slot, _ x: Vector, _ rows: Int, bias: Bool) -> Vector {
        let y = multiply(matrix(slot(.weight), rows, x.count), x)
        return bias ? add(y, vector(slot(.bias), rows)) : y
    }

    func vector(_ slot: Slot, _ count: Int) -> Vector { weights.vector(slot, count: count).map(Double.init) }

    func dot(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    func matrix(_ slot: Slot, _ rows: Int, _ columns: Int) -> [Vector] {
        if let known = Self.matrices.value["\(slot) \(rows) \(columns)"] { return known }
        let values = weights.matrix(slot, rows: rows, columns: columns).floats().map(Double.init)
        let matrix = (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
        Self.matrices.set("\(slot) \(rows) \(columns)", matrix)
        return matrix
    }

    func multiply(_ matrix: [Vector], _ x: Vector) -> Vector {
        matrix.map { row in
            var sum = 0.0
            for i in row.indices { sum += row[i] * x[i] }
            return sum
        }
    }

    func add(_ a: Vector, _ b: Vector) -> Vector { zip(a, b).map(+) }

    /// Made once: the same slot is asked for again and again.
    private static let matrices = Matrices()

    private final class Matrices: @unchecked Sendable {
        private let lock = NSLock()
        private var known: [String: [Vector]] = [:]
        var value: [String: [Vector]] { lock.withLock { known } }
        func set(_ name: String, _ matrix: [Vector]) { lock.withLock { known[name] = matrix } }
    }
}
