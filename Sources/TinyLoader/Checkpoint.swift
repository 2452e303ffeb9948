package import TinyJSON

/// A model's files, found and read by what they hold, not by what they are called.
package struct Checkpoint: Sendable {
    package enum Format: Sendable {
        case gguf(GGUF)
        /// A folder as Hugging Face lays it out, and the `config.json` in it.
        case folder(String, config: JSONObject)
    }

    /// What the user named.
    package let path: String
    package let format: Format
    package let index: TensorIndex
    /// Every file that was opened for weights.
    package let files: [String]

    /// - Parameter path: a GGUF file, a safetensors file with its `config.json` beside it, or a folder of either.
    package init(path: String) throws(FormatError) {
        switch FileSystem.kind(of: path) {
        case nil: throw FormatError(.unreadable, file: path, FileSystem.lastError)
        case .other: throw FormatError(.unreadable, file: path, "is neither a file nor a folder")
        case .folder: try self.init(folder: path, named: path)
        case .file: try self.init(file: path, named: path)
        }
    }

    private init(file: String, named path: String) throws(FormatError) {
        let mapped = try MappedFile(path: file)
        if GGUF.recognizes(mapped.bytes) {
            let gguf = try GGUF(file: mapped)
            self.init(path: path, format: .gguf(gguf), index: gguf.index, files: [file])
        } else if Safetensors.recognizes(mapped.bytes) {
            let safetensors = try Safetensors(file: mapped)
            let folder = file.parentFolder
            let config = try Self.config(folder)
            self.init(path: path, format: .folder(folder, config: config), index: safetensors.index, files: [file])
        } else {
            throw FormatError(
                .unknownFormat, file: file, byte: 0,
                "is neither a GGUF file (which begins with \"GGUF\") nor a safetensors file (a length, then a JSON header)"
            )
        }
    }

    private init(folder: String, named path: String) throws(FormatError) {
        let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        let names = FileSystem.names(in: folder)
        // A single file comes first: a list beside it is left over from before the shards were joined.
        let lists = names.contains("model.safetensors") ? [] : names.filter { $0.hasSuffix(".safetensors.index.json") }
        if lists.count > 1 && !lists.contains("model.safetensors.index.json") {
            throw FormatError(
                .unknownFormat, file: folder,
                "holds several models (\(lists.joined(separator: ", "))); none is model.safetensors.index.json")
        }
        if let list = lists.first(where: { $0 == "model.safetensors.index.json" }) ?? lists.first {
            let shards = try SafetensorsShards(list: folder + "/" + list)
            let config = try Self.config(folder)
            self.init(path: path, format: .folder(folder, config: config), index: shards.index, files: shards.files)
            return
        }
        let single =
            names.contains("model.safetensors") ? ["model.safetensors"] : names.filter { $0.hasSuffix(".safetensors") }
        let candidates = single.isEmpty ? names.filter { $0.hasSuffix(".gguf") } : single
        if candidates.count == 1 {
            try self.init(file: folder + "/" + candidates[0], named: path)
        } else if candidates.isEmpty {
            let pickled = names.first { $0.hasSuffix(".bin") || $0.hasSuffix(".pt") || $0.hasSuffix(".pth") }
            throw FormatError(
                .missing, file: folder,
                pickled.map { "holds weights only in \($0), a pickle; save the model as safetensors" }
                    ?? "holds no .safetensors and no .gguf file")
        } else {
            throw FormatError(
                .unknownFormat, file: folder,
                "holds several models (\(candidates.joined(separator: ", "))); name one of them")
        }
    }

    private init(path: String, format: Format, index: TensorIndex, files: [String]) {
        self.path = path
        self.format = format
        self.index = index
        self.files = files
    }

    private static func config(_ folder: String) throws(FormatError) -> JSONObject {
        guard let config = try json(folder + "/config.json", limit: 4 << 20) else {
            throw FormatError(.missing, file: folder + "/config.json", "is needed beside safetensors, and is not there")
        }
        return config
    }

    /// The object in a JSON file; nil if there is no such file.
    ///
    /// - Parameter tables: paths of keys at which long arrays and objects are kept flat.
    package static func json(
        _ path: String, limit: Int, tables: [[String]] = []
    ) throws(FormatError) -> JSONObject? {
        guard FileSystem.kind(of: path) != nil else { return nil }
        let value: JSON
        let bytes = try FileSystem.read(path, limit: limit)
        do { value = try JSON(parsing: bytes, tables: tables) } catch {
            throw FormatError(.malformed, file: path, byte: error.byte, "is \(error)")
        }
        guard let object = value.object else {
            throw FormatError(.malformed, file: path, "is \(value.kind), not an object")
        }
        return object
    }
}
