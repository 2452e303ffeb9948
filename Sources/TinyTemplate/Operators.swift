#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the operators do, as in Python: booleans are integers, integers have 64 bits and overflow is an error.
extension Evaluator {
    func negated(_ value: Value) throws(TemplateError) -> Value {
        if case .double(let number) = value { return .double(-number) }
        guard let integer = value.integer else { throw fail(value, "\(value.kind) cannot be negated") }
        return try checked(Int(0).subtractingReportingOverflow(integer))
    }

    func positive(_ value: Value) throws(TemplateError) -> Value {
        if case .double = value { return value }
        guard let integer = value.integer else { throw fail(value, "\(value.kind) has no sign") }
        return .int(integer)
    }

    private func checked(_ result: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Value {
        if result.overflow { throw fail(limit: "64-bit integers") }
        return .int(result.partialValue)
    }

    // MARK: Arithmetic

    func binary(
        _ left: Expression, _ operation: BinaryOperator, _ right: Expression
    ) throws(TemplateError) -> Value {
        let line = line
        let a = try evaluate(left)
        let b = try evaluate(right)
        self.line = line
        let result = try calculate(a, operation, b)
        try charge(for: result)
        return result
    }

    func calculate(_ a: Value, _ operation: BinaryOperator, _ b: Value) throws(TemplateError) -> Value {
        if let a = a.integer, let b = b.integer { return try calculate(a, operation, b) }
        if let a = a.number, let b = b.number { return .double(try calculate(a, operation, b)) }
        switch (operation, a, b) {
        case (.add, .text(let a), .text(let b)):
            return .text(a.isMarkup || b.isMarkup ? (escaped(a) + escaped(b)).asMarkup() : a + b)
        case (.add, .list(let a), .list(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
            // Before it is made, not after.
            try spend(a.items.count + b.items.count)
            return .list(List(a.items + b.items, a.kind))
        case (.multiply, .text, _) where b.integer != nil, (.multiply, .list, _) where b.integer != nil:
            return try repeated(a, b.integer ?? 0)
        case (.multiply, _, .text) where a.integer != nil, (.multiply, _, .list) where a.integer != nil:
            return try repeated(b, a.integer ?? 0)
        case (.modulo, .text(let format), _): return .text(try formatted(format, percent: b))
        default:
            if a.isUndefined { throw fail(a, "") }
            throw fail(b, "'\(operation.rawValue)' does not work on \(a.kind) and \(b.kind)")
        }
    }

    private func calculate(_ a: Int, _ operation: BinaryOperator, _ b: Int) throws(TemplateError) -> Value {
        switch operation {
        case .add: return try checked(a.addingReportingOverflow(b))
        case .subtract: return try checked(a.subtractingReportingOverflow(b))
        case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
        case .divide:
            if b == 0 { throw fail("division by zero") }
            return .double(Double(a) / Double(b))
        case .floorDivide, .modulo:
            if b == 0 { throw fail("division by zero") }
            // Only Int.min / -1 overflows.
            let (quotient, overflow) = a.dividedReportingOverflow(by: b)
            if overflow { return operation == .modulo ? .int(0) : try checked((quotient, true)) }
            let remainder = a % b
            // Rounded to the floor, so that the remainder has the divisor's sign.
            let below = remainder != 0 && (remainder < 0) != (b < 0)
            if operation == .modulo { return .int(below ? remainder + b : remainder) }
            return .int(below ? quotient - 1 : quotient)
        case .power:
            if b < 0 {
                if a == 0 { throw fail("division by zero") }
                return .double(pow(Double(a), Double(b)))
            }
            return try integerPower(a, b)
        }
    }

    private func integerPower(_ base: Int, _ exponent: Int) throws(TemplateError) -> Value {
        if base == 0 || base == 1 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent % 2 == 0 ? 1 : -1) }
        if exponent > 64 { throw fail(limit: "64-bit integers") }
        var result = 1
        for _ in 0..<exponent {
            guard case .int(let product) = try checked(result.multipliedReportingOverflow(by: base)) else { break }
            result = product
        }
        return .int(result)
    }

    private func calculate(_ a: Double, _ operation: BinaryOperator, _ b: Double) throws(TemplateError) -> Double {
        switch operation {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .power:
            if a == 0, b < 0 { throw fail("division by zero") }
            let result = pow(a, b)
            if result.isNaN, !a.isNaN, !b.isNaN { throw fail("a root of a negative number is not a number") }
            if result.isInfinite, a.isFinite, b.isFinite { throw fail("the result of '**' is too large") }
            return result
        case .divide, .floorDivide, .modulo: break
        }
        if b == 0 { throw fail("division by zero") }
        if operation == .divide { return a / b }
        var remainder = a.truncatingRemainder(dividingBy: b)
        if remainder != 0, (remainder < 0) != (b < 0) { remainder += b }
        // A zero has the divisor's sign, too.
        if remainder == 0 { remainder = b < 0 ? -0.0 : 0.0 }
        return operation == .modulo ? remainder : ((a - remainder) / b).rounded()
    }

    private func repeated(_ value: Value, _ count: Int) throws(TemplateError) -> Value {
        let count = max(count, 0)
        let length =
            if case .text(let text) = value { text.count } else if case .list(let list) = value {
                list.items.count
            } else { 0 }
        let (total, overflow) = length.multipliedReportingOverflow(by: count)
        // Before it is made, not after.
        if case .list = value { try spend(overflow ? .max : total) } else { try charge(overflow ? .max : total) }
        if length == 0 || count == 0 { return empty(like: value) }
        switch value {
        case .text(let text):
            return .text(Text(Array(repeatElement(text.letters, count: count).joined())).asMarkup(text.isMarkup))
        case .list(let list): return .list(List(Array(repeatElement(list.items, count: count).joined()), list.kind))
        default: return value
        }
    }

    private func empty(like value: Value) -> Value {
        if case .list(let list) = value { .list(List([], list.kind)) } else { .text(Text()) }
    }

    // MARK: Comparisons

    func comparison(
        _ first: Expression, _ pairs: [(comparison: Comparison, operand: Expression)]
    ) throws(TemplateError) -> Value {
        let line = line
        var left = try evaluate(first)
        for (comparison, operand) in pairs {
            let right = try evaluate(operand)
            self.line = line
            if try !compare(left, comparison, right) { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    func compare(_ a: Value, _ comparison: Comparison, _ b: Value) throws(TemplateError) -> Bool {
        switch comparison {
        case .equal: try equal(a, b)
        case .notEqual: try !equal(a, b)
        case .less: try precedes(a, b, "<")
        case .greater: try precedes(b, a, ">")
        // Not the opposite of `>`: nothing holds for a NaN.
        case .lessOrEqual: try precedes(a, b, "<=", orEqual: true)
        case .greaterOrEqual: try precedes(b, a, ">=", orEqual: true)
        case .isIn: try contains(b, a)
        case .isNotIn: try !contains(b, a)
        }
    }

    func equal(_ a: Value, _ b: Value) throws(TemplateError) -> Bool {
        try spend(1)
        switch (a, b) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.text(let a), .text(let b)):
            if a.count != b.count { return false }
            try charge(a.count)
            return a == b
        case (.list(let a), .list(let b)):
            if a.items.count != b.items.count || a.kind != b.kind { return false }
            for (a, b) in zip(a.items, b.items) where try !equal(a, b) { return false }
            return true
        case (.map(let a), .map(let b)):
            if a.count != b.count { return false }
            for (name, value) in zip(a.keys, a.values) {
                guard let other = b[try key(of: name)], try equal(value, other) else { return false }
            }
            return true
        case (.namespace(let a), .namespace(let b)): return a == b
        case (.loop(let a), .loop(let b)): return a.number == b.number
        case (.callable(.macro(let a)), .callable(.macro(let b))): return a == b
        case (.callable(.function(let a)), .callable(.function(let b))): return a == b
        default:
            if let a = a.integer, let b = b.integer { return a == b }
            if let a = a.number, let b = b.number { return a == b }
            return false
        }
    }

    /// Whether `a` sorts before `b`.
    func precedes(_ a: Value, _ b: Value, _ name: String, orEqual: Bool = false) throws(TemplateError) -> Bool {
        try spend(1)
        switch (a, b) {
        case (.text(let a), .text(let b)):
            try charge(min(a.count, b.count))
            return orEqual ? !(b < a) : a < b
        case (.list(let a), .list(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
            for (a, b) in zip(a.items, b.items) where try !equal(a, b) { return try precedes(a, b, name) }
            return a.items.count < b.items.count || (orEqual && a.items.count == b.items.count)
        default:
            if let a = a.integer, let b = b.integer { return orEqual ? a <= b : a < b }
            if let a = a.number, let b = b.number { return orEqual ? a <= b : a < b }
            if a.isUndefined { throw fail(a, "") }
            throw fail(b, "'\(name)' does not work on \(a.kind) and \(b.kind)")
        }
    }

    /// `item in container`.
    func contains(_ container: Value, _ item: Value) throws(TemplateError) -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = item else { throw fail(item, "\(item.kind) cannot be in a string") }
            try charge(text.count + part.count)
            return text.contains(part)
        case .map(let object): return object[try key(of: item)] != nil
        case .list, .undefined:
            for other in try items(of: container) where try equal(other, item) { return true }
            return false
        default: throw fail("nothing can be in \(container.kind)")
        }
    }
}
