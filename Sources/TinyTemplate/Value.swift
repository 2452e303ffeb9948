/// A value of the template language, with Python's behaviour.
///
/// Nothing in it can be changed and nothing refers to itself: what templates may change (namespaces) lives in the
/// evaluator and is named here by number.
enum Value: Sendable {
    /// What a missing variable or attribute gives; the payload is its name, for messages.
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case text(Text)
    case list(List)
    case map(Object)
    case namespace(Int)
    indirect case loop(Loop)
    indirect case callable(Callable)

    // MARK: What callers give

    /// Text that is somebody's, never read as a special token.
    static func string(_ string: String) -> Value { .text(Text(string, isTemplate: false)) }
    /// Text that speaks for the model's makers, such as `bos_token`.
    static func trusted(_ string: String) -> Value { .text(Text(string, isTemplate: true)) }
    static func array(_ items: [Value]) -> Value { .list(List(items)) }
    /// Members keep their order; of two equal keys the last one's value is kept. Keys count as somebody's text.
    static func object(_ members: [(String, Value)]) -> Value { .map(Object(members)) }

    /// How deep lists and objects nest here. Every walk recurses, freeing included, so this is limited.
    var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .map(let object): object.depth
        case .callable(.method(let receiver, _)): receiver.depth + 1
        case .loop(let loop): loop.depth
        default: 0
        }
    }

    /// What the value is called in messages.
    var kind: String {
        switch self {
        case .undefined: "an undefined value"
        case .none: "none"
        case .bool: "a boolean"
        case .int: "an integer"
        case .double: "a float"
        case .text: "a string"
        case .list(let list):
            switch list.kind {
            case .list: "a list"
            case .tuple: "a tuple"
            case .range: "a range"
            case .view: "a view of a mapping"
            case .generator: "the unlisted result of a filter"
            }
        case .map: "a mapping"
        case .namespace: "a namespace"
        case .loop: "the loop"
        case .callable: "a function"
        }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .text(let text): !text.isEmpty
        case .list(let list): if case .generator = list.kind { true } else { !list.items.isEmpty }
        case .map(let object): object.count > 0
        case .namespace, .loop, .callable: true
        }
    }

    /// Python's booleans are integers too.
    var integer: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): value
        default: nil
        }
    }

    var number: Double? {
        if case .double(let value) = self { value } else { integer.map(Double.init) }
    }

    /// The results of a marked-up string's methods are marked up as well.
    var asMarkup: Value {
        switch self {
        case .text(let text): .text(text.asMarkup())
        case .list(let list): .list(List(list.items.map(\.asMarkup), list.kind))
        default: self
        }
    }

    var asText: Text? { if case .text(let text) = self { text } else { nil } }
    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }
}

/// Anything with items in a row.
struct List: Sendable {
    enum Kind: Equatable, Sendable {
        case list, tuple, range
        /// What `items()`, `keys()` and `values()` of a mapping give: a length but no subscripts.
        case view
        /// What `map`, `select` and their like give: neither length nor subscripts, and items only once. The number tells
        /// the evaluator which of them were used up.
        case generator(Int)
    }

    let items: [Value]
    let kind: Kind
    let depth: Int

    init(_ items: [Value], _ kind: Kind = .list) {
        self.items = items
        self.kind = kind
        depth = 1 + (items.lazy.map(\.depth).max() ?? 0)
    }
}

/// A mapping that keeps the order in which its keys came.
struct Object: Sendable {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private(set) var depth = 1
    private var positions: [Key: Int] = [:]

    init() {}

    init(_ members: [(String, Value)]) {
        for (name, value) in members {
            let text = Text(name, isTemplate: false)
            set(.text(text), .text(text), value)
        }
    }

    var count: Int { keys.count }

    subscript(key: Key) -> Value? { positions[key].map { values[$0] } }
    subscript(name: Text) -> Value? { self[.text(name)] }

    mutating func set(_ key: Key, _ name: Value, _ value: Value) {
        depth = max(depth, 1 + value.depth, 1 + name.depth)
        if let position = positions[key] {
            values[position] = value
        } else {
            positions[key] = keys.count
            keys.append(name)
            values.append(value)
        }
    }

    var pairs: [Value] { zip(keys, values).map { .list(List([$0, $1], .tuple)) } }
}

/// What a mapping can be asked for. As in Python `1`, `1.0` and `true` are one key.
enum Key: Hashable, Sendable {
    case text(Text), int(Int), double(Double), none
    /// All that is undefined is one.
    case undefined
    case tuple([Key])
}

/// Where a `for` stands; `loop` in its body.
struct Loop: Sendable {
    let items: [Value]
    var index: Int
    /// Tells loops apart, for `loop.changed`.
    let number: Int
    let depth: Int
}

/// What can be called.
enum Callable: Sendable {
    case function(Function)
    case method(Value, String)
    /// The number of a macro in the evaluator.
    case macro(Int)
}
