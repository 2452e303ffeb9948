/// Reads statements: the part of the grammar between `{%` and `%}`. Expressions are in `Parser+Expressions.swift`.
///
///     body  = { text | "{{" tuple "}}" | "{%" statement "%}" }
///     if    = "if" tuple body { "elif" tuple body } [ "else" body ] "endif"
///     for   = "for" target "in" tuple [ "if" expression ] body [ "else" body ] "endfor"
///     set   = "set" target "=" tuple  |  "set" target { "|" filter } body "endset"
///     macro = "macro" name "(" [ name [ "=" expression ] { "," … } ] ")" body "endmacro"
///     with, filter, generation, break, continue
struct Parser {
    private let tokens: [Token]
    private(set) var position = 0
    /// How deep the parser stands in parentheses, tags and operator chains.
    private var depth = 0
    private let depthLimit: Int
    private var loops = 0
    /// In a branch that may never be taken, where unknown filters and tests are only errors once they are reached.
    var branches = 0
    /// The first unknown filter or test outside of such branches.
    var pending: TemplateError?
    /// Names that the macro being read uses; they decide whether it takes surplus arguments.
    var usesMoreArguments = false
    var usesMoreNames = false

    /// A template's tree, and its literal texts joined by zero bytes.
    static func read(
        _ source: String, limits: TemplateLimits
    ) throws(TemplateError) -> (statements: [Statement], literals: String) {
        if source.utf8.count / 4 > limits.sourceLength || source.unicodeScalars.count > limits.sourceLength {
            throw .limit("\(limits.sourceLength) characters of source", line: 1)
        }
        var parser = Parser(tokens: try Lexer.tokens(of: source), depthLimit: limits.sourceDepth)
        let statements = try parser.body(until: [], of: nil)
        if let error = parser.pending { throw error }
        return (statements, parser.literals)
    }

    private var literals: String {
        let texts = tokens.compactMap { token in
            switch token.kind {
            case .data(let text), .text(let text): text.string
            default: nil
            }
        }
        return texts.joined(separator: "\0")
    }

    private init(tokens: [Token], depthLimit: Int) {
        self.tokens = tokens
        self.depthLimit = depthLimit
    }

    // MARK: Tokens

    var current: Token { tokens[position] }
    var following: Token { tokens[min(position + 1, tokens.count - 1)] }
    /// Stays on the last token, which is the template's end.
    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func at(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
    func at(name: String) -> Bool { current.kind == .name(name) }

    mutating func take(_ symbol: String) -> Bool {
        guard at(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(name: String) -> Bool {
        guard at(name: name) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(TemplateError) {
        if !take(symbol) { throw unexpected("'\(symbol)'") }
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    func unexpected(_ expected: String) -> TemplateError {
        .syntax("expected \(expected), found \(current.description)", line: current.line)
    }

    /// Guards the stack, of the parser and of everything that walks the tree later (freeing it, too).
    mutating func nest(_ levels: Int = 1) throws(TemplateError) {
        depth += levels
        if depth > depthLimit { throw .limit("\(depthLimit) nested constructs", line: current.line) }
    }

    mutating func unnest(_ levels: Int = 1) { depth -= levels }

    // MARK: Statements

    /// Statements up to a tag among `ends`, whose name is then the current token.
    private mutating func body(until ends: Set<String>, of tag: (name: String, line: Int)?) throws(TemplateError)
        -> [Statement]
    {
        try nest()
        defer { unnest() }
        var statements: [Statement] = []
        while true {
            let token = current
            switch token.kind {
            case .data(let text):
                advance()
                statements.append(Statement(line: token.line, kind: .text(text)))
            case .expressionStart:
                advance()
                let expression = try tuple()
                guard current.kind == .expressionEnd else { throw unexpected("'}}'") }
                advance()
                statements.append(Statement(line: token.line, kind: .output(expression)))
            case .statementStart:
                advance()
                guard case .name(let name) = current.kind else { throw unexpected("the name of a tag") }
                if ends.contains(name) { return statements }
                let line = current.line
                advance()
                let kind = try statement(name, line: line)
                try endTag()
                statements.append(Statement(line: line, kind: kind))
            default:
                if let tag { throw .syntax("'\(tag.name)' is not closed", line: tag.line) }
                return statements
            }
        }
    }

    private mutating func endTag() throws(TemplateError) {
        guard current.kind == .statementEnd else { throw unexpected("'%}'") }
        advance()
    }

    /// The end of the opening tag, a body, and the name that ends it.
    private mutating func block(_ tag: String, line: Int, until ends: Set<String>) throws(TemplateError) -> [Statement]
    {
        _ = take(":")
        try endTag()
        return try body(until: ends, of: (tag, line))
    }

    private mutating func block(_ tag: String, line: Int) throws(TemplateError) -> [Statement] {
        let statements = try block(tag, line: line, until: ["end" + tag])
        advance()
        return statements
    }

    private mutating func statement(_ name: String, line: Int) throws(TemplateError) -> Statement.Kind {
        switch name {
        case "if": return try choice(line: line)
        case "for": return try loop(line: line)
        case "set": return try set(line: line)
        case "macro": return try macro(line: line)
        case "with": return try with(line: line)
        case "generation": return .scope(try block(name, line: line))
        case "filter":
            let filters = try filterCalls(startingInline: true)
            return .filter(filters, try block(name, line: line))
        case "break", "continue":
            if loops == 0 { throw .syntax("'\(name)' outside of a loop", line: line) }
            return name == "break" ? .leave : .next
        case "else", "elif", "endif", "endfor", "endset", "endmacro", "endwith", "endfilter", "endgeneration":
            throw .syntax("'\(name)' closes nothing", line: line)
        default: throw .unsupported("tag", name: name, line: line)
        }
    }

    private mutating func choice(line: Int) throws(TemplateError) -> Statement.Kind {
        branches += 1
        defer { branches -= 1 }
        var branches: [(test: Expression, body: [Statement])] = []
        while true {
            let test = try tuple(conditional: false)
            branches.append((test, try block("if", line: line, until: ["elif", "else", "endif"])))
            if take(name: "elif") { continue }
            var otherwise: [Statement] = []
            if take(name: "else") { otherwise = try block("if", line: line, until: ["endif"]) }
            advance()
            return .choice(branches, otherwise: otherwise)
        }
    }

    private mutating func loop(line: Int) throws(TemplateError) -> Statement.Kind {
        let target = try target(until: "in")
        guard take(name: "in") else { throw unexpected("'in'") }
        let items = try tuple(conditional: false)
        let condition: Expression? = if take(name: "if") { try expression() } else { nil }
        if at(name: "recursive") { throw .unsupported("loop modifier", name: "recursive", line: current.line) }
        loops += 1
        let body = try block("for", line: line, until: ["else", "endfor"])
        loops -= 1
        var otherwise: [Statement] = []
        if take(name: "else") { otherwise = try block("for", line: line, until: ["endfor"]) }
        advance()
        return .loop(ForLoop(target: target, items: items, condition: condition, body: body, otherwise: otherwise))
    }

    private mutating func set(line: Int) throws(TemplateError) -> Statement.Kind {
        let target = try target(until: "=")
        if take("=") { return .set(target, try tuple()) }
        let filters = try filterCalls(startingInline: false)
        return .capture(target, filters, try block("set", line: line))
    }

    private mutating func macro(line: Int) throws(TemplateError) -> Statement.Kind {
        let name = try expectName()
        var parameters: [(name: String, initial: Expression?)] = []
        // Loops and surplus arguments are the macro's own.
        let outer = (loops, usesMoreArguments, usesMoreNames)
        (loops, usesMoreArguments, usesMoreNames) = (0, false, false)
        defer { (loops, usesMoreArguments, usesMoreNames) = outer }
        try expect("(")
        while !take(")") {
            if !parameters.isEmpty { try expect(",") }
            let parameter = try expectName()
            let initial: Expression? = if take("=") { try expression() } else { nil }
            if initial == nil, let last = parameters.last, last.initial != nil {
                throw .syntax("'\(parameter)' needs a default, for '\(last.name)' has one", line: line)
            }
            parameters.append((parameter, initial))
        }
        let body = try block("macro", line: line)
        return .macro(
            Macro(
                name: name, parameters: parameters, body: body, takesMoreArguments: usesMoreArguments,
                takesMoreNames: usesMoreNames))
    }

    private mutating func with(line: Int) throws(TemplateError) -> Statement.Kind {
        var assignments: [(target: Target, value: Expression)] = []
        while current.kind != .statementEnd {
            if !assignments.isEmpty { try expect(",") }
            let target = try target(until: "=", members: false)
            try expect("=")
            assignments.append((target, try expression()))
        }
        return .with(assignments, try block("with", line: line))
    }

    /// `{ "|" filter }`, or at once a filter's name (`{% filter upper %}`).
    private mutating func filterCalls(startingInline: Bool) throws(TemplateError) -> [FilterCall] {
        var calls: [FilterCall] = []
        while (startingInline && calls.isEmpty) || take("|") {
            let line = current.line
            let name = try expectName()
            guard let filter = Filter(rawValue: name) else { throw .unsupported("filter", name: name, line: line) }
            calls.append(FilterCall(line: line, filter: filter, arguments: at("(") ? try arguments() : Arguments()))
        }
        return calls
    }

    // MARK: Targets

    /// One name, or several with commas between them; `namespace.name` only where `set` allows it.
    private mutating func target(until end: String, members: Bool = true) throws(TemplateError) -> Target {
        let members = members && end == "="
        let first = try singleTarget(members: members)
        guard at(",") else { return first }
        var targets = [first]
        while take(","), !at(end), !at(name: end) { targets.append(try singleTarget(members: members)) }
        return .tuple(targets)
    }

    private mutating func singleTarget(members: Bool) throws(TemplateError) -> Target {
        if take("(") {
            try nest()
            defer { unnest() }
            var targets: [Target] = []
            var isTuple = false
            while !take(")") {
                if !targets.isEmpty { try expect(","); isTuple = true }
                if take(")") { break }
                targets.append(try singleTarget(members: members))
            }
            return targets.count == 1 && !isTuple ? targets[0] : .tuple(targets)
        }
        let line = current.line
        let name = try expectName()
        if members, take(".") { return .member(of: name, Name(try expectName())) }
        if ["true", "false", "none", "True", "False", "None", "loop"].contains(name) {
            throw .syntax("'\(name)' cannot be assigned to", line: line)
        }
        return .name(name)
    }
}
