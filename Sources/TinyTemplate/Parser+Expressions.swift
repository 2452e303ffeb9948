/// Reads expressions. From loose to tight:
///
///     tuple      = expression { "," expression } [ "," ]
///     expression = operators [ "if" operators [ "else" expression ] ]
///     operators  = or · and · not · comparisons · + - · ~ · * / // % · **
///     unary      = ( "-" | "+" ) unary | primary { "." name | "[" … "]" | "(" … ")" } { "|" filter | "is" test }
extension Parser {
    /// How tightly an operator binds.
    enum Level: Int, Comparable {
        case or, and, not, comparison, sum, concatenation, product, power
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
        var next: Level { Level(rawValue: rawValue + 1) ?? .power }
    }

    private enum Operator {
        case or, and, concatenate
        case compare(Comparison)
        case binary(BinaryOperator)

        var level: Level {
            switch self {
            case .or: .or
            case .and: .and
            case .concatenate: .concatenation
            case .compare: .comparison
            case .binary(.add), .binary(.subtract): .sum
            case .binary(.power): .power
            case .binary: .product
            }
        }
    }

    /// - Parameter conditional: whether `a if b else c` may stand here; not so after `for … in`, whose `if` is a filter.
    mutating func tuple(conditional: Bool = true, parenthesized: Bool = false) throws(TemplateError) -> Expression {
        let line = current.line
        if parenthesized, at(")") { return Expression(line: line, kind: .tuple([])) }
        let first = try expression(conditional: conditional)
        guard at(",") else { return first }
        var items = [first]
        while take(",") {
            if at(")") || current.kind == .expressionEnd || current.kind == .statementEnd { break }
            items.append(try expression(conditional: conditional))
        }
        return Expression(line: line, kind: .tuple(items))
    }

    mutating func expression(conditional: Bool = true) throws(TemplateError) -> Expression {
        try nest()
        defer { unnest() }
        let line = current.line
        let before = pending
        var value = try operators(.or)
        var chain = 0
        if conditional, at(name: "if") { pending = before }
        while conditional, take(name: "if") {
            branches += 1
            defer { branches -= 1 }
            try nest()
            chain += 1
            let test = try operators(.or)
            let no: Expression? = if take(name: "else") { try expression() } else { nil }
            value = Expression(line: line, kind: .conditional(test: test, yes: value, no: no))
        }
        unnest(chain)
        return value
    }

    /// Operators that bind at least as tightly as `level`; each is read with what binds tighter on its right.
    private mutating func operators(_ level: Level) throws(TemplateError) -> Expression {
        try nest()
        // Every operator of a chain puts the tree one level deeper.
        var chain = 1
        defer { unnest(chain) }
        let line = current.line
        var left: Expression
        if level <= .not, take(name: "not") {
            left = Expression(line: line, kind: .not(try operators(.not)))
        } else {
            left = try unary()
        }
        while let operation = infix, operation.level >= level {
            try nest()
            chain += 1
            let kind: Expression.Kind
            switch operation {
            case .compare:
                var pairs: [(comparison: Comparison, operand: Expression)] = []
                while case .compare(let comparison) = infix {
                    skip(comparison)
                    pairs.append((comparison, try operators(.sum)))
                }
                kind = .comparison(left, pairs)
            case .concatenate:
                var parts = [left]
                while take("~") { parts.append(try operators(.product)) }
                kind = .concatenation(parts)
            case .or:
                advance()
                kind = .or(left, try operators(.and))
            case .and:
                advance()
                kind = .and(left, try operators(.not))
            case .binary(let binary):
                advance()
                kind = .binary(left, binary, try operators(operation.level.next, tight: operation.level == .power))
            }
            left = Expression(line: line, kind: kind)
        }
        return left
    }

    /// `**` binds to the left here (as in Jinja, unlike Python): its right side is unary.
    private mutating func operators(_ level: Level, tight: Bool) throws(TemplateError) -> Expression {
        tight ? try unary() : try operators(level)
    }

    private var infix: Operator? {
        switch current.kind {
        case .name("or"): .or
        case .name("and"): .and
        case .name("in"): .compare(.isIn)
        case .name("not"): following.kind == .name("in") ? .compare(.isNotIn) : nil
        case .symbol("~"): .concatenate
        case .symbol(let symbol):
            if let comparison = Comparison(rawValue: symbol) {
                .compare(comparison)
            } else {
                BinaryOperator(rawValue: symbol).map(Operator.binary)
            }
        default: nil
        }
    }

    private mutating func skip(_ comparison: Comparison) {
        advance()
        if comparison == .isNotIn { advance() }
    }

    private mutating func unary(filters: Bool = true) throws(TemplateError) -> Expression {
        try nest()
        var chain = 1
        defer { unnest(chain) }
        let line = current.line
        var value: Expression
        if take("-") {
            value = Expression(line: line, kind: .minus(try unary(filters: false)))
        } else if take("+") {
            value = Expression(line: line, kind: .plus(try unary(filters: false)))
        } else {
            value = try primary()
        }
        while let kind = try postfix(value) {
            try nest()
            chain += 1
            value = Expression(line: line, kind: kind)
        }
        while filters, let kind = try filtered(value) {
            try nest()
            chain += 1
            value = Expression(line: line, kind: kind)
        }
        return value
    }

    private mutating func primary() throws(TemplateError) -> Expression {
        let token = current
        let kind: Expression.Kind
        switch token.kind {
        case .name(let name):
            if ["not", "and", "or", "in", "is", "if", "else"].contains(name) { throw unexpected("an expression") }
            advance()
            switch name {
            case "true", "True": kind = .constant(.bool(true))
            case "false", "False": kind = .constant(.bool(false))
            case "none", "None": kind = .constant(.none)
            default:
                if name == "varargs" { usesMoreArguments = true }
                if name == "kwargs" { usesMoreNames = true }
                kind = .name(name)
            }
        case .text(var text):
            advance()
            while case .text(let more) = current.kind {
                text += more
                advance()
            }
            kind = .constant(.text(text))
        case .int(let value):
            advance()
            kind = .constant(.int(value))
        case .double(let value):
            advance()
            kind = .constant(.double(value))
        case .symbol("("):
            advance()
            let value = try tuple(parenthesized: true)
            try expect(")")
            return value
        case .symbol("["):
            advance()
            var items: [Expression] = []
            while !take("]") {
                if !items.isEmpty { try expect(",") }
                if take("]") { break }
                items.append(try expression())
            }
            kind = .list(items)
        case .symbol("{"): kind = try dictionary()
        default: throw unexpected("an expression")
        }
        return Expression(line: token.line, kind: kind)
    }

    private mutating func dictionary() throws(TemplateError) -> Expression.Kind {
        advance()
        var pairs: [(key: Expression, value: Expression)] = []
        while !take("}") {
            if !pairs.isEmpty { try expect(",") }
            if take("}") { break }
            let key = try expression()
            try expect(":")
            pairs.append((key, try expression()))
        }
        return .dictionary(pairs)
    }

    // MARK: After a value

    private mutating func postfix(_ value: Expression) throws(TemplateError) -> Expression.Kind? {
        if at("(") { return .call(value, try arguments()) }
        if at("[") { return try subscription(value) }
        guard take(".") else { return nil }
        if case .int(let index) = current.kind {
            let line = current.line
            advance()
            return .item(value, Expression(line: line, kind: .constant(.int(index))))
        }
        return .attribute(value, Name(try expectName()))
    }

    /// `[index]` or `[start:stop:step]`, each of the three optional.
    private mutating func subscription(_ value: Expression) throws(TemplateError) -> Expression.Kind {
        let line = current.line
        advance()
        var start: Expression?
        if !at(":") {
            let index = try expression()
            if take("]") { return .item(value, index) }
            if at(",") { throw .unsupported("subscript", name: ",", line: line) }
            start = index
        }
        try expect(":")
        let stop: Expression? = if at(":") || at("]") { nil } else { try expression() }
        let step: Expression? = if take(":"), !at("]") { try expression() } else { nil }
        try expect("]")
        return .slice(value, start: start, stop: stop, step: step)
    }

    private mutating func filtered(_ value: Expression) throws(TemplateError) -> Expression.Kind? {
        if at("(") { return .call(value, try arguments()) }
        if take("|") {
            let line = current.line
            let name = try dottedName()
            let arguments = at("(") ? try arguments() : Arguments()
            if let filter = Filter(rawValue: name) { return .filter(value, filter, arguments) }
            return unknown("filter", name, line)
        }
        guard take(name: "is") else { return nil }
        let line = current.line
        let negated = take(name: "not")
        let name = try dottedName()
        let kind: Expression.Kind
        let arguments = try testArguments()
        if let test = Test(rawValue: name) {
            kind = .test(value, test, arguments)
        } else {
            kind = unknown("test", name, line)
        }
        return negated ? .not(Expression(line: line, kind: kind)) : kind
    }

    /// An error right away, unless the expression turns out to stand in a branch.
    private mutating func unknown(_ kind: String, _ name: String, _ line: Int) -> Expression.Kind {
        if branches == 0, pending == nil { pending = .unsupported(kind, name: name, line: line) }
        return .unknown(kind, name: name)
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try expectName()
        while take(".") { name += "." + (try expectName()) }
        return name
    }

    /// A test's arguments in parentheses, or one argument without: `is divisibleby 3`.
    private mutating func testArguments() throws(TemplateError) -> Arguments {
        switch current.kind {
        case .symbol("("): return try arguments()
        case .name("else"), .name("or"), .name("and"): return Arguments()
        case .name("is"): throw .syntax("tests with 'is' cannot be chained", line: current.line)
        case .name, .text, .int, .double, .symbol("["), .symbol("{"):
            var value = try primary()
            var chain = 0
            defer { unnest(chain) }
            while let kind = try postfix(value) {
                try nest()
                chain += 1
                value = Expression(line: value.line, kind: kind)
            }
            return Arguments(positional: [value])
        default: return Arguments()
        }
    }

    mutating func arguments() throws(TemplateError) -> Arguments {
        let line = current.line
        try expect("(")
        var arguments = Arguments()
        var isFirst = true
        while !take(")") {
            if !isFirst { try expect(",") }
            isFirst = false
            if take(")") { break }
            if at("*") || at("**") {
                throw .unsupported("argument", name: at("*") ? "*" : "**", line: line)
            }
            if case .name(let name) = current.kind, following.kind == .symbol("=") {
                advance()
                advance()
                if arguments.named.contains(where: { $0.name == name }) {
                    throw .syntax("argument '\(name)' is given twice", line: line)
                }
                arguments.named.append((name, try expression()))
            } else {
                if !arguments.named.isEmpty {
                    throw .syntax("an argument without name follows one with a name", line: line)
                }
                arguments.positional.append(try expression())
            }
        }
        return arguments
    }
}
