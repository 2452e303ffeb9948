import TinyJSON
package import TinyLoader

/// The chat templates among a model's files, and the texts of the special tokens they may ask for. A file that holds
/// only a vocabulary will do.
package struct ChatTemplateFiles: Sendable {
    /// A template with its name; where a model has only one, that is "default".
    package struct Named: Sendable, Equatable {
        package let name: String
        package let source: String
        /// The file it was read from.
        package let file: String
    }

    package private(set) var templates: [Named] = []
    /// `bos_token` and its like. All are texts of the model's makers.
    package private(set) var specialTokens: [(name: String, text: String)] = []

    /// - Parameter path: as for `Tokenizer(at:)`.
    package init(at path: String) throws {
        switch FileSystem.kind(of: path) {
        case .folder:
            let names = FileSystem.names(in: path)
            let files = names.filter { $0.hasSuffix(".gguf") }
            let isHuggingFace = names.contains { $0 == "tokenizer_config.json" || $0 == Self.file || $0 == Self.folder }
            if files.count == 1, !isHuggingFace {
                try self.init(gguf: GGUF(file: MappedFile(path: path + "/" + files[0])))
            } else {
                try self.init(folder: path)
            }
        case .file:
            let file = try MappedFile(path: path)
            if GGUF.recognizes(file.bytes) {
                try self.init(gguf: GGUF(file: file))
            } else {
                try self.init(folder: path.parentFolder)
            }
        default: throw FormatError(.unreadable, file: path, FileSystem.lastError)
        }
    }

    package init(_ checkpoint: Checkpoint) throws {
        switch checkpoint.format {
        case .gguf(let gguf): try self.init(gguf: gguf)
        case .folder(let folder, _): try self.init(folder: folder)
        }
    }

    // MARK: Hugging Face

    private static let file = "chat_template.jinja"
    private static let folder = "additional_chat_templates"
    private static let limit = 16 << 20

    /// Files of their own count more than the configuration, as in `transformers`; what only processors read, least.
    private init(folder: String) throws {
        let settings = folder + "/tokenizer_config.json"
        let config = try Checkpoint.json(settings, limit: 64 << 20)
        templates = try Self.files(in: folder)
        if templates.isEmpty { templates = try Self.templates(config, file: settings) }
        if templates.isEmpty {
            let file = folder + "/chat_template.json"
            templates = try Self.templates(Checkpoint.json(file, limit: Self.limit), file: file)
        }
        let map = try Checkpoint.json(folder + "/special_tokens_map.json", limit: Self.limit)
        for name in ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] {
            // A token is written as its text, or with all its properties.
            let values = [config, map].compactMap { $0?[name] }
            if let text = values.lazy.compactMap({ $0.string ?? $0.object?["content"]?.string }).first {
                specialTokens.append((name, text))
            }
        }
    }

    private static func files(in folder: String) throws -> [Named] {
        var templates: [Named] = []
        func add(_ name: String, _ path: String) throws {
            guard let source = String(validating: try FileSystem.read(path, limit: limit), as: UTF8.self) else {
                throw FormatError(.malformed, file: path, "is not valid UTF-8")
            }
            templates.append(Named(name: name, source: source, file: path))
        }
        if FileSystem.kind(of: folder + "/" + file) == .file { try add("default", folder + "/" + file) }
        let more = folder + "/" + Self.folder
        for name in FileSystem.names(in: more) where name.hasSuffix(".jinja") {
            try add(String(name.dropLast(6)), more + "/" + name)
        }
        return templates
    }

    /// `chat_template` is a template, a list of templates with names, or an object from names to templates.
    private static func templates(_ config: JSONObject?, file: String) throws -> [Named] {
        func bad(_ reason: String) -> FormatError {
            FormatError(.malformed, file: file, name: "chat_template", reason)
        }
        switch config?["chat_template"] {
        case nil, .null?: return []
        case .string(let source)?: return [Named(name: "default", source: source, file: file)]
        case .array(let items)?:
            var templates: [Named] = []
            for (index, item) in items.enumerated() {
                guard let name = item.object?["name"]?.string, let source = item.object?["template"]?.string else {
                    throw bad("has an item \(index) that is not an object with a \"name\" and a \"template\"")
                }
                if templates.contains(where: { $0.name == name }) { throw bad("names \(printable(name)) twice") }
                templates.append(Named(name: name, source: source, file: file))
            }
            return templates
        case .object(let object)?:
            var templates: [Named] = []
            for (name, value) in zip(object.keys, object.values) {
                guard let source = value.string else {
                    throw bad("has \(value.kind) under \(printable(name)), not a template")
                }
                templates.append(Named(name: name, source: source, file: file))
            }
            return templates
        case let other?: throw bad("is \(other.kind), not a template or a list of templates with names")
        }
    }

    // MARK: GGUF

    private init(gguf: GGUF) throws {
        let metadata = gguf.metadata
        let key = "tokenizer.chat_template"
        if let source = try metadata.string(key) {
            templates.append(Named(name: "default", source: source, file: gguf.path))
        }
        // The list of names says what there is; a template that it leaves out is there all the same.
        let listed = try metadata.texts(key + "s")?.texts ?? []
        let present = metadata.keys.filter { $0.hasPrefix(key + ".") }.map { String($0.dropFirst(key.utf8.count + 1)) }
        for name in listed + present.filter({ !listed.contains($0) })
        where !templates.contains(where: { $0.name == name }) {
            guard let source = try metadata.string(key + "." + name) else {
                throw FormatError(
                    .missing, file: gguf.path, name: key + "s",
                    "names \(printable(name)), and \(key).\(name) is not there")
            }
            templates.append(Named(name: name, source: source, file: gguf.path))
        }
        let tokens = try metadata.texts("tokenizer.ggml.tokens") ?? []
        let ids = [
            ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("sep_token", "seperator"),
            ("pad_token", "padding"), ("cls_token", "cls"), ("mask_token", "mask"),
        ]
        for (name, id) in ids {
            guard let id = try metadata.integer("tokenizer.ggml.\(id)_token_id"), (0..<tokens.count).contains(id) else {
                continue
            }
            specialTokens.append((name, tokens[id]))
        }
    }
}
