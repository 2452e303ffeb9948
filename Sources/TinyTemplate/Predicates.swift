/// What can stand after `is`; anything else is refused by name when the template is read.
enum Test: String, Sendable {
    case boolean, callable, defined, divisibleby, eq, equalto, escaped, even, `false`, filter, float, ge, greaterthan,
        gt,
        `in`, integer, iterable, le, lessthan, lower, lt, mapping, ne, none, number, odd, sameas, sequence, string,
        test,
        `true`, undefined, upper
    case equals = "=="
    case differs = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// The tests that are operators by another name.
    fileprivate var comparison: Comparison? {
        switch self {
        case .eq, .equalto, .equals: .equal
        case .ne, .differs: .notEqual
        case .lt, .lessthan, .less: .less
        case .le, .lessOrEqual: .lessOrEqual
        case .gt, .greaterthan, .greater: .greater
        case .ge, .greaterOrEqual: .greaterOrEqual
        case .in: .isIn
        default: nil
        }
    }
}

extension Evaluator {
    func holds(_ test: Test, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Bool {
        let owner = "test '\(test.rawValue)'"
        if let comparison = test.comparison {
            return try compare(value, comparison, bind(arguments, ["other"], required: 1, owner).value(0))
        }
        switch test {
        case .divisibleby:
            let other = try bind(arguments, ["num"], required: 1, owner).value(0)
            return try remainder(value, other) == 0
        case .sameas: return isSame(value, try bind(arguments, ["other"], required: 1, owner).value(0))
        default: _ = try bind(arguments, [], owner)
        }
        switch test {
        case .even: return try remainder(value, .int(2)) == 0
        case .odd: return try remainder(value, .int(2)) == 1
        case .lower: return try text(of: value).isLowercase
        case .upper: return try text(of: value).isUppercase
        case .filter: return try Filter(rawValue: name(value)) != nil
        case .test: return try Test(rawValue: name(value)) != nil
        default: return isKind(test, value)
        }
    }

    private func isKind(_ test: Test, _ value: Value) -> Bool {
        switch (test, value) {
        case (.defined, _): !value.isUndefined
        case (.undefined, _): value.isUndefined
        case (.none, .none), (.boolean, .bool), (.true, .bool(true)), (.false, .bool(false)): true
        case (.integer, .int), (.float, .double), (.number, .int), (.number, .double), (.number, .bool): true
        case (.string, .text), (.mapping, .map), (.callable, .callable): true
        case (.iterable, .text), (.iterable, .list), (.iterable, .map), (.iterable, .undefined), (.iterable, .loop):
            true
        // Mappings count too: they have a length and subscripts.
        case (.sequence, .text), (.sequence, .map), (.sequence, .undefined): true
        case (.sequence, .list(let list)): list.kind == .list || list.kind == .tuple || list.kind == .range
        default: false
        }
    }

    /// What a filter or test would be called. What is no string names none; what is no key cannot even be asked for.
    private func name(_ value: Value) throws(TemplateError) -> String {
        if case .text(let text) = value { return text.string }
        _ = try key(of: value)
        return ""
    }

    private func remainder(_ value: Value, _ other: Value) throws(TemplateError) -> Double {
        guard value.number != nil, other.number != nil else {
            let culprit = value.number == nil ? value : other
            throw fail(culprit, "\(culprit.kind) cannot be divided")
        }
        return try calculate(value, .modulo, other).number ?? 0
    }

    /// Python's `is`: sure for the values that exist only once.
    private func isSame(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.none, .none): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.text(let a), .text(let b)): a == b
        case (.namespace(let a), .namespace(let b)): a == b
        case (.loop(let a), .loop(let b)): a.number == b.number
        default: false
        }
    }
}
