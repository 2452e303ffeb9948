internal import TinyJSON

/// An object inside a file, of which every key must be read or be listed as harmless.
struct FileSection {
    let object: JSONObject
    let file: String
    /// From the file's root: `model.vocab`.
    let path: String
    private var known: Set<String> = []

    init(_ json: JSON, file: String, path: String) throws(TokenizerError) {
        guard let object = json.object else {
            throw TokenizerError(
                file: file, key: path.isEmpty ? "the file" : path, found: json.kind, expected: "an object")
        }
        self.object = object
        self.file = file
        self.path = path
    }

    func error(_ key: String, _ found: String, _ expected: String) -> TokenizerError {
        TokenizerError(file: file, key: path.isEmpty ? key : "\(path).\(key)", found: found, expected: expected)
    }

    /// Every key that nobody asked for, in one error.
    func finish() throws(TokenizerError) {
        let unknown = object.keys.filter { !known.contains($0) }
        if !unknown.isEmpty {
            throw TokenizerError(
                file: file, key: path.isEmpty ? "the file" : path,
                found: "unknown keys " + unknown.prefix(8).map(quoted).joined(separator: ", "),
                expected: "only known keys")
        }
    }

    mutating func ignore(_ keys: String...) { known.formUnion(keys) }

    // MARK: Values

    private mutating func value(_ key: String) -> JSON? {
        known.insert(key)
        return object[key]
    }

    /// One of some values, of which null also stands for a missing key.
    mutating func expect(_ key: String, _ allowed: JSON...) throws(TokenizerError) {
        let value = value(key) ?? .null
        if allowed.contains(value) { return }
        throw error(key, shown(value), allowed.map(shown).joined(separator: " or ") + "; others are not supported")
    }

    mutating func string(_ key: String) throws(TokenizerError) -> String {
        let value = value(key)
        guard let text = value?.string else { throw error(key, value?.kind ?? "nothing", "a string") }
        return text
    }

    mutating func optionalString(_ key: String) throws(TokenizerError) -> String? {
        guard let value = value(key), !value.isNull else { return nil }
        return try string(key)
    }

    mutating func integer(_ key: String) throws(TokenizerError) -> Int {
        let value = value(key)
        guard let number = value?.integer else { throw error(key, value?.kind ?? "nothing", "a whole number") }
        return number
    }

    mutating func bool(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
        guard let value = value(key), !value.isNull else { return fallback }
        guard let flag = value.bool else { throw error(key, value.kind, "true or false") }
        return flag
    }

    mutating func array(_ key: String) throws(TokenizerError) -> [JSON] {
        let value = value(key)
        guard let array = value?.array else { throw error(key, value?.kind ?? "nothing", "an array") }
        return array
    }

    /// A long array or object, flat; or nil and the same as a tree, if its elements differ from what a table holds.
    mutating func table(_ key: String, object isObject: Bool) throws(TokenizerError) -> (JSONTable?, JSON) {
        let value = value(key)
        switch value {
        case .table(let table) where table.isObject == isObject: return (table, .null)
        case .array(let array) where !isObject: return (nil, .array(array))
        case .object(let object) where isObject: return (nil, .object(object))
        default: throw error(key, value?.kind ?? "nothing", isObject ? "an object" : "an array")
        }
    }

    mutating func section(_ key: String) throws(TokenizerError) -> FileSection {
        guard let section = try optionalSection(key) else { throw error(key, "nothing", "an object") }
        return section
    }

    /// nil if the key is missing or null.
    mutating func optionalSection(_ key: String) throws(TokenizerError) -> FileSection? {
        guard let value = value(key), !value.isNull else { return nil }
        return try FileSection(value, file: file, path: path.isEmpty ? key : "\(path).\(key)")
    }

    mutating func sections(_ key: String, optional: Bool = false) throws(TokenizerError) -> [FileSection] {
        if optional, object[key]?.isNull ?? true {
            known.insert(key)
            return []
        }
        var sections: [FileSection] = []
        for (index, element) in try array(key).enumerated() {
            let place = path.isEmpty ? "\(key)[\(index)]" : "\(path).\(key)[\(index)]"
            sections.append(try FileSection(element, file: file, path: place))
        }
        return sections
    }

    private func shown(_ value: JSON) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .bool(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        default: value.kind
        }
    }
}
