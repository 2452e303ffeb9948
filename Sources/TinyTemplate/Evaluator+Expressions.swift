extension Evaluator {
    func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
        try enter()
        defer { exit() }
        line = expression.line
        switch expression.kind {
        case .constant(let value): return value
        case .name(let name): return try variable(name)
        case .list(let items): return try list(items, .list)
        case .tuple(let items): return try list(items, .tuple)
        case .dictionary(let pairs): return try dictionary(pairs)
        case .attribute(let owner, let name): return try attribute(name, of: evaluate(owner))
        case .item(let owner, let index): return try item(owner, index)
        case .slice(let owner, let start, let stop, let step): return try slice(owner, start, stop, step)
        case .call(let function, let arguments): return try call(function, arguments)
        case .filter(let input, let filter, let arguments):
            return try filtered(input, filter, arguments, expression.line)
        case .test(let input, let test, let arguments): return try tested(input, test, arguments, expression.line)
        case .not(let operand): return .bool(try !evaluate(operand).isTrue)
        case .minus(let operand): return try negated(evaluate(operand))
        case .plus(let operand): return try positive(evaluate(operand))
        case .binary(let left, let operation, let right): return try binary(left, operation, right)
        case .comparison(let first, let pairs): return try comparison(first, pairs)
        case .concatenation(let parts): return try concatenation(parts)
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .conditional(let test, let yes, let no): return try conditional(test, yes, no)
        case .unknown(let kind, let name): throw fail(unsupported: kind, name)
        }
    }

    func evaluate(_ arguments: Arguments) throws(TemplateError) -> CallArguments {
        var values = CallArguments()
        for argument in arguments.positional { values.positional.append(try evaluate(argument)) }
        for argument in arguments.named { values.named.append((argument.name, try evaluate(argument.value))) }
        return values
    }

    // Each of these has a function of its own so that `evaluate`, which recurses most, needs little of the stack.

    func variable(_ name: String) throws(TemplateError) -> Value {
        if let value = scope.find(name) { return value }
        if let function = Function(rawValue: name) { return .callable(.function(function)) }
        return .undefined(name)
    }

    private func list(_ items: [Expression], _ kind: List.Kind) throws(TemplateError) -> Value {
        var values: [Value] = []
        for item in items { values.append(try evaluate(item)) }
        let value = Value.list(List(values, kind))
        try charge(for: value)
        return value
    }

    private func dictionary(_ pairs: [(key: Expression, value: Expression)]) throws(TemplateError) -> Value {
        var object = Object()
        for pair in pairs {
            let name = try evaluate(pair.key)
            object.set(try key(of: name), name, try evaluate(pair.value))
        }
        let value = Value.map(object)
        try charge(for: value)
        return value
    }

    private func conditional(_ test: Expression, _ yes: Expression, _ no: Expression?) throws(TemplateError) -> Value {
        if try evaluate(test).isTrue { return try evaluate(yes) }
        if let no { return try evaluate(no) }
        return .undefined("")
    }

    private func concatenation(_ parts: [Expression]) throws(TemplateError) -> Value {
        var result = Text()
        for part in parts { result += try text(of: evaluate(part)) }
        try charge(result.count)
        return .text(result)
    }

    private func filtered(
        _ input: Expression, _ filter: Filter, _ arguments: Arguments, _ line: Int
    ) throws(TemplateError) -> Value {
        let value = try evaluate(input)
        let arguments = try evaluate(arguments)
        self.line = line
        return try apply(filter, to: value, arguments)
    }

    private func tested(
        _ input: Expression, _ test: Test, _ arguments: Arguments, _ line: Int
    ) throws(TemplateError) -> Value {
        let value = try evaluate(input)
        let arguments = try evaluate(arguments)
        self.line = line
        return .bool(try holds(test, value, arguments))
    }

    private func call(_ function: Expression, _ arguments: Arguments) throws(TemplateError) -> Value {
        let line = line
        let callee = try evaluate(function)
        let arguments = try evaluate(arguments)
        self.line = line
        return try call(callee, arguments)
    }

    func call(_ callee: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard case .callable(let callable) = callee else { throw fail(callee, "\(callee.kind) cannot be called") }
        let result: Value
        switch callable {
        case .function(let function): result = try call(function, arguments)
        case .macro(let number): return try call(macro: number, arguments)
        case .method(let receiver, let name):
            try charge(for: receiver)
            result = try call(method: name, of: receiver, arguments)
        }
        try charge(for: result)
        if case .method(.text(let text), _) = callable, text.isMarkup { return result.asMarkup }
        return result
    }

    // MARK: Members

    /// `value.name`: what Python would find as an attribute, or else the item of that name.
    func attribute(_ name: Name, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let owner): throw .undefined(name: owner, line: line)
        case .namespace(let number): return namespaces[number][name.text] ?? .undefined(name.string)
        case .loop(let loop): return self.attribute(name.string, of: loop)
        default: break
        }
        // Python's own attributes are out of bounds, whatever a mapping holds under such names.
        if name.string.hasPrefix("__"), name.string.hasSuffix("__") { return .undefined(name.string) }
        if value.hasMethod(name.string) { return .callable(.method(value, name.string)) }
        if case .map(let object) = value, let member = object[name.text] { return member }
        return .undefined(name.string)
    }

    private func item(_ owner: Expression, _ index: Expression) throws(TemplateError) -> Value {
        let value = try evaluate(owner)
        return try item(evaluate(index), of: value)
    }

    /// `value[index]`: the item, or else the attribute of that name.
    func item(_ index: Value, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let owner): throw .undefined(name: owner, line: line)
        case .map(let object):
            // What cannot be a key is not there, which is no error to Jinja.
            if let key = try? key(of: index), let member = object[key] { return member }
        case .list(let list):
            if let position = index.integer {
                let isIndexed = list.kind == .list || list.kind == .tuple || list.kind == .range
                guard isIndexed, let item = list.items.python(position) else { return .undefined("\(position)") }
                return item
            }
        case .text(let text):
            if let position = index.integer {
                return text.letters.python(position).map { .text(Text([$0]).asMarkup(text.isMarkup)) }
                    ?? .undefined("\(position)")
            }
        default: break
        }
        guard case .text(let name) = index else { return .undefined("") }
        if case .map = value {
            let method = name.string
            return value.hasMethod(method) ? .callable(.method(value, method)) : .undefined(method)
        }
        return try attribute(Name(name.string), of: value)
    }

    private func attribute(_ name: String, of loop: Loop) -> Value {
        let last = loop.items.count - 1
        switch name {
        case "index": return .int(loop.index + 1)
        case "index0": return .int(loop.index)
        case "revindex": return .int(last - loop.index + 1)
        case "revindex0": return .int(last - loop.index)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index == last)
        case "length": return .int(loop.items.count)
        case "depth": return .int(1)
        case "depth0": return .int(0)
        case "previtem": return loop.index > 0 ? loop.items[loop.index - 1] : .undefined("previtem")
        case "nextitem": return loop.index < last ? loop.items[loop.index + 1] : .undefined("nextitem")
        case "cycle", "changed": return .callable(.method(.loop(loop), name))
        default: return .undefined(name)
        }
    }

    // MARK: Slices

    private func slice(
        _ owner: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?
    ) throws(TemplateError) -> Value {
        let value = try evaluate(owner)
        let start = try bound(start)
        let stop = try bound(stop)
        let step = try bound(step) ?? 1
        if step == 0 { throw fail("a slice's step cannot be zero") }
        let result: Value
        switch value {
        case .text(let text):
            result = .text(Text(text.letters.python(from: start, to: stop, by: step)).asMarkup(text.isMarkup))
        case .list(let list) where list.kind == .list || list.kind == .tuple || list.kind == .range:
            result = .list(List(list.items.python(from: start, to: stop, by: step), list.kind))
        // Jinja folds constants before it renders, and then finds nothing under what is no key.
        case .undefined: throw fail(value, "")
        case _ where owner.isConstant: return .undefined("slice")
        default: throw fail(value, "\(value.kind) cannot be sliced")
        }
        try charge(for: result)
        return result
    }

    private func bound(_ expression: Expression?) throws(TemplateError) -> Int? {
        guard let expression else { return nil }
        let value = try evaluate(expression)
        if value.isNone { return nil }
        guard let bound = value.integer else {
            throw fail(value, "a slice's bound must be an integer, not \(value.kind)")
        }
        return bound
    }

    // MARK: Keys

    /// - Throws: for what Python calls unhashable.
    func key(of value: Value) throws(TemplateError) -> Key {
        try spend(1)
        switch value {
        case .text(let text):
            try charge(text.count)
            return .text(text)
        case .none: return .none
        case .undefined: return .undefined
        case .bool(let value): return .int(value ? 1 : 0)
        case .int(let value): return .int(value)
        case .double(let value): return Int(exactly: value).map(Key.int) ?? .double(value)
        case .list(let list) where list.kind == .tuple:
            var keys: [Key] = []
            for item in list.items { keys.append(try key(of: item)) }
            return .tuple(keys)
        default: throw fail(value, "\(value.kind) cannot be a key")
        }
    }

    func object(_ members: [(name: String, value: Value)]) -> Object {
        var object = Object()
        for member in members {
            let text = Text(member.name)
            object.set(.text(text), .text(text), member.value)
        }
        return object
    }
}

extension Array {
    /// The item at an index that may count from the end.
    func python(_ index: Int) -> Element? {
        let position = index < 0 ? index.addingReportingOverflow(count).partialValue : index
        return indices.contains(position) ? self[position] : nil
    }

    /// A slice as Python takes it: bounds may be missing, negative or far outside.
    func python(from start: Int?, to stop: Int?, by step: Int) -> [Element] {
        /// A bound within `low...high`; negative ones count from the end.
        func clamped(_ bound: Int, _ low: Int, _ high: Int) -> Int {
            let position = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
            return Swift.min(Swift.max(position, low), high)
        }
        if step == 1 {
            let first = start.map { clamped($0, 0, count) } ?? 0
            let end = stop.map { clamped($0, 0, count) } ?? count
            return first < end ? Array(self[first..<end]) : []
        }
        let first =
            step > 0 ? start.map { clamped($0, 0, count) } ?? 0 : start.map { clamped($0, -1, count - 1) } ?? count - 1
        let end = step > 0 ? stop.map { clamped($0, 0, count) } ?? count : stop.map { clamped($0, -1, count - 1) } ?? -1
        return stride(from: first, to: end, by: step).map { self[$0] }
    }
}
