import TinyLayers
import TinyTensor
import TinyTestSupport

/// Weights that follow from a slot's name alone: two specs that share a slot share its weights.
struct RandomWeights: WeightProvider {
    /// Whether matrices are Q8_0 rather than float.
    var isQuantized = false

    func matrix(_ slot: Slot, rows: Int, columns: Int) -> Matrix {
        var random = SplitMix64(seed: seed(slot))
        if isQuantized && columns.isMultiple(of: 32) {
            let blocks = rows * columns / 32
            let storage = Storage.allocate(byteCount: blocks * 34) { memory in
                for i in 0..<blocks * 34 { memory[i] = UInt8(truncatingIfNeeded: random.next() >> 20) }
                for block in 0..<blocks {  // a scale between 2⁻¹⁰ and 2⁻⁹
                    memory[block * 34 + 1] = 0x14 | (memory[block * 34 + 1] & 3)
                }
            }
            return Matrix(type: .q8_0, rows: rows, columns: columns, storage: storage)
        }
        let values = random.floats(rows * columns, scale: 2 / Float(columns).squareRoot())
        let storage = Storage.allocate(byteCount: rows * columns * 4) { memory in
            values.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
        return Matrix(type: .f32, rows: rows, columns: columns, storage: storage)
    }

    func vector(_ slot: Slot, count: Int) -> [Float] {
        var random = SplitMix64(seed: seed(slot))
        let values = random.floats(count, scale: 0.5)
        let name = "\(slot)"
        return name.contains("orm") && name.contains("weight") ? values.map { 1 + $0 } : values
    }

    /// FNV-1a of the slot's name.
    private func seed(_ slot: Slot) -> UInt64 {
        "\(slot)".utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension ModelSpec {
    static let rms = NormSpec.rms(epsilon: 0.01)

    /// Two layers that have a bit of everything; tests change what they are about.
    static func tiny(_ change: (inout ModelSpec) -> Void = { _ in }) -> ModelSpec {
        let layer = LayerSpec(
            wiring: .sequential(attention: NormPlacement(before: rms), feedForward: NormPlacement(before: rms)),
            attention: AttentionSpec(
                heads: 4, keyValueHeads: 2, headWidth: 16, scale: 0.3,
                rotary: RotarySpec(width: 16, pairing: .halves, base: 100, scaling: .none), inputBias: true,
                outputBias: true),
            feedForward: .dense(NetworkSpec(form: .gated, hidden: 96, activation: .silu, bias: true)))
        var spec = ModelSpec(
            vocabulary: 50, width: 64, context: 64, stem: .tokens(TokenStemSpec()), layers: [layer, layer],
            finalNorm: rms, head: HeadSpec(weight: .own))
        change(&spec)
        return spec
    }

    func changed(_ change: (inout ModelSpec) -> Void) -> ModelSpec {
        var copy = self
        change(&copy)
        return copy
    }

    /// How tokens enter; only models of tokens are asked.
    var tokenStem: TokenStemSpec {
        get { if case .tokens(let stem) = stem { stem } else { TokenStemSpec() } }
        set { stem = .tokens(newValue) }
    }

    /// The same change in every layer.
    mutating func eachLayer(_ change: (inout LayerSpec) -> Void) {
        for i in layers.indices { change(&layers[i]) }
    }
}

extension LayerSpec {
    /// A dense layer's network, or a mixture's experts.
    var network: NetworkSpec {
        get {
            switch feedForward {
            case .dense(let network): network
            case .mixture(let mixture): mixture.expert
            }
        }
        set {
            switch feedForward {
            case .dense: feedForward = .dense(newValue)
            case .mixture(var mixture):
                mixture.expert = newValue
                feedForward = .mixture(mixture)
            }
        }
    }
}

/// A model with its memory, run as the tests want it.
final class Runner {
    let transformer: Transformer
    let compute: Compute
    let cache: KeyValueCache
    let scratch: Scratch

    init(
        _ spec: ModelSpec, weights: RandomWeights = RandomWeights(), precision: Precision = .exact, threads: Int = 1,
        kernels: CPU.Kernels = CPU.supported[0], capacity: Int = 48
    ) throws {
        transformer = try Transformer(spec: spec, weights: weights)
        compute = Compute(precision: precision, threads: threads, kernels: kernels)
        cache = KeyValueCache(spec: spec, capacity: capacity, precision: precision)
        scratch = Scratch(spec: spec, capacity: capacity, rows: capacity, logitRows: capacity, compute: compute)
    }

    /// Logits of every token, read `chunk` at a time behind what the cache holds.
    func read(_ tokens: [Int], chunk: Int = .max, phase: Phase = .prompt, logits: Transformer.LogitRows = .all)
        -> [Float]
    {
        var values: [Float] = []
        var rest = tokens[...]
        while !rest.isEmpty {
            let part = rest.prefix(chunk)
            rest = rest.dropFirst(part.count)
            let held = max(0, cache.count - transformer.spec.prefix)
            let length = phase == .prompt ? held + part.count + rest.count : held + part.count
            values += part.withUnsafeBufferPointer {
                transformer.forward(
                    $0, length: length, logits: logits, phase: phase, compute: compute, cache: cache, scratch: scratch
                ).values
            }
        }
        return values
    }

    func truncate(to count: Int) { cache.truncate(to: count == 0 ? 0 : count + transformer.spec.prefix) }
}

let text = [3, 17, 49, 0, 8, 8, 21, 33, 5, 40, 12, 27, 3, 9, 44, 31, 2]
