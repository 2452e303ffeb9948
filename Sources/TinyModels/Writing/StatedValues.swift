import TinyJSON
import TinyLoader

/// What a configuration states, in order, in whichever format.
struct StatedValues {
    private(set) var members: [(key: String, value: JSON)] = []

    init(_ members: [(key: String, value: JSON)] = []) { self.members = members }

    mutating func append(_ key: String, _ value: JSON) { members.append((key, value)) }

    static func += (a: inout StatedValues, b: StatedValues) { a.members += b.members }

    func filter(_ isIncluded: (String) -> Bool) -> StatedValues { StatedValues(members.filter { isIncluded($0.key) }) }

    /// Without what has no value.
    var object: JSONObject {
        var object = JSONObject()
        for (key, value) in members where !value.isNull { _ = object.append(key, value) }
        return object
    }
}

extension StatedValues: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements.map { (key: $0.0, value: $0.1) }) }
}

extension JSON {
    static func members(_ values: StatedValues) -> JSON { .object(values.object) }
    static func bools(_ values: [Bool]) -> JSON { .array(values.map { .bool($0) }) }
    static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
    static func numbers(_ values: [Float]) -> JSON { .array(values.map { .number(Double($0)) }) }

    /// As GGUF writes it; nil for what has no place there.
    func entry(_ key: String) -> GGUFEntry? {
        switch self {
        case .integer(let value): .integer(key, value)
        case .number(let value): .number(key, Float(value))
        case .bool(let value): .bool(key, value)
        case .string(let value): .string(key, value)
        case .array(let values): .bools(key, values.compactMap(\.bool))  // the only lists that a spec has
        case .object, .table, .null: nil
        }
    }
}

extension JSON {
    /// As a file has it, a member or element of the outermost level on a line of its own.
    func text(indent: Bool = false) -> String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return "\(value)"
        case .number(let value): return value.isFinite ? "\(value)" : "null"
        case .string(let value): return quoted(value)
        case .array(let values): return "[" + values.map { $0.text() }.joined(separator: ", ") + "]"
        case .object(let object):
            let members = zip(object.keys, object.values).map { quoted($0) + ": " + $1.text() }
            return indent
                ? "{\n  " + members.joined(separator: ",\n  ") + "\n}\n" : "{" + members.joined(separator: ", ") + "}"
        case .table: preconditionFailure("a table, which only readers of vocabularies ask for")
        }
    }
}
