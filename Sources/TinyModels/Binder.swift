package import TinyLayers
package import TinyLoader
package import TinyTensor

/// Binds a file's tensors to a model's slots: where files and layers meet. Quirks of files end here.
package final class Binder: WeightProvider {
    private let index: TensorIndex
    private let names: NameMap
    private let file: String
    private let compute: Compute?
    /// Names that slots asked for.
    private var bound: Set<String> = []
    /// Whole tensors that had to be copied on the way, so that parts of one do not copy it again.
    private var copies: [String: Matrix] = [:]

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
        let wanted = WantedShapes()
        _ = try Transformer(spec: spec, weights: wanted)
        for (slot, _) in wanted.shapes { names.source(slot).map { _ = bound.insert($0.name) } }
        var seen: Set<String> = []  // parts of one tensor share its problem
        return wanted.shapes.compactMap { problem($0.slot, shape: $0.shape) }.filter { seen.insert($0).inserted }
    }

    /// Tensors that the model does not use and the recipe does not know to be harmless.
    package var unbound: [String] {
        index.tensors.map(\.name).filter { name in
            !bound.contains(name) && !names.harmlessSuffixes.contains { name.hasSuffix($0) }
        }
    }

    // MARK: Checking

    private func problem(_ slot: Slot, shape: [Int]) -> String? {
        guard let source = names.source(slot) else { return "this family has no place for \(slot)" }
        guard let tensor = index[source.name] else { return "tensor \(printable(source.name)) \(shape) is missing" }
        guard case .elements(let type) = tensor.content else {
            return "tensor \(printable(tensor.name)) holds \(tensor.content.name), not weights"
        }
        let stored = source.storedShape(of: shape)
        if tensor.shape != stored {
            return "tensor \(printable(tensor.name)) has shape \(tensor.shape); \(stored) is expected"
        }
        if type.isQuantized && source.isTransposed && shape.count == 2 {
            return "tensor \(printable(tensor.name)) is stored transposed as \(type.rawValue), which cannot be turned"
        }
        let last = shape[shape.count - 1]
        if !last.isMultiple(of: type.blockElements) && shape.count == 2 {
            return
                "tensor \(printable(tensor.name)) has rows of \(last); \(type.rawValue) has blocks of \(type.blockElements)"
        }
        return nil
    }

    // MARK: Binding

    package func matrix(_ slot: Slot, rows: Int, columns: Int) throws -> Matrix { try matrix(try source(slot)) }

    package func weights(_ slot: Slot, rows: Int, columns: Int) throws -> Weights {
        let matrix = try matrix(try source(slot))
        return compute?.prepare(matrix) ?? Weights(matrix: matrix)
    }

    package func vector(_ slot: Slot, count: Int) throws -> [Float] { try vector(try source(slot)) }

    private func source(_ slot: Slot) throws(ModelError) -> TensorSource {
        guard let source = names.source(slot) else {
            throw ModelError(file: file, "this family has no place for \(slot)")
        }
        return source
    }

    private func tensor(_ name: String) throws(ModelError) -> StoredTensor {
        guard let tensor = index[name] else { throw ModelError(file: file, "tensor \(printable(name)) is missing") }
        return tensor
    }

    private func matrix(_ source: TensorSource) throws -> Matrix {
        switch source {
        case .named(let name): return try tensor(name).matrix()
        case .part(let index, let sizes, let whole):
            let first = sizes[..<index].reduce(0, +)
            return try matrix(whole).slice(first..<first + sizes[index])
        case .transposed(let stored):
            if let copy = copies[stored.name] { return copy }
            let copy = try matrix(stored).transposed()
            copies[stored.name] = copy
            return copy
        case .neighboursToHalves(let turn, let stored):
            let matrix = try matrix(stored)
            defer { matrix.letGo() }
            return matrix.reordered(halvesOrder(count: matrix.rows, turn))
        }
    }

    private func vector(_ source: TensorSource) throws -> [Float] {
        switch source {
        case .named(let name): return try tensor(name).matrix().floats()
        case .part(let index, let sizes, let whole):
            let first = sizes[..<index].reduce(0, +)
            return Array(try vector(whole)[first..<first + sizes[index]])
        case .transposed(let stored): return try vector(stored)
        case .neighboursToHalves(let turn, let stored):
            let values = try vector(stored)
            return halvesOrder(count: values.count, turn).map { values[$0] }
        }
    }

    /// Which stored row each row of a head comes from: stored 2i and 2i + 1 are i and i + width / 2.
    private func halvesOrder(count: Int, _ turn: HeadTurn) -> [Int] {
        let pairs = turn.turning / 2
        return (0..<count).map { row in
            let (head, place) = (row / turn.headWidth, row % turn.headWidth)
            return place >= turn.turning ? row : head * turn.headWidth + 2 * (place % pairs) + place / pairs
        }
    }
}

extension TensorSource {
    /// The shape in the file of what becomes `shape` when it is bound.
    fileprivate func storedShape(of shape: [Int]) -> [Int] {
        switch self {
        case .named: shape
        case .part(_, let sizes, let whole): whole.storedShape(of: [sizes.reduce(0, +)] + shape.dropFirst())
        case .transposed(let stored): stored.storedShape(of: shape.reversed())
        case .neighboursToHalves(_, let stored): stored.storedShape(of: shape)
        }
    }

    fileprivate var isTransposed: Bool {
        switch self {
        case .named: false
        case .transposed: true
        case .part(_, _, let source), .neighboursToHalves(_, let source): source.isTransposed
        }
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
