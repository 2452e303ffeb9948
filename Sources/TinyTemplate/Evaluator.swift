/// Variables by name. A scope sees those around it; what is set in it is its own.
final class Scope {
    let outer: Scope?
    var variables: [String: Value] = [:]

    init(in outer: Scope?) { self.outer = outer }

    func find(_ name: String) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.variables[name] { return value }
            scope = current.outer
        }
        return nil
    }
}

/// Renders a tree: one evaluator per rendering. It owns all that changes (scopes, namespaces, output) and all that is
/// counted against the limits. Here are the statements; expressions are in `Evaluator+Expressions.swift`.
final class Evaluator {
    let limits: TemplateLimits
    let date: TemplateDate?
    /// The line being evaluated, for errors.
    var line = 1
    private var steps: Int
    private var depth = 0

    private var output = Text()
    var scope = Scope(in: nil)
    var namespaces: [Object] = []
    var macros: [(macro: Macro, scope: Scope)] = []
    private var loopCount = 0
    private var generatorCount = 0
    /// Generators that were iterated over already.
    private var spent: Set<Int> = []
    /// What `loop.changed` was asked last, by the loop's number.
    var changes: [Int: [Value]] = [:]

    init(_ values: [(String, Value)], date: TemplateDate?, limits: TemplateLimits) throws(TemplateError) {
        self.limits = limits
        self.date = date
        var allowance = Allowance()
        for (name, value) in values {
            if value.depth > limits.valueDepth {
                throw .limit("\(limits.valueDepth) nested lists and mappings", line: 1)
            }
            allowance.count(value)
            scope.variables[name] = value
        }
        steps = limits.steps
        for (count, each) in [(allowance.values, limits.stepsPerValue), (allowance.letters, limits.stepsPerLetter)] {
            let (product, overflow) = count.multipliedReportingOverflow(by: each)
            let (sum, overflow2) = steps.addingReportingOverflow(product)
            steps = overflow || overflow2 ? .max : sum
        }
    }

    /// What the values given are worth in steps.
    private struct Allowance {
        var values = 0
        var letters = 0

        mutating func count(_ value: Value) {
            values += 1
            switch value {
            case .text(let text): letters += text.count
            case .list(let list): for item in list.items { count(item) }
            case .map(let object): for item in object.values { count(item) }
            default: break
            }
        }
    }

    func render(_ statements: [Statement]) throws(TemplateError) -> Text {
        scope = Scope(in: scope)
        _ = try run(statements)
        return output
    }

    // MARK: Limits

    /// Counts work that is not an evaluation of its own: letters copied, items visited.
    func charge(_ items: Int) throws(TemplateError) { try spend(items / 8) }

    func spend(_ count: Int) throws(TemplateError) {
        steps = count > steps ? -1 : steps - count
        if steps < 0 { throw .limit("the steps a rendering may take", line: line) }
    }

    /// Counts the work that made a value.
    func charge(for value: Value) throws(TemplateError) {
        switch value {
        case .text(let text): try charge(text.count)
        case .list(let list):
            try spend(list.items.count)
            try checkDepth(list.depth)
        case .map(let object):
            try spend(object.count * 2)
            try checkDepth(object.depth)
        case .callable, .loop: try checkDepth(value.depth)
        default: break
        }
    }

    private func checkDepth(_ depth: Int) throws(TemplateError) {
        if depth > limits.valueDepth { throw fail(limit: "\(limits.valueDepth) nested lists and mappings") }
    }

    func enter() throws(TemplateError) {
        depth += 1
        if depth > limits.evaluationDepth { throw fail(limit: "\(limits.evaluationDepth) nested evaluations") }
        try spend(1)
    }

    func exit() { depth -= 1 }

    // MARK: Errors

    func fail(_ message: String) -> TemplateError { .invalid(message, line: line) }
    func fail(limit: String) -> TemplateError { .limit(limit, line: line) }
    func fail(unsupported kind: String, _ name: String) -> TemplateError { .unsupported(kind, name: name, line: line) }

    /// The error for an operation on a value of the wrong kind; on an undefined one, that it is undefined.
    func fail(_ value: Value, _ message: @autoclosure () -> String) -> TemplateError {
        if case .undefined(let name) = value { .undefined(name: name, line: line) } else { fail(message()) }
    }

    // MARK: Statements

    /// How a body ended.
    enum Course { case on, leave, next }

    func run(_ statements: [Statement]) throws(TemplateError) -> Course {
        try enter()
        defer { exit() }
        for statement in statements {
            let course = try run(statement)
            if course != .on { return course }
        }
        return .on
    }

    private func run(_ statement: Statement) throws(TemplateError) -> Course {
        try spend(1)
        line = statement.line
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression): try write(try text(of: evaluate(expression)))
        case .choice(let branches, let otherwise): return try choose(branches, otherwise)
        case .loop(let loop): try run(loop)
        case .set(let target, let expression): try assign(try evaluate(expression), to: target)
        case .capture(let target, let filters, let body): try capture(target, filters, body)
        case .filter(let filters, let body):
            let text = try captured(body)
            try write(self.text(of: apply(filters, to: text)))
        case .macro(let macro):
            scope.variables[macro.name] = .callable(.macro(macros.count))
            macros.append((macro, scope))
        case .with(let assignments, let body): return try with(assignments, body)
        case .scope(let body):
            return try inScope(Scope(in: scope), body)
        case .leave: return .leave
        case .next: return .next
        }
        return .on
    }

    private func write(_ text: Text) throws(TemplateError) {
        try charge(text.count)
        if output.count + text.count > limits.outputLength {
            throw fail(limit: "\(limits.outputLength) characters of output")
        }
        output += text
    }

    private func choose(
        _ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement]
    ) throws(TemplateError) -> Course {
        for (test, body) in branches where try evaluate(test).isTrue { return try run(body) }
        return try run(otherwise)
    }

    private func inScope(_ inner: Scope, _ body: [Statement]) throws(TemplateError) -> Course {
        let outer = scope
        scope = inner
        defer { scope = outer }
        return try run(body)
    }

    /// What a body writes, instead of writing it.
    private func captured(_ body: [Statement], in inner: Scope? = nil) throws(TemplateError) -> Text {
        let outer = output
        output = Text()
        defer { output = outer }
        _ = try inScope(inner ?? Scope(in: scope), body)
        return output
    }

    private func capture(_ target: Target, _ filters: [FilterCall], _ body: [Statement]) throws(TemplateError) {
        try assign(apply(filters, to: captured(body)), to: target)
    }

    private func apply(_ filters: [FilterCall], to text: Text) throws(TemplateError) -> Value {
        var value = Value.text(text)
        for call in filters {
            line = call.line
            value = try apply(call.filter, to: value, evaluate(call.arguments))
        }
        return value
    }

    private func with(
        _ assignments: [(target: Target, value: Expression)], _ body: [Statement]
    ) throws(TemplateError) -> Course {
        // All values are evaluated outside, before the first name is set.
        var values: [Value] = []
        for assignment in assignments { values.append(try evaluate(assignment.value)) }
        let outer = scope
        scope = Scope(in: outer)
        defer { scope = outer }
        for (assignment, value) in zip(assignments, values) { try assign(value, to: assignment.target) }
        return try run(body)
    }

    func assign(_ value: Value, to target: Target) throws(TemplateError) {
        switch target {
        case .name(let name): scope.variables[name] = value
        case .member(let owner, let name):
            guard case .namespace(let number) = try variable(owner) else {
                throw fail("'\(owner)' is not a namespace, so '\(owner).\(name.string)' cannot be set")
            }
            try checkMember(name.string)
            namespaces[number].set(.text(name.text), .text(name.text), value)
        case .tuple(let targets):
            let items = try items(of: value)
            if items.count != targets.count {
                throw fail("\(items.count) values cannot be unpacked into \(targets.count) names")
            }
            for (target, item) in zip(targets, items) { try assign(item, to: target) }
        }
    }

    func checkMember(_ name: String) throws(TemplateError) {
        if name.hasPrefix("_") { throw fail("a namespace cannot hold '\(name)': the name starts with an underscore") }
    }

    // MARK: Loops

    private func run(_ loop: ForLoop) throws(TemplateError) {
        var items = try items(of: evaluate(loop.items))
        if let condition = loop.condition { items = try filtered(items, loop.target, condition) }
        loopCount += 1
        let depth = 1 + (items.lazy.map(\.depth).max() ?? 0)
        try checkDepth(depth)
        var state = Loop(items: items, index: 0, number: loopCount, depth: depth)
        let outer = scope
        defer { scope = outer }
        // As in Jinja a round that ends in `break` or `continue` does not count as one, so `else` may follow it.
        var isDone = false
        while state.index < items.count {
            try spend(1)
            // Each round has a scope of its own: what one sets, the next does not see.
            scope = Scope(in: outer)
            try assign(items[state.index], to: loop.target)
            scope.variables["loop"] = .loop(state)
            let course = try run(loop.body)
            if course == .leave { break }
            if course == .on { isDone = true }
            state.index += 1
        }
        if !isDone {
            scope = outer
            _ = try inScope(Scope(in: outer), loop.otherwise)
        }
    }

    private func filtered(
        _ items: [Value], _ target: Target, _ condition: Expression
    ) throws(TemplateError) -> [Value] {
        let outer = scope
        defer { scope = outer }
        var kept: [Value] = []
        for item in items {
            scope = Scope(in: outer)
            try assign(item, to: target)
            if try evaluate(condition).isTrue { kept.append(item) }
        }
        return kept
    }

    /// What iterating over a value gives: items of a list, letters of a string, keys of a mapping, nothing of undefined.
    func items(of value: Value) throws(TemplateError) -> [Value] {
        switch value {
        case .undefined: return []
        case .list(let list):
            if case .generator(let number) = list.kind, !spent.insert(number).inserted { return [] }
            try charge(list.items.count)
            return list.items
        case .text(let text):
            try spend(text.count)
            return text.letters.map { .text(Text([$0])) }
        case .map(let object):
            try charge(object.count)
            return object.keys
        case .loop, .none, .bool, .int, .double, .namespace, .callable:
            throw fail("\(value.kind) cannot be iterated over")
        }
    }

    /// The result of a filter that Python computes lazily.
    func generator(_ items: [Value]) throws(TemplateError) -> Value {
        generatorCount += 1
        let value = Value.list(List(items, .generator(generatorCount)))
        try charge(for: value)
        return value
    }

    // MARK: Macros

    func call(macro number: Int, _ arguments: CallArguments) throws(TemplateError) -> Value {
        // A call takes more of the stack than an expression does, so it counts as more.
        for _ in 0..<3 { try enter() }
        defer { for _ in 0..<3 { exit() } }
        let (macro, definedIn) = macros[number]
        let inner = Scope(in: definedIn)
        var positional = arguments.positional[...]
        var named = arguments.named
        let outer = scope
        defer { scope = outer }
        scope = inner
        for (name, initial) in macro.parameters {
            if let value = positional.popFirst() {
                scope.variables[name] = value
            } else if let index = named.firstIndex(where: { $0.name == name }) {
                scope.variables[name] = named.remove(at: index).value
            } else if let initial {
                scope.variables[name] = try evaluate(initial)
            } else {
                scope.variables[name] = .undefined(name)
            }
        }
        if macro.takesMoreNames {
            scope.variables["kwargs"] = .map(object(named))
        } else if let surplus = named.first {
            throw fail("macro '\(macro.name)' takes no argument '\(surplus.name)'")
        }
        if macro.takesMoreArguments {
            scope.variables["varargs"] = .list(List(Array(positional), .tuple))
        } else if !positional.isEmpty {
            throw fail("macro '\(macro.name)' takes no more than \(macro.parameters.count) arguments")
        }
        return .text(try captured(macro.body, in: inner))
    }
}
