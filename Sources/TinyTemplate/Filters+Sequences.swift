/// Filters on lists, mappings and strings as sequences.
extension Evaluator {
    func applyToSequence(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let owner = "filter '\(filter.rawValue)'"
        switch filter {
        case .list, .first, .last, .reverse, .items: return try simple(filter, value, arguments)
        case .join:
            let bound = try bind(arguments, ["d", "attribute"], owner)
            let separator = try text(of: bound[0] ?? .text(Text()))
            return .text(try joined(items(of: value), separator, path(bound, 1)))
        case .sort:
            let bound = try bind(arguments, ["reverse", "case_sensitive", "attribute"], owner)
            return try sorted(value, bound)
        case .unique:
            let bound = try bind(arguments, ["case_sensitive", "attribute"], owner)
            return try unique(value, bound)
        case .min, .max:
            let bound = try bind(arguments, ["case_sensitive", "attribute"], owner)
            return try extreme(filter, value, bound)
        case .sum:
            let bound = try bind(arguments, ["attribute", "start"], owner)
            return try sum(value, bound)
        default:
            let bound = try bind(arguments, ["case_sensitive", "by", "reverse"], owner)
            return try dictionarySorted(value, bound)
        }
    }

    private func simple(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, [], "filter '\(filter.rawValue)'")
        switch filter {
        case .list: return .list(List(try items(of: value)))
        case .first: return try items(of: value).first ?? .undefined("first")
        case .items:
            if value.isUndefined { return try generator([]) }
            guard case .map(let object) = value else { throw fail("filter 'items' needs a mapping, not \(value.kind)") }
            return try generator(object.pairs)
        default: break
        }
        if case .list(let list) = value, case .generator = list.kind {
            if filter == .last { throw fail("the result of a filter has no last item before it goes through 'list'") }
            return .list(List(try items(of: value).reversed()))
        }
        if filter == .last {
            if case .text(let text) = value { return text.letters.last.map { .text(Text([$0])) } ?? .undefined("last") }
            return try items(of: value).last ?? .undefined("last")
        }
        if case .text(let text) = value { return .text(text.reversed().asMarkup(text.isMarkup)) }
        return try generator(items(of: value).reversed())
    }

    private func joined(_ items: [Value], _ separator: Text, _ path: [Value]?) throws(TemplateError) -> Text {
        var result = Text()
        for (index, item) in items.enumerated() {
            let part = try text(of: path.map { path throws(TemplateError) in try follow(path, from: item) } ?? item)
            let start = result.count
            if index > 0 { result += separator }
            result += part
            try charge(result.count - start)
        }
        return result
    }

    // MARK: Attributes

    /// "a.b.0" taken apart: what to look up, one after the other.
    func path(_ arguments: BoundArguments, _ index: Int) throws(TemplateError) -> [Value]? {
        guard let value = arguments[index], !value.isNone else { return nil }
        return try path(value)
    }

    func path(_ value: Value) throws(TemplateError) -> [Value] {
        if case .int = value { return [value] }
        guard case .text(let text) = value else {
            throw fail(value, "an attribute is named by a string, not \(value.kind)")
        }
        return text.split(by: Text(".")).map { part in
            part.all(\.isPythonDecimal) ? Int(part.string).map(Value.int) ?? .text(part) : .text(part)
        }
    }

    func follow(_ path: [Value], from value: Value, default fallback: Value? = nil) throws(TemplateError) -> Value {
        var value = value
        for step in path {
            value = try item(step, of: value)
            if value.isUndefined, let fallback { value = fallback }
        }
        return value
    }

    /// What to compare an item by: an attribute or itself, without case unless told.
    private func sortKey(_ item: Value, _ path: [Value]?, caseSensitive: Bool) throws(TemplateError) -> Value {
        let value = if let path { try follow(path, from: item) } else { item }
        if !caseSensitive, case .text(let text) = value {
            try charge(text.count)
            return .text(text.lowercased)
        }
        return value
    }

    // MARK: Order

    /// Sorts stably, and by one walk before it makes sure that all can be compared.
    private func sorted(_ items: [Value], by keys: [Value], descending: Bool) throws(TemplateError) -> [Value] {
        try spend(items.count * 4)
        // Merge sort from below: stable, and comparisons may throw, which `sort` of the library does not allow for.
        var order = Array(items.indices)
        var width = 1
        while width < order.count {
            var merged: [Int] = []
            merged.reserveCapacity(order.count)
            for start in stride(from: 0, to: order.count, by: 2 * width) {
                var left = order[start..<min(start + width, order.count)]
                var right = order[min(start + width, order.count)..<min(start + 2 * width, order.count)]
                while let a = left.first, let b = right.first {
                    let takesRight =
                        descending ? try precedes(keys[a], keys[b], "<") : try precedes(keys[b], keys[a], "<")
                    merged.append(takesRight ? b : a)
                    if takesRight { right.removeFirst() } else { left.removeFirst() }
                }
                merged += left
                merged += right
            }
            order = merged
            width *= 2
        }
        return order.map { items[$0] }
    }

    private func sorted(_ value: Value, _ bound: BoundArguments) throws(TemplateError) -> Value {
        let items = try items(of: value)
        let caseSensitive = bound[1]?.isTrue ?? false
        var paths: [[Value]] = []
        switch bound[2] {
        case nil, Value.none?: break
        // Several attributes with commas between them.
        case .text(let names)?: for name in names.split(by: Text(",")) { paths.append(try path(.text(name))) }
        case let other?: paths = [try path(other)]
        }
        var keys: [Value] = []
        for item in items {
            if paths.isEmpty {
                keys.append(try sortKey(item, nil, caseSensitive: caseSensitive))
            } else {
                var parts: [Value] = []
                for path in paths { parts.append(try sortKey(item, path, caseSensitive: caseSensitive)) }
                keys.append(.list(List(parts)))
            }
        }
        return .list(List(try sorted(items, by: keys, descending: bound[0]?.isTrue ?? false)))
    }

    private func dictionarySorted(_ value: Value, _ bound: BoundArguments) throws(TemplateError) -> Value {
        guard case .map(let object) = value else {
            throw fail(value, "filter 'dictsort' needs a mapping, not \(value.kind)")
        }
        let by = try text(bound, 1)?.string ?? "key"
        guard by == "key" || by == "value" else {
            throw fail("filter 'dictsort' sorts by key or value, not by '\(by)'")
        }
        var keys: [Value] = []
        for item in by == "key" ? object.keys : object.values {
            keys.append(try sortKey(item, nil, caseSensitive: bound[0]?.isTrue ?? false))
        }
        return .list(List(try sorted(object.pairs, by: keys, descending: bound[2]?.isTrue ?? false)))
    }

    private func unique(_ value: Value, _ bound: BoundArguments) throws(TemplateError) -> Value {
        let path = try path(bound, 1)
        var seen: Set<Key> = []
        var kept: [Value] = []
        for item in try items(of: value) {
            let key = try key(of: sortKey(item, path, caseSensitive: bound[0]?.isTrue ?? false))
            if seen.insert(key).inserted { kept.append(item) }
        }
        return try generator(kept)
    }

    private func extreme(_ filter: Filter, _ value: Value, _ bound: BoundArguments) throws(TemplateError) -> Value {
        let path = try path(bound, 1)
        let caseSensitive = bound[0]?.isTrue ?? false
        var best: (item: Value, key: Value)?
        for item in try items(of: value) {
            let key = try sortKey(item, path, caseSensitive: caseSensitive)
            guard let (_, other) = best else {
                best = (item, key)
                continue
            }
            let isBetter = filter == .min ? try precedes(key, other, "<") : try precedes(other, key, "<")
            if isBetter { best = (item, key) }
        }
        return best?.item ?? .undefined(filter.rawValue)
    }

    private func sum(_ value: Value, _ bound: BoundArguments) throws(TemplateError) -> Value {
        let path = try path(bound, 0)
        var total = bound[1] ?? .int(0)
        for item in try items(of: value) {
            let term = if let path { try follow(path, from: item) } else { item }
            total = try calculate(total, .add, term)
            try charge(for: total)
        }
        return total
    }

    // MARK: Each item

    func applyEach(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        // Jinja asks for truth before it iterates, so that none and false have nothing to select from.
        let inputs = filter == .map || value.isTrue ? try items(of: value) : []
        if filter == .map { return try generator(mapped(inputs, arguments)) }
        var rest = arguments
        var path: [Value]?
        if filter == .selectattr || filter == .rejectattr {
            guard !rest.positional.isEmpty else {
                throw fail("filter '\(filter.rawValue)' needs the name of an attribute")
            }
            path = try self.path(rest.positional.removeFirst())
        }
        var test: Test?
        if !rest.positional.isEmpty {
            let name = rest.positional.removeFirst()
            guard case .text(let text) = name else { throw fail(name, "a test is named by a string, not \(name.kind)") }
            test = Test(rawValue: text.string)
            if test == nil { throw fail(unsupported: "test", text.string) }
        }
        let keeps = filter == .select || filter == .selectattr
        var kept: [Value] = []
        for item in inputs {
            try spend(1)
            let subject = if let path { try follow(path, from: item) } else { item }
            let holds = if let test { try holds(test, subject, rest) } else { subject.isTrue }
            if holds == keeps { kept.append(item) }
        }
        return try generator(kept)
    }

    /// `map(attribute="name")`, or `map("filter", …)`.
    private func mapped(_ inputs: [Value], _ arguments: CallArguments) throws(TemplateError) -> [Value] {
        var results: [Value] = []
        if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
            let bound = try bind(arguments, ["attribute", "default"], "filter 'map'")
            let path = try path(bound.value(0))
            let fallback = bound[1].flatMap { $0.isNone ? nil : $0 }
            for item in inputs { results.append(try follow(path, from: item, default: fallback)) }
            return results
        }
        var rest = arguments
        guard !rest.positional.isEmpty else { throw fail("filter 'map' needs the name of a filter or an attribute") }
        let name = rest.positional.removeFirst()
        guard case .text(let text) = name else { throw fail(name, "a filter is named by a string, not \(name.kind)") }
        guard let filter = Filter(rawValue: text.string) else { throw fail(unsupported: "filter", text.string) }
        for item in inputs { results.append(try apply(filter, to: item, rest)) }
        return results
    }
}
