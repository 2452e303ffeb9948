/// Why a template cannot be read or rendered, and the line of the template where that was found.
public enum TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The template is not well formed.
    case syntax(String, line: Int)
    /// A tag, filter, test, method or function that is not part of the subset: "filter", "from_json".
    case unsupported(String, name: String, line: Int)
    /// Something was asked of a value that is not there.
    case undefined(name: String, line: Int)
    /// The template called `raise_exception`: the conversation is not one it accepts.
    case raised(String, line: Int)
    /// An operation that its operands do not allow.
    case invalid(String, line: Int)
    /// The template wanted more time, depth or room than it is given.
    case limit(String, line: Int)

    public var line: Int {
        switch self {
        case .syntax(_, let line), .unsupported(_, _, let line), .undefined(_, let line), .raised(_, let line),
            .invalid(_, let line), .limit(_, let line):
            line
        }
    }

    /// The name at fault, where there is one.
    public var name: String? {
        switch self {
        case .unsupported(_, let name, _), .undefined(let name, _): name
        default: nil
        }
    }

    public var message: String {
        switch self {
        case .syntax(let message, _), .raised(let message, _), .invalid(let message, _): message
        case .unsupported(let kind, let name, _): "the \(kind) '\(name)' is not supported"
        case .undefined(let name, _): name.isEmpty ? "the value is undefined" : "'\(name)' is undefined"
        case .limit(let what, _): "the template exceeds the limit of \(what)"
        }
    }

    public var description: String { "chat template, line \(line): \(message)" }
}

/// How much a template may use. Templates come with weights from strangers, so each of these ends in an error, never in
/// a trap or a full memory.
///
/// A step is an expression or statement evaluated, eight letters copied, eight items visited or one put into a list: so
/// steps limit memory as well as time. The allowance grows with the values given, because an honest template's work does too.
public struct TemplateLimits: Sendable {
    public var steps = 500_000
    /// Further steps for each list, object, number or string among the values, and for each letter in them.
    public var stepsPerValue = 1_000
    public var stepsPerLetter = 8
    /// How deep expressions and statements nest in the source, an operator in a chain counting like a parenthesis.
    public var sourceDepth = 100
    /// How deep evaluation nests, across macro calls.
    public var evaluationDepth = 200
    /// How deep lists and objects nest.
    public var valueDepth = 200
    public var rangeLength = 100_000
    /// Letters of source, and of output.
    public var sourceLength = 400_000
    public var outputLength = 64_000_000

    public init() {}
}
