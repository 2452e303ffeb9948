import TinyJSON
import TinyLayers
import TinyLoader
import TinyTensor

/// A Hugging Face folder to be, made from a GGUF file: its tensors and its small files.
struct FolderPlan {
    let tensors: [TensorOutput]
    let files: [(name: String, bytes: [UInt8])]
    private(set) var warnings: [String] = []

    /// The folder's own configuration where the GGUF file keeps one, or one that says the same.
    private struct Origin {
        let config: JSONObject
        /// Names and types of the folder's tensors, where they are known.
        let types: [String: String]
        let spec: ModelSpec
        let names: NameMap
    }

    /// - Parameters:
    ///   - type: F32, F16 or BF16; nil for what the folder had, or else what the file has, floats for codes.
    ///   - path: what will be written, for messages.
    /// - Throws: `ModelError` where the model is not supported, or a `config.json` cannot say what it is.
    init(_ gguf: GGUF, checkpoint: Checkpoint, type: ElementType?, pool: ThreadPool) throws {
        let recipe = try Recipe(checkpoint: checkpoint)
        let binder = recipe.binder()
        let problems = try binder.check(recipe.spec)
        if !problems.isEmpty { throw ModelError(file: gguf.path, problems: problems) }
        warnings += recipe.warnings(binder, nil)
        let origin = try Self.origin(gguf, recipe)
        let spec = recipe.spec
        let assemblies = try TensorAssembly.all(spec, origin.names, file: gguf.path)
        tensors = try assemblies.flatMap { assembly -> [TensorOutput] in
            if let blocks = assembly.blocks {
                return try Self.fourBit(assembly, blocks, binder, gguf, pool: pool)
            }
            if let exact = try gguf.metadata.numbers(SourceFolder.exactPrefix + assembly.name),
                exact.count == assembly.shape.reduce(1, *)
            {
                return [
                    try Self.output(assembly, as: type ?? Self.stored(origin.types[assembly.name]) ?? .f32, pool) {
                        Matrix(floats: exact, columns: assembly.shape.last ?? 1)
                    }
                ]
            }
            let target = try type ?? Self.stored(origin.types[assembly.name]) ?? assembly.floatType(recipe)
            return [try Self.output(assembly, as: target, pool) { try assembly.matrix(from: binder) }]
        }
        var files: [(String, [UInt8])] = []
        for name in SourceFolder.files where name != "config.json" {
            if let text = try gguf.metadata.string(SourceFolder.prefix + name) {
                files.append((name, Array(text.utf8)))
            }
        }
        var config = origin.config
        if let type {
            config = config.replacing(["torch_dtype", "dtype"], with: .string(type.referenceName))
        }
        files.append(("config.json", Array(JSON.object(config).text(indent: true).utf8)))
        if type == nil, let text = try gguf.metadata.string(SourceFolder.prefix + "config.json") {
            files[files.count - 1].1 = Array(text.utf8)
        }
        if let text = try gguf.metadata.string(SourceFolder.tokenizerKey) {
            files.append(("tokenizer.json", Array(text.utf8)))
        } else {
            files += try TokenizerFolder.files(gguf, warnings: &warnings)
        }
        self.files = files
    }

    private static func output(
        _ assembly: TensorAssembly, as type: ElementType, _ pool: ThreadPool, matrix: @escaping () throws -> Matrix
    ) throws -> TensorOutput {
        TensorOutput(
            name: assembly.name, shape: assembly.shape, type: type, rows: assembly.shape.dropLast().reduce(1, *),
            columns: assembly.shape.last ?? 1, pool: pool, matrix: matrix)
    }

    private static func stored(_ name: String?) -> ElementType? {
        name.flatMap { ElementType(rawValue: $0) }.flatMap { $0.isQuantized ? nil : $0 }
    }

    private static func origin(_ gguf: GGUF, _ recipe: Recipe) throws -> Origin {
        if let kept = try kept(gguf, recipe) { return kept }
        var reasons: [String] = []
        for modelType in recipe.family.modelTypes {
            for variant in ModelSpec.KeyVariant.all {
                let values = recipe.spec.config(modelType: modelType, variant)
                let reader = ConfigReader(values.object, file: gguf.path, tensors: TensorIndex())
                do {
                    let spec = try recipe.family.spec(reader)
                    guard spec.isSame(as: recipe.spec) else {
                        reasons.append("read back, " + recipe.spec.difference(from: spec.inGGUF.spec))
                        continue
                    }
                } catch let error as ModelError {
                    reasons.append(error.problems.first ?? "")
                    continue
                }
                let unread = Set(reader.unread)
                var config: JSONObject = values.filter { !unread.contains($0) || $0 == "model_type" }.object
                for key in ["bos_token_id", "eos_token_id"] {
                    if let id = try gguf.metadata.integer("tokenizer.ggml." + key) {
                        _ = config.append(key, .integer(id))
                    }
                }
                return Origin(
                    config: config, types: [:], spec: recipe.spec,
                    names: recipe.family.names(recipe.spec, reader))
            }
        }
        throw ModelError(
            file: gguf.path,
            "convert does not write \(recipe.family.name) models of this kind as a folder: \(reasons.first ?? "no reason")"
        )
    }

    /// The folder that the file was made from, as it keeps it.
    private static func kept(_ gguf: GGUF, _ recipe: Recipe) throws -> Origin? {
        guard let text = try gguf.metadata.string(SourceFolder.prefix + "config.json"),
            let list = try gguf.metadata.texts(SourceFolder.tensorsKey)?.texts,
            let config = try? JSON(parsing: Array(text.utf8)).object
        else { return nil }
        var types: [String: String] = [:]
        var index = TensorIndex()
        for line in list {
            guard let space = line.utf8.firstIndex(of: UInt8(ascii: " ")) else { continue }
            let (type, name) = (String(line[..<space]), String(line[line.utf8.index(after: space)...]))
            types[name] = type
            try index.add(StoredTensor(planned: name, content: .other(type), shape: []))
        }
        let reader = ConfigReader(config, file: gguf.path, tensors: index)
        let spec = try recipe.family.spec(reader)
        // Someone may have changed the one and not the other.
        guard spec.isSame(as: recipe.spec) else { return nil }
        return Origin(config: config, types: types, spec: spec, names: recipe.family.names(spec, reader))
    }

    /// Codes and scales apart, as `StoredTensor.fourBitMatrix` joins them.
    private static func fourBit(
        _ assembly: TensorAssembly, _ blocks: (codes: String, scales: String), _ binder: Binder, _ gguf: GGUF,
        pool: ThreadPool
    ) throws -> [TensorOutput] {
        let columns = assembly.shape.last ?? 0
        let rows = assembly.shape.dropLast().reduce(1, *)
        func matrix() throws -> Matrix {
            let matrix = try assembly.matrix(from: binder)
            guard matrix.type == .mxfp4, matrix.rows == rows, matrix.columns == columns else {
                throw ModelError(
                    file: gguf.path,
                    "tensor \(printable(blocks.codes)) was MXFP4, and is \(matrix.type.rawValue) here; give --type")
            }
            return matrix
        }
        let shape = Array(assembly.shape.dropLast()) + [columns / 32]
        return [
            TensorOutput(
                name: blocks.codes, shape: shape + [16], content: .other("U8"), byteCount: rows * columns / 2
            ) { emit in
                let matrix = try matrix()
                let bytes = UnsafeRawBufferPointer(start: matrix.base, count: rows * columns / 32 * 17)
                defer { withExtendedLifetime(matrix) {} }
                var codes = [UInt8](repeating: 0, count: rows * columns / 2)
                for block in 0..<rows * columns / 32 {
                    for i in 0..<32 {
                        // Elements i and i + 16 share a byte there, 2j and 2j + 1 here.
                        let code = bytes[block * 17 + 1 + i % 16] >> UInt8(i / 16 * 4) & 15
                        codes[block * 16 + i / 2] |= code << UInt8(i % 2 * 4)
                    }
                }
                try codes.withUnsafeBytes { try emit($0) }
            },
            TensorOutput(
                name: blocks.scales, shape: shape, content: .other("U8"), byteCount: rows * columns / 32
            ) { emit in
                let matrix = try matrix()
                let bytes = UnsafeRawBufferPointer(start: matrix.base, count: rows * columns / 32 * 17)
                defer { withExtendedLifetime(matrix) {} }
                let scales = (0..<rows * columns / 32).map { bytes[$0 * 17] }
                try scales.withUnsafeBytes { try emit($0) }
            },
        ]
    }
}

extension TensorAssembly {
    /// What the parts are in the file they are in, where that is one type of floats.
    fileprivate func floatType(_ recipe: Recipe) throws -> ElementType {
        let types = Set(
            try parts.compactMap { part in
                try recipe.names.source(part.slot)?.names.first.flatMap {
                    try recipe.checkpoint.index[$0]?.elementType()
                }
            })
        return types.count == 1 && types.allSatisfy { !$0.isQuantized } ? types.first ?? .f32 : .f32
    }
}

extension ElementType {
    /// What a `config.json` calls it.
    fileprivate var referenceName: String {
        switch self {
        case .f16: "float16"
        case .bf16: "bfloat16"
        default: "float32"
        }
    }
}

extension JSONObject {
    /// The same with another value for those of these keys that are there.
    fileprivate func replacing(_ names: [String], with value: JSON) -> JSONObject {
        var object = JSONObject()
        for (key, old) in zip(keys, values) { _ = object.append(key, names.contains(key) ? value : old) }
        return object
    }
}
