/// The functions that templates find without being given them.
enum Function: String, Sendable {
    case range, dict, namespace
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

extension Evaluator {
    func call(_ function: Function, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict: return .map(try members(arguments, "function 'dict'"))
        case .namespace:
            let object = try members(arguments, "function 'namespace'")
            for key in object.keys { if case .text(let name) = key { try checkMember(name.string) } }
            try spend(16)  // it stays until the end, whoever forgets it
            namespaces.append(object)
            return .namespace(namespaces.count - 1)
        case .raiseException:
            let message = try bind(arguments, ["message"], required: 1, "function 'raise_exception'").value(0)
            let words = try text(of: message).string.unicodeScalars
            // For a person to read; a template may say as much as it may print.
            let shown = String(String.UnicodeScalarView(words.prefix(1000)))
            throw .raised(words.dropFirst(1000).isEmpty ? shown : shown + "…", line: line)
        case .strftimeNow:
            let bound = try bind(arguments, ["format"], required: 1, "function 'strftime_now'")
            guard let date else { throw fail("no date was given for 'strftime_now'") }
            let format = try requiredText(bound, 0)
            var result = Text()
            var rest = format.letters[...]
            while let letter = rest.popFirst() {
                guard letter == "%", var code = rest.popFirst() else {
                    result.letters.append(letter)
                    continue
                }
                let unpadded = code == "-"
                if unpadded, let next = rest.popFirst() { code = next }
                guard let part = date.formatted(code.scalar, padded: !unpadded) else {
                    throw fail(unsupported: "date format", "%\(code.scalar)")
                }
                result += part
                try charge(part.utf8.count)
            }
            return .text(result)
        }
    }

    /// What `dict` and `namespace` are filled with: a mapping or pairs, and named arguments.
    private func members(_ arguments: CallArguments, _ owner: String) throws(TemplateError) -> Object {
        var result = Object()
        let source = try bind(CallArguments(positional: arguments.positional), ["mapping"], owner)[0]
        switch source {
        case nil: break
        case .map(let object)?: result = object
        case let pairs?:
            for pair in try items(of: pairs) {
                let parts = try items(of: pair)
                if parts.count != 2 { throw fail("\(owner) needs pairs") }
                result.set(try key(of: parts[0]), parts[0], parts[1])
            }
        }
        for (name, value) in arguments.named {
            let text = Text(name)
            result.set(.text(text), .text(text), value)
        }
        try charge(for: .map(result))
        return result
    }

    private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
        let owner = "function 'range'"
        let bound = try bind(unnamed(arguments, owner), ["start", "stop", "step"], required: 1, owner)
        for value in bound.values {
            if let value, value.integer == nil { throw fail(value, "\(owner) needs integers, not \(value.kind)") }
        }
        let first = bound.value(0).integer ?? 0
        let (start, stop) = bound[1] == nil ? (0, first) : (first, bound.value(1).integer ?? 0)
        let step = bound[2]?.integer ?? 1
        if step == 0 { throw fail("a range's step cannot be zero") }
        let (distance, overflow) =
            step > 0 ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        if distance <= 0, !overflow { return .list(List([], .range)) }
        if overflow || (distance - 1) / Int(clamping: step.magnitude) >= limits.rangeLength {
            throw fail(limit: "\(limits.rangeLength) numbers in a range")
        }
        return .list(List(stride(from: start, to: stop, by: step).map(Value.int), .range))
    }
}
