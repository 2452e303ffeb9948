import TinyJSON

/// Reads the fields of a JSON object one by one, by type and range, and knows at the end which nobody asked for.
///
/// ```swift
/// var fields = try FieldReader(body: bytes)
/// let temperature = try fields.number("temperature", 0...2) ?? 1
/// try fields.refuse(["logit_bias"], "is not supported")
/// try fields.finish(harmless: ["user"])
/// ```
///
/// A field that is null counts as not there, as OpenAI has it. All errors name the field, with its path from the body on.
struct FieldReader {
    /// Limits of what a request may hold, whatever its fields are.
    enum Limit {
        static let depth = 64
        static let values = 500_000
    }

    private let object: JSONObject
    /// Where the object stands in the body, as `messages[0]`; empty for the body itself.
    let path: String
    private var known: Set<String> = []

    init(_ object: JSONObject, path: String = "") {
        (self.object, self.path) = (object, path)
    }

    /// - Parameter body: a request's body.
    init(body: [UInt8]) throws(APIError) {
        let value: JSON
        do throws(JSONError) {
            value = try JSON(parsing: body, depthLimit: Limit.depth, valueLimit: Limit.values)
        } catch { throw .notJSON("\(error).") }
        guard case .object(let object) = value else {
            throw .notJSON("\(value.kind), and a JSON object is expected.")
        }
        self.init(object)
    }

    /// The field's name from the body on: `messages[0].role`.
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func has(_ key: String) -> Bool { object[key].map { !$0.isNull } ?? false }

    // MARK: Any value

    /// The field's value; nil if it is not there, or null.
    mutating func value(_ key: String) -> JSON? {
        known.insert(key)
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    mutating func required(_ key: String, _ expected: String) throws(APIError) -> JSON {
        guard let value = value(key) else {
            throw .field(name(key), "is missing; \(expected) is expected.", code: "missing_required_parameter")
        }
        return value
    }

    /// An error about the type of a field.
    func wrongType(_ key: String, _ found: JSON, _ expected: String) -> APIError {
        .field(name(key), "is \(found.kind), and \(expected) is expected.", code: "invalid_type")
    }

    func outOfRange(_ key: String, _ found: String, _ expected: String) -> APIError {
        .field(name(key), "is \(found); \(expected) is expected.", code: "invalid_value")
    }

    // MARK: By type

    mutating func string(_ key: String) throws(APIError) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw wrongType(key, value, "a string") }
        return text
    }

    mutating func requiredString(_ key: String) throws(APIError) -> String {
        _ = try required(key, "a string")
        return try string(key) ?? ""
    }

    mutating func bool(_ key: String) throws(APIError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let flag) = value else { throw wrongType(key, value, "true or false") }
        return flag
    }

    /// A whole number; `16.0` is one too, as some clients write it.
    mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = value(key) else { return nil }
        let expected = "a whole number \(Self.text(range))"
        switch value {
        case .integer(let number):
            guard range.contains(number) else { throw outOfRange(key, "\(number)", expected) }
            return number
        case .number(let number):
            // Beyond 2⁵³ it stands for its neighbors too, and is not what was written.
            guard let whole = Int(exactly: number), whole.magnitude <= 1 << 53, range.contains(whole) else {
                throw outOfRange(key, "\(number)", expected)
            }
            return whole
        default: throw wrongType(key, value, expected)
        }
    }

    /// - Parameter above: whether the range's lower end itself is not allowed.
    mutating func number(
        _ key: String, _ range: ClosedRange<Double>, above: Bool = false
    ) throws(APIError) -> Double? {
        guard let value = value(key) else { return nil }
        let expected =
            above
            ? "a number above \(Self.text(range.lowerBound)), at most \(Self.text(range.upperBound))"
            : "a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        let number: Double
        switch value {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default: throw wrongType(key, value, expected)
        }
        guard range.contains(number), !above || number > range.lowerBound else {
            throw outOfRange(key, Self.text(number), expected)
        }
        return number
    }

    mutating func array(_ key: String) throws(APIError) -> [JSON]? {
        guard let value = value(key) else { return nil }
        guard case .array(let values) = value else { throw wrongType(key, value, "an array") }
        return values
    }

    /// An object, to be read in the same way.
    mutating func fields(_ key: String) throws(APIError) -> FieldReader? {
        guard let value = value(key) else { return nil }
        guard case .object(let object) = value else { throw wrongType(key, value, "an object") }
        return FieldReader(object, path: name(key))
    }

    /// Objects of an array, each to be read in the same way.
    mutating func list(_ key: String) throws(APIError) -> [FieldReader]? {
        guard let values = try array(key) else { return nil }
        var readers: [FieldReader] = []
        for (index, value) in values.enumerated() {
            guard case .object(let object) = value else {
                throw wrongType("\(key)[\(index)]", value, "an object")
            }
            readers.append(FieldReader(object, path: name("\(key)[\(index)]")))
        }
        return readers
    }

    /// One of these words.
    mutating func choice(_ key: String, _ words: [String]) throws(APIError) -> String? {
        guard let word = try string(key) else { return nil }
        guard words.contains(word) else {
            throw outOfRange(key, APIError.quoted(word), words.map { "\"\($0)\"" }.joined(separator: " or "))
        }
        return word
    }

    // MARK: What is not read

    /// Fields that the API has and this server cannot follow. Values that ask for nothing (`[]`, `{}`, false, null, and those
    /// of `except`) are accepted.
    mutating func refuse(_ keys: [String], _ reason: String, except: [JSON] = []) throws(APIError) {
        for key in keys {
            guard let value = value(key) else { continue }
            switch value {
            case .array([]), .bool(false): continue
            case .object(let object) where object.isEmpty: continue
            default:
                if !except.contains(value) { throw .unsupported(name(key), reason) }
            }
        }
    }

    /// Refuses what nobody has asked for.
    ///
    /// - Parameter harmless: fields that do not change the answer, whatever they hold.
    func finish(harmless: Set<String> = []) throws(APIError) {
        for key in object.keys where !known.contains(key) && !harmless.contains(key) {
            throw .unsupported(
                name(key.count > 100 ? "\(key.prefix(100))…" : key),
                "is not a field that this server knows, so it cannot do what it asks for.")
        }
    }

    // MARK: Words

    private static func text(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? "\(number)"
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max ? "from \(range.lowerBound) on" : "from \(range.lowerBound) to \(range.upperBound)"
    }
}
