import TinyJSON
import TinyLayers
import TinyLoader

// A folder as sentence-transformers writes it.

extension EmbeddingSettings {
    private static let sizeLimit = 1 << 20

    /// `modules.json`: what is done one after the other, each with a folder of its own.
    mutating func read(modulesOf folder: String) throws {
        let file = folder + "/modules.json"
        let bytes = try FileSystem.read(file, limit: Self.sizeLimit)
        let value: JSON
        do { value = try JSON(parsing: bytes) } catch {
            throw FormatError(.malformed, file: file, byte: error.byte, "is \(error)")
        }
        guard let modules = value.array else {
            throw FormatError(.malformed, file: file, "is \(value.kind), not a list")
        }
        var (hasPooling, problems) = (false, [String]())
        normalizes = false
        for (index, module) in modules.enumerated() {
            guard let type = module.object?["type"]?.string, let path = module.object?["path"]?.string else {
                throw FormatError(
                    .malformed, file: file, name: "[\(index)]", "is not a module with a \"type\" and a \"path\"")
            }
            switch type.split(separator: ".").last.map(String.init) ?? "" {
            case "Transformer": try readTransformer(folder, path)
            case "Pooling" where !hasPooling && !normalizes:
                hasPooling = true
                try readPooling(folder + "/" + path + "/config.json")
            case "Normalize": normalizes = true
            default: problems.append("the module \(printable(type)) is not supported here")
            }
        }
        if !hasPooling { problems.append("no module pools the tokens' states to one vector") }
        guard problems.isEmpty else { throw ModelError(file: file, problems: problems) }
        try readPrompts(folder)
    }

    /// `sentence_…_config.json`: the middle is the name of one of several classes.
    private mutating func readTransformer(_ folder: String, _ path: String) throws {
        let inner = path.isEmpty ? folder : folder + "/" + path
        let names = FileSystem.names(in: inner).filter { $0.hasPrefix("sentence_") && $0.hasSuffix("_config.json") }
        guard let name = names.min(), let config = try Checkpoint.json(inner + "/" + name, limit: Self.sizeLimit) else {
            return
        }
        if let value = config["max_seq_length"], !value.isNull {
            guard let limit = value.integer, limit > 0 else {
                throw ModelError(
                    file: inner + "/" + name, "\"max_seq_length\" is not a number of tokens from 1 on")
            }
            tokenLimit = limit
        }
        lowercases = config["do_lower_case"]?.bool ?? false
    }

    /// `1_Pooling/config.json`: switches of old, or the names of late.
    private mutating func readPooling(_ file: String) throws {
        guard let config = try Checkpoint.json(file, limit: Self.sizeLimit) else {
            throw FormatError(.missing, file: file, "is needed, as modules.json names it, and is not there")
        }
        // In the order in which their vectors stand.
        let known: [(name: String, pooling: Pooling)] = [
            ("cls", .first), ("max", .maximum), ("mean", .mean), ("mean_sqrt_len_tokens", .meanOfRoot),
            ("weightedmean", .weightedMean), ("lasttoken", .last),
        ]
        let switches: [String: Pooling] = [
            "pooling_mode_cls_token": .first, "pooling_mode_max_tokens": .maximum,
            "pooling_mode_mean_tokens": .mean, "pooling_mode_mean_sqrt_len_tokens": .meanOfRoot,
            "pooling_mode_weightedmean_tokens": .weightedMean, "pooling_mode_lasttoken": .last,
        ]
        var chosen: Set<Pooling> = []
        var problems: [String] = []
        if let mode = config["pooling_mode"], !mode.isNull {
            for value in mode.array ?? [mode] {
                if let pooling = known.first(where: { $0.name == value.string })?.pooling {
                    chosen.insert(pooling)
                } else {
                    let names = known.map(\.name).joined(separator: ", ")
                    problems.append("\"pooling_mode\" is \(printable(value.string ?? value.kind)); known are \(names)")
                }
            }
        } else {
            for (key, value) in zip(config.keys, config.values) where key.hasPrefix("pooling_mode_") {
                guard let isOn = value.bool else {
                    problems.append("\(printable(key)) is \(value.kind); true or false is expected")
                    continue
                }
                guard isOn else { continue }
                if let pooling = switches[key] {
                    chosen.insert(pooling)
                } else {
                    problems.append("\(printable(key)) is true; this pooling is not supported")
                }
            }
        }
        if chosen.isEmpty && problems.isEmpty { chosen = [.mean] }  // as the reference takes it
        guard problems.isEmpty else { throw ModelError(file: file, problems: problems) }
        source = .states(known.map(\.pooling).filter(chosen.contains))
        includesPrompt = config["include_prompt"]?.bool ?? true
    }

    /// `config_sentence_transformers.json`
    private mutating func readPrompts(_ folder: String) throws {
        let file = folder + "/config_sentence_transformers.json"
        guard let config = try Checkpoint.json(file, limit: Self.sizeLimit) else { return }
        if let value = config["prompts"], !value.isNull {
            guard let object = value.object else {
                throw ModelError(file: file, "\"prompts\" is \(value.kind); an object of texts is expected")
            }
            for (name, text) in zip(object.keys, object.values) {
                guard let text = text.string else {
                    throw ModelError(file: file, "the prompt \(printable(name)) is \(text.kind), not a text")
                }
                prompts[name] = text
            }
        }
        guard let value = config["default_prompt_name"], !value.isNull else { return }
        guard let name = value.string, prompts[name] != nil else {
            throw ModelError(
                file: file,
                "\"default_prompt_name\" is \(printable(value.string ?? value.kind)), and no such prompt is there")
        }
        defaultPrompt = name
    }

    /// The tokenizer's own limit, where no other is given, and where it cuts.
    mutating func readTokenizerSettings(_ folder: String) throws {
        guard let config = try Checkpoint.json(folder + "/tokenizer_config.json", limit: 64 << 20) else { return }
        cutsBeginning = config["truncation_side"]?.string == "left"
        // Where there is no limit, files hold 10³⁰.
        if tokenLimit == nil, let limit = config["model_max_length"]?.double, limit >= 1, limit < 1e9 {
            tokenLimit = Int(limit)
        }
    }
}
