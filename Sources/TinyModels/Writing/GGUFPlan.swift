import TinyLayers
package import TinyLoader
package import TinyTensor

/// A GGUF file to be: its metadata and tensors, in the types in which they are there to be had.
package struct GGUFPlan {
    package struct Tensor {
        package let name: String
        package let shape: [Int]
        package let content: StoredTensor.Content
        /// Where it is a file's own tensor as it is.
        var stored: StoredTensor?
        /// All its rows.
        let matrix: () throws -> Matrix

        package init(
            name: String, shape: [Int], content: StoredTensor.Content, matrix: @escaping () throws -> Matrix
        ) {
            self.name = name
            self.shape = shape
            self.content = content
            self.matrix = matrix
        }

        package init(_ stored: StoredTensor) {
            self.init(name: stored.name, shape: stored.shape, content: stored.content) { try stored.matrix() }
            self.stored = stored
        }
    }

    package var metadata: [GGUFEntry]
    package let tensors: [Tensor]
    package let alignment: Int
    package let architecture: String
    package let layers: Int
    package let experts: Int

    package init(_ gguf: GGUF) throws {
        let architecture = try gguf.metadata.string("general.architecture") ?? ""
        metadata = gguf.metadata.entries
        tensors = gguf.index.tensors.map(Tensor.init)
        alignment = gguf.alignment
        self.architecture = architecture
        layers = try gguf.metadata.integer(architecture + ".block_count") ?? 0
        experts = try gguf.metadata.integer(architecture + ".expert_count") ?? 0
    }

    package init(
        metadata: [GGUFEntry], tensors: [Tensor], architecture: String, layers: Int, experts: Int
    ) {
        self.metadata = metadata
        self.tensors = tensors
        alignment = 32
        self.architecture = architecture
        self.layers = layers
        self.experts = experts
    }

    /// The tensors in other types.
    ///
    /// - Returns: them, and what a user should know.
    mutating func quantize(
        to type: QuantizationType, importance: Importance?, pool: ThreadPool
    ) throws -> (tensors: [TensorOutput], warnings: [String]) {
        let rules = QuantizationRules(
            type, names: tensors.map(\.name), layers: layers, experts: experts, hasImportance: importance != nil,
            sensitiveOutput: Families.named(ggufArchitecture: architecture)?.outputIsSensitive ?? false)
        metadata = metadata.setting(.integer("general.quantization_version", 2))
            .setting(.integer("general.file_type", type.fileType))
        var requantized: Set<String> = []
        var smaller: [String] = []
        var unknown: [String] = []
        let outputs = try tensors.map { tensor -> TensorOutput in
            guard case .elements(let stored) = tensor.content,
                let target = rules.type(for: tensor.name, shape: tensor.shape), target != stored
            else { return Self.output(tensor, pool) }
            if stored.isQuantized { requantized.insert(stored.rawValue) }
            if target.blockElements < type.elementType.blockElements { smaller.append(tensor.name) }
            var weights: [[Float]]?
            if let importance, target.isQuantized {
                weights = try importance.values(for: tensor.name, shape: tensor.shape)
                if weights == nil, tensor.name.hasPrefix("blk.") { unknown.append(tensor.name) }
            }
            return Self.output(tensor, as: target, importance: weights, pool)
        }
        var warnings: [String] = []
        if !requantized.isEmpty {
            warnings.append(
                "the weights are \(requantized.sorted().joined(separator: " and ")) already, and lose precision twice; "
                    + "a file of F16, BF16 or F32 gives a better model")
        }
        if let first = smaller.first {
            warnings.append(
                "\(smaller.count) tensors (\(printable(first)) is the first) have rows that are no multiple of "
                    + "\(type.elementType.blockElements), and take a type of smaller blocks")
        }
        if let first = unknown.first {
            warnings.append("the statistics know nothing of \(unknown.count) tensors, \(printable(first)) the first")
        }
        return (outputs, warnings)
    }

    /// The tensors as they are there to be had.
    func copies(pool: ThreadPool) -> [TensorOutput] { tensors.map { Self.output($0, pool) } }

    private static func output(_ tensor: Tensor, _ pool: ThreadPool) -> TensorOutput {
        if let stored = tensor.stored { return TensorOutput(copying: stored) }
        guard case .elements(let type) = tensor.content else { preconditionFailure("\(tensor.name) is no weight") }
        if type.canBeWritten && !type.isQuantized { return output(tensor, as: type, importance: nil, pool) }
        let bytes = (type.bytes(for: tensor.shape.last ?? 0) ?? 0) * tensor.shape.dropLast().reduce(1, *)
        return TensorOutput(name: tensor.name, shape: tensor.shape, content: tensor.content, byteCount: bytes) { emit in
            let matrix = try tensor.matrix()
            precondition(matrix.type == type && matrix.byteCount == bytes, "\(tensor.name): another shape than planned")
            try withExtendedLifetime(matrix) {
                try emit(UnsafeRawBufferPointer(start: matrix.base, count: matrix.byteCount))
            }
        }
    }

    private static func output(
        _ tensor: Tensor, as type: ElementType, importance: [[Float]]?, _ pool: ThreadPool
    ) -> TensorOutput {
        TensorOutput(
            name: tensor.name, shape: tensor.shape, type: type, rows: tensor.shape.dropLast().reduce(1, *),
            columns: tensor.shape.last ?? 1, importance: importance, pool: pool, matrix: tensor.matrix)
    }
}
