/// What a template is given: the values of JSON, and text that speaks for the template's own author.
///
/// ```swift
/// let message: TemplateValue = ["role": "user", "content": "Hello"]
/// ```
public indirect enum TemplateValue: Sendable, Equatable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    /// Somebody's text: whatever it looks like, it is never read as a special token.
    case string(String)
    /// Text of the model's makers, such as a beginning-of-text token: special tokens in it are meant.
    case trusted(String)
    case array([TemplateValue])
    case object([Member])

    /// A key and its value. Members keep their order; of two equal keys the last one's value counts.
    public struct Member: Sendable, Equatable {
        public let key: String
        public let value: TemplateValue

        public init(_ key: String, _ value: TemplateValue) {
            self.key = key
            self.value = value
        }
    }

    /// The last member with a key; nil if there is none, or if this is no object.
    public subscript(key: String) -> TemplateValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .none }
    public init(arrayLiteral elements: TemplateValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, TemplateValue)...) {
        self = .object(elements.map { Member($0, $1) })
    }
}

extension Value {
    /// - Parameter room: how much deeper lists and objects may nest.
    init(_ value: TemplateValue, room: Int) throws(TemplateError) {
        if room < 0 { throw .limit("nested lists and mappings among the values", line: 1) }
        switch value {
        case .none: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .int(value)
        case .number(let value): self = .double(value)
        case .string(let text): self = .string(text)
        case .trusted(let text): self = .trusted(text)
        case .array(let items):
            var values: [Value] = []
            values.reserveCapacity(items.count)
            for item in items { values.append(try Value(item, room: room - 1)) }
            self = .array(values)
        case .object(let members):
            var pairs: [(String, Value)] = []
            pairs.reserveCapacity(members.count)
            for member in members { pairs.append((member.key, try Value(member.value, room: room - 1))) }
            self = .object(pairs)
        }
    }
}
