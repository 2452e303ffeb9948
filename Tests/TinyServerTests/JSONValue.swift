import TinyJSON

@testable import TinyServer

/// A value read by a path: `value["choices", 0, "text"]`.
struct JSONValue: Equatable, CustomStringConvertible {
    let json: JSON?

    init(_ json: JSON?) { self.json = json }
    init(parsing text: String) throws { json = try JSON(parsing: text) }

    subscript(path: any JSONStep...) -> JSONValue { path.reduce(self) { $1.step($0) } }

    var string: String? { json?.string }
    var integer: Int? { json?.integer }
    var double: Double? { json?.double }
    var count: Int? { json?.array?.count ?? json?.object?.count }
    var isNull: Bool { json?.isNull ?? false }
    var isThere: Bool { json != nil }
    var keys: [String] { json?.object?.keys ?? [] }
    var description: String { json?.written ?? "nothing" }
}

/// A member's name, or a place in an array.
protocol JSONStep {
    func step(_ value: JSONValue) -> JSONValue
}

extension String: JSONStep {
    func step(_ value: JSONValue) -> JSONValue { JSONValue(value.json?.object?[self]) }
}

extension Int: JSONStep {
    func step(_ value: JSONValue) -> JSONValue {
        JSONValue(value.json?.array.flatMap { $0.indices.contains(self) ? $0[self] : nil })
    }
}
