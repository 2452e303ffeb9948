import TinyJSON

/// Several safetensors files that make one model, listed in `model.safetensors.index.json`.
package struct SafetensorsShards: Sendable {
    package private(set) var index = TensorIndex()
    package private(set) var files: [String] = []

    /// Opens every file that the list names, and checks that each tensor is where the list has it.
    package init(list path: String) throws(FormatError) {
        let folder = path.parentFolder
        let json: JSON
        do {
            json = try JSON(parsing: FileSystem.read(path, limit: 100_000_000))
        } catch let error as JSONError {
            throw FormatError(.malformed, file: path, byte: error.byte, "is \(error)")
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.malformed, file: path, "\(error)")
        }
        guard let map = json.object?["weight_map"]?.object else {
            throw FormatError(.missing, file: path, name: "weight_map", "is not there, or no object")
        }
        var shards: [String: Safetensors] = [:]
        for (name, value) in zip(map.keys, map.values) {
            guard let file = value.string else {
                throw FormatError(.malformed, file: path, name: name, "is \(value.kind), not a file's name")
            }
            // Scalars, not characters: Swift takes a slash with an accent for one character that is no slash. And no
            // control characters: the name is part of error messages, and the system would end it at a NUL.
            let isPlain = file.unicodeScalars.allSatisfy {
                $0 != "/" && $0.value >= 0x20 && !(0x7F..<0xA0 ~= $0.value)
            }
            guard isPlain, !file.isEmpty, file != ".", file != ".." else {
                throw FormatError(
                    .malformed, file: path, name: name, "names \(printable(file)), which is not a file beside this one")
            }
            if shards[file] == nil {
                shards[file] = try Safetensors(path: folder + "/" + file)
                files.append(folder + "/" + file)
            }
            guard let tensor = shards[file]?.index[name] else {
                throw FormatError(
                    .missing, file: folder + "/" + file, name: name, "is not in the file where the list has it")
            }
            try index.add(tensor)
        }
        for file in files {
            for tensor in shards[file.lastComponent]?.index.tensors ?? []
            where map[tensor.name] == nil {
                try index.add(tensor)  // not listed; whoever binds tensors reports what it does not use
            }
        }
    }
}

extension String {
    /// The folder that a path's last component is in.
    package var parentFolder: String {
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }

    /// A path's last component.
    package var lastComponent: String {
        utf8.split(separator: UInt8(ascii: "/")).last.map { String($0) ?? self } ?? self
    }
}
