import TinyLayers
import TinyLoader
import TinyTensor

/// A tensor of a file that is to be written, and the slots whose weights it holds.
struct TensorAssembly {
    /// As the file calls it.
    let name: String
    /// As the file has it.
    let shape: [Int]
    /// What each part has to have done to it when it is bound, and will have undone here.
    private(set) var parts: [(slot: Slot, shape: [Int], source: TensorSource)]

    /// Every tensor of a file whose names these are, in the order in which a model asks for its parts.
    ///
    /// - Throws: `ModelError` where a slot has no place.
    static func all(_ spec: ModelSpec, _ names: NameMap, file: String) throws -> [TensorAssembly] {
        var positions: [String: Int] = [:]
        var tensors: [TensorAssembly] = []
        for (slot, shape) in try Binder.wanted(spec) {
            guard let source = names.source(slot) else {
                throw ModelError(file: file, "the format has no place for \(slot)")
            }
            guard !source.names.isEmpty else { continue }  // the file leaves it out
            if let position = positions[source.name] {
                // A table that serves twice is asked for twice.
                if !tensors[position].parts.contains(where: { $0.slot == slot }) {
                    tensors[position].parts.append((slot, shape, source))
                }
            } else {
                positions[source.name] = tensors.count
                tensors.append(
                    TensorAssembly(
                        name: source.name, shape: source.storedShape(of: shape), parts: [(slot, shape, source)]))
            }
        }
        return tensors
    }

    /// Where the file has four-bit codes and their scales apart.
    var blocks: (codes: String, scales: String)? {
        if case .blocks(let codes, let scales) = parts[0].source.innermost { (codes, scales) } else { nil }
    }

    /// The rows as the file has them, a vector as one row.
    func matrix(from binder: Binder) throws -> Matrix {
        let pieces = try parts.map { part -> Piece in
            if part.shape.count == 2 {
                let matrix = try binder.matrix(part.slot, rows: part.shape[0], columns: part.shape[1])
                return Piece(source: part.source, matrix: matrix, isVector: false)
            }
            let values = try binder.vector(part.slot, count: part.shape[0])
            return Piece(source: part.source, matrix: Matrix(floats: values, columns: 1), isVector: true)
        }
        let whole = try Self.joined(pieces, name: name)
        // Rows are along the last dimension of the shape that is written.
        let columns = shape.last ?? 1
        return Matrix(
            type: whole.type, rows: whole.rows * whole.columns / max(1, columns), columns: columns,
            storage: whole.storage, byteOffset: whole.byteOffset)
    }

    private struct Piece {
        var source: TensorSource
        var matrix: Matrix
        let isVector: Bool
    }

    /// Takes what is done last when binding back first, until the tensor itself is there.
    private static func joined(_ pieces: [Piece], name: String) throws -> Matrix {
        var pieces = pieces
        while true {
            guard let first = pieces.first else { preconditionFailure("\(name) has no parts") }
            switch first.source {
            case .named, .bare, .whole, .absolute, .blocks, .ones:
                // The same weights twice, as a tied table is.
                return first.matrix
            case .part, .rows:
                pieces = try merged(pieces, name: name)
            case .expert(_, _, .blocks): return try merged(pieces, name: name)[0].matrix
            case .expert: pieces = try merged(pieces, name: name)
            default: pieces = try pieces.map { try undone($0, name: name) }
            }
        }
    }

    /// What is done to one piece alone, undone.
    private static func undone(_ piece: Piece, name: String) throws -> Piece {
        func with(_ source: TensorSource, _ matrix: Matrix) -> Piece {
            Piece(source: source, matrix: matrix, isVector: piece.isVector)
        }
        switch piece.source {
        case .flattened(_, let inner), .parts(let inner, _): return with(inner, piece.matrix)
        case .plusOne(let inner):
            return with(
                inner, Matrix(floats: piece.matrix.floats().map { $0 - 1 }, columns: piece.matrix.columns))
        case .transposed(let inner):
            if piece.isVector { return with(inner, piece.matrix) }
            return with(inner, (piece.matrix.type.isQuantized ? piece.matrix.expanded() : piece.matrix).transposed())
        case .neighboursToHalves(let turn, let inner):
            var order = [Int](repeating: 0, count: piece.matrix.rows)
            for (to, from) in Binder.halvesOrder(count: piece.matrix.rows, turn).enumerated() { order[from] = to }
            return with(inner, piece.matrix.reordered(order))
        default:
            throw OutputError(.notPossible, file: printable(name), "is scaled or added to, which cannot be undone")
        }
    }

    /// Pieces that are rows of the same tensor, put into it.
    private static func merged(_ pieces: [Piece], name: String) throws -> [Piece] {
        var groups: [(inner: TensorSource, rows: Int, pieces: [(Matrix, [Int])], isVector: Bool)] = []
        for piece in pieces {
            let inner: TensorSource
            let (places, total): ([Int], Int)
            switch piece.source {
            case .part(let index, let sizes, let source):
                let first = sizes[..<index].reduce(0, +)
                (inner, places, total) = (source, Array(first..<first + sizes[index]), sizes.reduce(0, +))
            case .rows(let order, let count, let source): (inner, places, total) = (source, order, count)
            case .expert(let index, let count, let source):
                // Experts of one tensor differ in nothing else.
                let rows = piece.matrix.rows
                (inner, places, total) = (source, Array(index * rows..<(index + 1) * rows), count * rows)
            default: throw OutputError(.notPossible, file: printable(name), "holds parts of different kinds")
            }
            if let position = groups.firstIndex(where: { $0.inner == inner }) {
                groups[position].pieces.append((piece.matrix, places))
            } else {
                groups.append((inner, total, [(piece.matrix, places)], piece.isVector))
            }
        }
        return try groups.map { group in
            guard group.pieces.reduce(0, { $0 + $1.1.count }) == group.rows,
                Set(group.pieces.lazy.flatMap(\.1)).count == group.rows
            else {
                throw OutputError(
                    .notPossible, file: printable(name), "would have rows that the model knows nothing of")
            }
            return Piece(
                source: group.inner, matrix: Matrix(rows: group.pieces, of: group.rows), isVector: group.isVector)
        }
    }
}

extension Matrix {
    /// The same as floats.
    func expanded() -> Matrix { Matrix(floats: floats(), columns: columns) }

    /// Matrices whose rows have these places among so many; of one type, or as floats if theirs differ.
    fileprivate init(rows pieces: [(Matrix, [Int])], of count: Int) {
        let first = pieces[0].0
        let isUniform = pieces.allSatisfy { $0.0.type == first.type }
        let type = isUniform ? first.type : .f32
        let rowBytes = isUniform ? first.rowBytes : first.columns * 4
        let storage = Storage.allocate(byteCount: count * rowBytes) { memory in
            for (matrix, places) in pieces {
                let matrix = isUniform ? matrix : matrix.expanded()
                for (from, to) in places.enumerated() {
                    UnsafeMutableRawBufferPointer(rebasing: memory[(to * rowBytes)...])
                        .copyMemory(from: matrix.row(from))
                }
            }
        }
        self.init(type: type, rows: count, columns: first.columns, storage: storage)
    }
}
