package import TinyLayers
package import TinyLoader
package import TinyTensor

/// Binds a file's tensors to a model's slots: where files and layers meet. Quirks of files end here.
package final class Binder: WeightProvider {
    let index: TensorIndex
    private let names: NameMap
    let file: String
    private let compute: Compute?
    /// Told of weights as they are handed out.
    package var onWeights: ((Slot, Weights) -> Void)?
    /// Names that slots asked for.
    private var bound: Set<String> = []
    /// The tensor that was last copied as a whole on the way, so that the next part of it does not copy it again.
    var lastCopy: (source: String, matrix: Matrix)?

    /// - Parameter compute: what weights are made ready for; without it a binder only checks.
    package init(index: TensorIndex, names: NameMap, file: String, compute: Compute? = nil) {
        self.index = index
        self.names = names
        self.file = file
        self.compute = compute
    }

    /// A model of this spec with the file's weights.
    ///
    /// - Throws: `ModelError` with every tensor that is missing or has another shape.
    package func transformer(_ spec: ModelSpec) throws -> Transformer {
        let problems = try check(spec)
        if !problems.isEmpty { throw ModelError(file: file, problems: problems) }
        return try Transformer(spec: spec, weights: self)
    }

    /// Every tensor that is missing or has another shape than the spec wants.
    package func check(_ spec: ModelSpec) throws -> [String] {
        let wanted = try Self.wanted(spec)
        for (slot, _) in wanted { names.source(slot).map { bound.formUnion($0.names) } }
        var seen: Set<String> = []  // parts of one tensor share its problem
        return wanted.compactMap { problem($0.slot, shape: $0.shape) }.filter { seen.insert($0).inserted }
    }

    /// Every slot that a model of this spec has, and the shape of its weights there.
    static func wanted(_ spec: ModelSpec) throws -> [(slot: Slot, shape: [Int])] {
        let wanted = WantedShapes()
        _ = try Transformer(spec: spec, weights: wanted)
        return wanted.shapes
    }

    /// Tensors that the model does not use and the recipe does not know to be harmless.
    package var unbound: [String] {
        index.tensors.map(\.name).filter { !bound.contains($0) && !names.isHarmless($0) }
    }

    private func problem(_ slot: Slot, shape: [Int]) -> String? {
        guard let source = names.source(slot) else { return "this family has no place for \(slot)" }
        return problem(source, shape: shape)
    }

    package func matrix(_ slot: Slot, rows: Int, columns: Int) throws -> Matrix { try matrix(try source(slot)) }

    package func weights(_ slot: Slot, rows: Int, columns: Int) throws -> Weights {
        var matrix = try matrix(try source(slot))
        // A choice of experts that rounding turned over would change everything behind it, and GGUF has floats here too.
        if case .layer(_, .router, _) = slot, matrix.type != .f32 {
            matrix = Matrix(floats: matrix.floats(), columns: matrix.columns)
        }
        let weights = compute?.prepare(matrix) ?? Weights(matrix: matrix)
        onWeights?(slot, weights)
        return weights
    }

    package func vector(_ slot: Slot, count: Int) throws -> [Float] {
        let source = try source(slot)
        if case .ones = source { return [Float](repeating: 1, count: count) }
        return try vector(source)
    }

    func source(_ slot: Slot) throws(ModelError) -> TensorSource {
        guard let source = names.source(slot) else {
            throw ModelError(file: file, "this family has no place for \(slot)")
        }
        return source
    }
}

/// Collects what a model asks for, and hands out nothing.
private final class WantedShapes: WeightProvider {
    private(set) var shapes: [(slot: Slot, shape: [Int])] = []
    private let nothing = Storage(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in }

    func matrix(_ slot: Slot, rows: Int, columns: Int) -> Matrix {
        shapes.append((slot, [rows, columns]))
        return Matrix(type: .f32, rows: 0, columns: columns, storage: nothing)
    }

    func vector(_ slot: Slot, count: Int) -> [Float] {
        shapes.append((slot, [count]))
        return []
    }
}
