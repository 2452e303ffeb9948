import TinyJSON
import TinyLayers
package import TinyLoader
import TinyTensor

extension GGUFPlan {
    /// A Hugging Face folder's model, as GGUF has it: rows put in order, experts stacked, norms' ones added.
    ///
    /// The recipe that reads such files is asked what it makes of this one: it must be the same spec.
    ///
    /// - Throws: `ModelError` where the model is not supported, or GGUF cannot say what it is.
    package init(folder checkpoint: Checkpoint, warnings: inout [String]) throws {
        let recipe = try Recipe(checkpoint: checkpoint)
        let binder = recipe.binder()
        let problems = try binder.check(recipe.spec)
        if !problems.isEmpty { throw ModelError(file: checkpoint.path, problems: problems) }
        let (spec, left) = recipe.spec.inGGUF
        warnings += left + recipe.warnings(binder, nil)
        if recipe.imageTower != nil {
            warnings.append("what reads images is left out: GGUF has it in a file of its own")
        }
        guard !recipe.family.ggufArchitectures.isEmpty else {
            throw ModelError(
                file: checkpoint.path, "GGUF has no architecture for \(recipe.family.name), so convert cannot write it")
        }
        var reasons: [String] = []
        for architecture in recipe.family.ggufArchitectures {
            for variant in ModelSpec.KeyVariant.all {
                do {
                    let (values, tensors) = try Self.told(spec, recipe, binder, architecture, variant)
                    try self.init(recipe, spec, values, tensors, architecture: architecture, &warnings)
                    return
                } catch let error as Untold {
                    reasons.append(error.reason)
                }
            }
        }
        throw ModelError(
            file: checkpoint.path,
            "convert does not write \(recipe.family.name) models of this kind as GGUF: \(reasons.first ?? "no reason")")
    }

    /// Why some keys do not say what a model is.
    private struct Untold: Error {
        let reason: String
    }

    /// Keys and tensors from which the family's recipe makes this spec.
    private static func told(
        _ spec: ModelSpec, _ recipe: Recipe, _ binder: Binder, _ architecture: String, _ variant: ModelSpec.KeyVariant
    ) throws -> (StatedValues, [Tensor]) {
        let values = spec.metadata(variant)
        let known = ConfigReader(values.object, file: recipe.checkpoint.path, tensors: TensorIndex(), isGGUF: true)
        var tensors: [Tensor] = []
        do {
            let assemblies = try TensorAssembly.all(
                spec, recipe.family.ggufNames(spec, known), file: recipe.checkpoint.path)
            tensors = try assemblies.map { try Tensor($0, recipe, binder) }
        } catch let error as ModelError {
            throw Untold(reason: error.problems.first ?? "")
        }
        tensors += spec.rotaryTensors.map { name, values in
            Tensor(name: name, shape: [values.count], content: .elements(.f32)) {
                Matrix(floats: values, columns: values.count)
            }
        }
        let index = try TensorIndex(planned: tensors)
        let reader = ConfigReader(values.object, file: recipe.checkpoint.path, tensors: index, isGGUF: true)
        let read: ModelSpec
        do { read = try recipe.family.spec(reader) } catch let error as ModelError {
            throw Untold(reason: error.problems.first ?? "")
        }
        guard read == spec else { throw Untold(reason: "read back, " + spec.difference(from: read)) }
        // With the tensors there, names may be others.
        let names = recipe.family.ggufNames(spec, reader)
        let again = Binder(index: index, names: names, file: recipe.checkpoint.path)
        if let problem = try again.check(spec).first { throw Untold(reason: problem) }
        let unread = Set(reader.unread)
        let standard = ["vocab_size", "rope.dimension_count", "rope.freq_base"]
        return (values.filter { !unread.contains($0) || standard.contains($0) }, tensors)
    }

    private init(
        _ recipe: Recipe, _ spec: ModelSpec, _ values: StatedValues, _ tensors: [Tensor], architecture: String,
        _ warnings: inout [String]
    ) throws {
        let source = SourceFolder(recipe.checkpoint)
        var metadata: [GGUFEntry] = [
            .string("general.architecture", architecture), .string("general.type", "model"),
            .string("general.name", source.name),
        ]
        metadata += values.members.compactMap { $0.value.entry(architecture + "." + $0.key) }
        metadata.append(.integer("general.file_type", GGUFPlan.fileType(tensors)))
        metadata += try source.tokenizerEntries(recipe, vocabulary: spec.vocabulary, warnings: &warnings)
        metadata += try source.entries(tensors: recipe.checkpoint.index, inexact: Self.inexact(recipe))
        self.init(
            metadata: metadata, tensors: tensors, architecture: architecture, layers: spec.layers.count,
            experts: spec.experts)
    }

    private static func fileType(_ tensors: [Tensor]) -> Int {
        let matrices = tensors.filter { $0.shape.count > 1 }
        return matrices.contains { $0.content == .elements(.bf16) }
            ? 32
            : matrices.contains { $0.content == .elements(.f16) } ? 1 : 0
    }

    /// Norms to which adding one and taking it away again leaves other numbers, by the folder's names.
    private static func inexact(_ recipe: Recipe) throws -> [(name: String, values: [Float])] {
        try Binder.wanted(recipe.spec).compactMap { slot, shape in
            guard case .plusOne(let stored)? = recipe.names.source(slot), shape.count == 1,
                let tensor = recipe.checkpoint.index[stored.name]
            else { return nil }
            let values = try tensor.matrix().floats()
            return values.allSatisfy { ((1 + $0) - 1).bitPattern == $0.bitPattern } ? nil : (stored.name, values)
        }
    }
}

extension GGUFPlan.Tensor {
    /// A tensor put together from a folder's.
    fileprivate init(_ assembly: TensorAssembly, _ recipe: Recipe, _ binder: Binder) throws {
        self.init(
            name: assembly.name, shape: assembly.shape,
            content: .elements(try assembly.type(in: recipe.checkpoint.index, recipe.names))
        ) { try assembly.matrix(from: binder) }
    }
}

extension TensorAssembly {
    /// Vectors and small tensors are floats; the others are as they are in the file.
    fileprivate func type(in index: TensorIndex, _ names: NameMap) throws -> ElementType {
        guard QuantizationRules.isQuantized(name, shape: shape) else { return .f32 }
        let types = Set(
            try parts.flatMap { part -> [ElementType] in
                guard let source = names.source(part.slot) else { return [] }
                if case .blocks = source.innermost { return [.mxfp4] }
                return try source.names.prefix(1).compactMap { try index[$0]?.elementType() }
            })
        return types.count == 1 ? types.first ?? .f32 : .f32
    }
}

extension TensorIndex {
    /// Names and shapes of tensors to be; those of vectors that say something of the architecture with their numbers.
    init(planned tensors: [GGUFPlan.Tensor]) throws {
        self.init()
        for tensor in tensors {
            let isTelling = tensor.name.hasPrefix("rope_f")
            try add(
                StoredTensor(
                    planned: tensor.name, content: tensor.content, shape: tensor.shape,
                    matrix: isTelling ? try tensor.matrix() : nil))
        }
    }
}

extension ModelSpec {
    /// The first field in which two specs differ, in words.
    func difference(from other: ModelSpec) -> String {
        func first(_ a: Any, _ b: Any, _ path: String) -> String? {
            let (x, y) = (Mirror(reflecting: a), Mirror(reflecting: b))
            if x.children.isEmpty || x.children.count != y.children.count {
                let (m, n) = ("\(a)", "\(b)")
                return m == n ? nil : "\(path) is \(n.prefix(80)), not \(m.prefix(80))"
            }
            for (i, (p, q)) in zip(x.children, y.children).enumerated() {
                if let found = first(p.value, q.value, path + (path.isEmpty ? "" : ".") + (p.label ?? "\(i)")) {
                    return found
                }
            }
            return nil
        }
        return first(self, other, "") ?? "something differs"
    }
}
