/// A JSON value, as strict as RFC 8259: what checkpoints' headers, configurations and tokenizer files are read into.
///
/// A reader of our own rather than Foundation's, because Foundation keeps the last of two equal keys in silence (a
/// safetensors header that names a tensor twice is a lie we must report), and says nothing of where an error stands.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)
    /// An array or an object of small values, where the reader asked for it; to `array` and `object` it is none.
    case table(JSONTable)

    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var table: JSONTable? { if case .table(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// The value of an integer or a fraction.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// What kind of value this is, for messages: "a string", "an array".
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        case .table(let table): table.isObject ? "an object" : "an array"
        }
    }
}

/// The members of a JSON object in the order they were written, each key once.
package struct JSONObject: Sendable, Equatable {
    package private(set) var keys: [String] = []
    package private(set) var values: [JSON] = []
    /// Where keys stand, by UTF-8 bytes: Swift's `String ==` calls canonically equivalent spellings equal, files do not.
    private var index = KeyIndex()

    package init() {}

    package var count: Int { keys.count }
    package var isEmpty: Bool { keys.isEmpty }

    package subscript(key: String) -> JSON? {
        index.position(of: key, in: keys).map { values[$0] }
    }

    /// Adds a member; false, and nothing changed, if the key is there already.
    package mutating func append(_ key: String, _ value: JSON) -> Bool {
        guard index.insert(key, in: keys) else { return false }
        keys.append(key)
        values.append(value)
        return true
    }

    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.count == b.count && zip(a.keys, b.keys).allSatisfy { ExactKey($0) == ExactKey($1) } && a.values == b.values
    }
}

/// A string that is equal to another only if every byte is.
package struct ExactKey: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactKey, b: ExactKey) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        var copy = text
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
