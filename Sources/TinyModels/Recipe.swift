import TinyJSON
package import TinyLayers
package import TinyLoader
package import TinyTensor
package import TinyTokenizer

/// What is known of a checkpoint before its weights are touched: whose it is, its spec, and what its tensors are called.
package struct Recipe {
    package let checkpoint: Checkpoint
    package let family: any Family.Type
    package let spec: ModelSpec
    package let names: NameMap
    package let imageTower: (spec: ModelSpec, names: NameMap)?
    let config: ConfigReader

    /// - Throws: `ModelError` for a family that is not supported, or a configuration that is not.
    package init(checkpoint: Checkpoint) throws {
        let (family, config) = try Self.family(of: checkpoint)
        let spec = try family.spec(config)
        imageTower = try family.imageTower(config)
        config.ignoreHarmless()
        self.checkpoint = checkpoint
        self.family = family
        self.config = config
        self.spec = spec
        if case .gguf = checkpoint.format {
            names = family.ggufNames(spec, config)
        } else {
            names = family.names(spec, config)
        }
    }

    /// Whose a checkpoint is, and the reader of its configuration.
    package static func family(of checkpoint: Checkpoint) throws -> (any Family.Type, ConfigReader) {
        switch checkpoint.format {
        case .gguf(let gguf):
            guard let type = try gguf.metadata.string("general.architecture") else {
                throw ModelError(file: gguf.path, "the metadata has no \"general.architecture\"")
            }
            guard let family = Families.named(ggufArchitecture: type) else {
                throw unknown(type, file: gguf.path, supported: Families.all.flatMap { $0.ggufArchitectures })
            }
            return (family, ConfigReader(gguf, architecture: type))
        case .folder(let folder, let values):
            let config = ConfigReader(values, file: folder + "/config.json", tensors: checkpoint.index)
            guard let type = try config.string("model_type") else {
                if let family = Families.named(architectures: try config.strings("architectures") ?? []) {
                    return (family, config)
                }
                throw ModelError(file: config.file, "the configuration has no \"model_type\"")
            }
            guard let family = Families.named(modelType: type) else {
                throw unknown(type, file: config.file, supported: Families.all.flatMap { $0.modelTypes })
            }
            return (family, config)
        }
    }

    private static func unknown(_ name: String, file: String, supported: [String]) -> ModelError {
        ModelError(
            file: file,
            "the model family \(printable(name)) is not supported; supported are \(supported.joined(separator: ", "))")
    }

    /// - Parameter compute: what weights are made ready for; without it a binder only checks.
    package func binder(_ compute: Compute? = nil) -> Binder {
        Binder(index: checkpoint.index, names: names, file: checkpoint.path, compute: compute)
    }

    package func imageBinder(_ compute: Compute? = nil) -> Binder? {
        imageTower.map {
            Binder(index: checkpoint.index, names: $0.names, file: checkpoint.path, compute: compute)
        }
    }

    /// What a user should know: keys nobody read, tensors nobody bound.
    package func warnings(_ binder: Binder, _ imageBinder: Binder?) -> [String] {
        let images = imageBinder.map { Set($0.unbound) }
        let unbound = binder.unbound.filter { images?.contains($0) ?? true }
        return config.unread.map { "the configuration's \(printable($0)) was not understood and not used" }
            + unbound.map { "tensor \(printable($0)) is not used" }
    }

    package func tokenizer() throws -> Tokenizer {
        switch checkpoint.format {
        case .gguf(let gguf): try Tokenizer(gguf: gguf)
        case .folder(let folder, _): try Tokenizer(folder: folder)
        }
    }

    /// Ends of a text as the configuration has them, the chief one first; `generation_config.json` knows more than
    /// `config.json`.
    package var endOfText: [Int] { tokens("eos_token_id") }

    /// The token that begins a text, whether or not one is wanted in front.
    package var beginningOfText: Int? { tokens("bos_token_id").first }

    private func tokens(_ key: String) -> [Int] {
        switch checkpoint.format {
        case .gguf(let gguf):
            return [(try? gguf.metadata.integer("tokenizer.ggml." + key)) ?? nil].compactMap(\.self)
        case .folder(let folder, let values):
            let generation = (try? Checkpoint.json(folder + "/generation_config.json", limit: 1 << 20)) ?? nil
            return [values, generation].compactMap { $0?[key] }.flatMap { value in
                value.array?.compactMap(\.integer) ?? [value.integer].compactMap(\.self)
            }
        }
    }
}
