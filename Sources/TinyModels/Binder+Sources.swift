import TinyLayers
import TinyLoader
import TinyTensor

// Row operations that undo what files do to tensors. Blocks run along the inputs, so rows can be split, joined and
// reordered whatever their type.
extension Binder {
    private func tensor(_ name: String) throws(ModelError) -> StoredTensor {
        guard let tensor = index[name] else { throw ModelError(file: file, "tensor \(printable(name)) is missing") }
        return tensor
    }

    func matrix(_ source: TensorSource) throws -> Matrix {
        switch source {
        case .named(let name), .bare(let name), .whole(let name), .absolute(let name):
            return try tensor(name).matrix()
        case .ones: preconditionFailure("ones are a vector")
        case .part(let index, let sizes, let whole):
            let first = sizes[..<index].reduce(0, +)
            return try matrix(whole).slice(first..<first + sizes[index])
        case .rows(let order, _, let whole):
            let matrix = try matrix(whole)
            if let first = order.first, order.elementsEqual(first..<first + order.count) {
                return matrix.slice(first..<first + order.count)
            }
            return matrix.reordered(order)
        case .transposed(let stored):
            let key = "\(stored)"
            if let lastCopy, lastCopy.source == key { return lastCopy.matrix }
            let copy = try matrix(stored).transposed()
            lastCopy = (key, copy)
            return copy
        case .neighboursToHalves(let turn, let stored):
            let matrix = try matrix(stored)
            defer { matrix.letGo() }
            return matrix.reordered(Self.halvesOrder(count: matrix.rows, turn))
        case .expert(let index, let count, .blocks(let blocks, let scales)):
            let tensor = try tensor(blocks)
            let rows = tensor.shape.dropFirst().dropLast(2).reduce(1, *)
            precondition(tensor.shape.first == count, "\(count) experts in \(tensor.shape)")
            return tensor.fourBitMatrix(scales: try self.tensor(scales), rows: index * rows..<(index + 1) * rows)
        case .expert(let index, let count, let stored):
            let all = try matrix(stored)
            let rows = all.rows / count
            return all.slice(index * rows..<(index + 1) * rows)
        case .scaled(let factor, let stored):
            let matrix = try matrix(stored)
            return Matrix(floats: matrix.floats().map { $0 * factor }, columns: matrix.columns)
        case .added(let stored, let row, let other):
            let (matrix, vector) = (try matrix(stored), try self.matrix(other).slice(row..<row + 1).floats())
            var values = matrix.floats()
            for i in values.indices { values[i] += vector[i % matrix.columns] }
            return Matrix(floats: values, columns: matrix.columns)
        case .blocks(let blocks, let scales):
            let tensor = try tensor(blocks)
            return tensor.fourBitMatrix(
                scales: try self.tensor(scales), rows: 0..<tensor.shape.dropLast(2).reduce(1, *))
        case .flattened(_, let stored): return try tensor(stored.name).joinedMatrix()
        case .plusOne(let stored), .parts(let stored, _): return try matrix(stored)
        }
    }

    func vector(_ source: TensorSource) throws -> [Float] {
        switch source {
        case .named, .bare, .whole, .absolute, .ones, .blocks: return try matrix(source).floats()
        case .part(let index, let sizes, let whole):
            let first = sizes[..<index].reduce(0, +)
            return Array(try vector(whole)[first..<first + sizes[index]])
        case .rows(let order, _, let whole):
            let values = try vector(whole)
            return order.map { values[$0] }
        case .transposed(let stored), .flattened(_, let stored), .parts(let stored, _): return try vector(stored)
        case .neighboursToHalves(let turn, let stored):
            let values = try vector(stored)
            return Self.halvesOrder(count: values.count, turn).map { values[$0] }
        case .expert(let index, let count, let stored):
            let values = try vector(stored)
            let size = values.count / count
            return Array(values[index * size..<(index + 1) * size])
        case .plusOne(let stored): return try vector(stored).map { 1 + $0 }
        case .scaled(let factor, let stored): return try vector(stored).map { $0 * factor }
        case .added(let stored, let row, let other):
            let values = try vector(stored)
            let added = try matrix(other).slice(row..<row + 1).floats()
            return zip(values, added).map { $0 + $1 }
        }
    }

    /// Which stored row each row of a head comes from: stored 2i and 2i + 1 are i and i + width / 2.
    static func halvesOrder(count: Int, _ turn: HeadTurn) -> [Int] {
        let pairs = turn.turning / 2
        return (0..<count).map { row in
            let (head, place) = (row / turn.headWidth, row % turn.headWidth)
            return place >= turn.turning ? row : head * turn.headWidth + 2 * (place % pairs) + place / pairs
        }
    }

    // MARK: Checking

    /// What is wrong with the tensor that a slot of this shape comes from.
    func problem(_ source: TensorSource, shape: [Int]) -> String? {
        if case .blocks(let blocks, let scales) = source.innermost {
            return blockProblem(source, blocks, scales, shape: shape)
        }
        if case .ones = source { return nil }
        if case .added(_, let row, let other) = source, let tensor = index[other.name] {
            let width = shape[shape.count - 1]
            guard tensor.shape.count == 2, tensor.shape[0] > row, tensor.shape[1] == width else {
                return "tensor \(printable(tensor.name)) has shape \(tensor.shape); rows of \(width) are expected"
            }
        }
        for name in source.names where index[name] == nil {
            return "tensor \(printable(name)) \(source.storedShape(of: shape)) is missing"
        }
        guard let tensor = index[source.name] else { return nil }
        guard case .elements(let type) = tensor.content else {
            return "tensor \(printable(tensor.name)) holds \(tensor.content.name), not weights"
        }
        let stored = source.storedShape(of: shape)
        if tensor.shape != stored {
            return "tensor \(printable(tensor.name)) has shape \(tensor.shape); \(stored) is expected"
        }
        if type.isQuantized && source.needsFloats && shape.count == 2 {
            return "tensor \(printable(tensor.name)) is stored transposed as \(type.rawValue), which cannot be turned"
        }
        let last = shape[shape.count - 1]
        if !last.isMultiple(of: type.blockElements) && shape.count == 2 {
            return
                "tensor \(printable(tensor.name)) has rows of \(last); \(type.rawValue) has blocks of \(type.blockElements)"
        }
        return nil
    }

    /// Blocks come as bytes `[E, F, D / 32, 16]`.
    private func blockProblem(_ source: TensorSource, _ blocks: String, _ scales: String, shape: [Int]) -> String? {
        let stored = source.storedShape(of: shape)
        guard let columns = stored.last, columns.isMultiple(of: 32) else {
            return "rows of \(stored) are no whole blocks"
        }
        let wanted = Array(stored.dropLast()) + [columns / 32]
        for (name, shape) in [(blocks, wanted + [16]), (scales, wanted)] {
            guard let tensor = index[name] else { return "tensor \(printable(name)) \(shape) is missing" }
            if tensor.shape != shape || tensor.content != .other("U8") {
                return
                    "tensor \(printable(name)) is \(tensor.content.name) of shape \(tensor.shape); U8 of \(shape) is expected"
            }
        }
        return nil
    }
}

extension TensorSource {
    /// The shape in the file of what becomes `shape` when it is bound.
    func storedShape(of shape: [Int]) -> [Int] {
        switch self {
        case .named, .bare, .whole, .absolute, .ones, .blocks: shape
        case .part(_, let sizes, let whole): whole.storedShape(of: [sizes.reduce(0, +)] + shape.dropFirst())
        case .rows(_, let count, let whole): whole.storedShape(of: [count] + shape.dropFirst())
        case .transposed(let stored): stored.storedShape(of: shape.reversed())
        case .expert(_, let count, let stored): [count] + stored.storedShape(of: shape)
        case .flattened(let dimensions, _): dimensions
        case .neighboursToHalves(_, let stored), .plusOne(let stored), .scaled(_, let stored), .added(let stored, _, _),
            .parts(let stored, _):
            stored.storedShape(of: shape)
        }
    }

    var innermost: TensorSource {
        switch self {
        case .named, .bare, .whole, .absolute, .ones, .blocks: self
        case .part(_, _, let source), .rows(_, _, let source), .transposed(let source),
            .neighboursToHalves(_, let source), .expert(_, _, let source), .plusOne(let source),
            .scaled(_, let source), .added(let source, _, _), .flattened(_, let source), .parts(let source, _):
            source.innermost
        }
    }

    /// Whether single elements are moved or changed.
    fileprivate var needsFloats: Bool {
        switch self {
        case .named, .bare, .whole, .absolute, .ones, .blocks, .plusOne: false
        case .transposed, .scaled, .added: true
        case .part(_, _, let source), .rows(_, _, let source), .neighboursToHalves(_, let source),
            .expert(_, _, let source), .flattened(_, let source), .parts(let source, _):
            source.needsFloats
        }
    }
}
