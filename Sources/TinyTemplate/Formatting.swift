/// Python's two ways to fill a string in: `"%s" % value` and `"{}".format(value)`.
extension Evaluator {
    // MARK: Percent

    /// `%[flags][width][.precision]conversion`, with `s r d i f x X %`; names in parentheses look up a mapping.
    func formatted(_ format: Text, percent value: Value) throws(TemplateError) -> Text {
        var values: [Value] = [value]
        if case .list(let list) = value, list.kind == .tuple { values = list.items }
        var next = 0
        var usesNames = false
        var result = Text().asMarkup(format.isMarkup)
        var rest = format.letters[...]
        while let letter = rest.popFirst() {
            guard letter == "%" else {
                result.letters.append(letter)
                continue
            }
            var argument: Value?
            if rest.first.map({ $0 == "(" }) == true {
                guard let end = rest.firstIndex(where: { $0 == ")" }) else {
                    throw fail("a name in a format is not closed")
                }
                guard case .map(let object) = value else { throw fail("a format with names needs a mapping") }
                let name = Text(rest[(rest.startIndex + 1)..<end])
                guard let member = object[name] else { throw fail("'\(name.string)' is not given to the format") }
                argument = member
                usesNames = true
                rest = rest[(end + 1)...]
            }
            let layout = try Layout(&rest, for: self)
            guard let conversion = rest.popFirst() else { throw fail("a format ends after '%'") }
            if conversion == "%" {
                result.letters.append(conversion)
                continue
            }
            if argument == nil {
                if next >= values.count { throw fail("there are not enough arguments for the format") }
                argument = values[next]
                next += 1
            }
            var part = try converted(argument ?? .none, conversion.scalar, layout)
            if format.isMarkup { part = escaped(part) }
            part = try layout.fill(part, for: self)
            try charge(part.count)
            result += part
        }
        if next < values.count, !usesNames {
            // Whatever has subscripts might be asked by name, so Python does not count what was used.
            if case .map = value { return result }
            if case .list(let list) = value, list.kind == .list || list.kind == .range { return result }
            throw fail("not all arguments fit into the format")
        }
        return result
    }

    /// How wide a value is printed, and with how many digits.
    private struct Layout {
        var left = false
        var zero = false
        var plus = false
        var width = 0
        var precision: Int?

        init(_ rest: inout ArraySlice<Letter>, for evaluator: Evaluator) throws(TemplateError) {
            flags: while let flag = rest.first {
                switch flag.scalar {
                case "-": left = true
                case "0": zero = true
                case "+": plus = true
                default: break flags
                }
                rest.removeFirst()
            }
            width = try Self.number(&rest, for: evaluator) ?? 0
            if rest.first.map({ $0 == "." }) == true {
                rest.removeFirst()
                precision = try Self.number(&rest, for: evaluator) ?? 0
            }
        }

        private static func number(_ rest: inout ArraySlice<Letter>, for evaluator: Evaluator) throws(TemplateError)
            -> Int?
        {
            var digits = ""
            while let letter = rest.first, letter.scalar.isASCII, letter.scalar.isPythonDecimal {
                digits.unicodeScalars.append(letter.scalar)
                rest.removeFirst()
            }
            if digits.isEmpty { return nil }
            guard let number = Int(digits), number <= 1000 else {
                throw evaluator.fail(limit: "1000 places in a format")
            }
            return number
        }

        func fill(_ text: Text, for evaluator: Evaluator) throws(TemplateError) -> Text {
            let missing = max(width - text.count, 0)
            let isNumber = text.letters.first.map { "+-0123456789".unicodeScalars.contains($0.scalar) } ?? false
            if left { return try text + evaluator.spaces(missing) }
            if !zero || !isNumber { return try evaluator.spaces(missing) + text }
            let sign = text.letters.first.map { $0 == "-" || $0 == "+" } == true ? 1 : 0
            let zeros = Text(Array(repeating: Letter("0"), count: missing))
            return Text(text.letters[..<sign]) + zeros + Text(text.letters[sign...])
        }
    }

    private func converted(_ value: Value, _ conversion: Unicode.Scalar, _ layout: Layout) throws(TemplateError) -> Text
    {
        func signed(_ digits: String) -> Text { Text(layout.plus && !digits.hasPrefix("-") ? "+" + digits : digits) }
        switch conversion {
        case "s", "r":
            var text = Text()
            if conversion == "s" { text = try self.text(of: value) } else { try represent(value, in: &text) }
            return layout.precision.map { Text(text.letters.prefix($0)) } ?? text
        case "d", "i":
            if case .double(let number) = value {
                guard let whole = Int(exactly: number.rounded(.towardZero)) else {
                    throw fail(limit: "64-bit integers")
                }
                return signed(String(whole))
            }
            guard let integer = value.integer else { throw fail(value, "'%d' needs a number, not \(value.kind)") }
            return signed(String(integer))
        case "f", "F":
            guard let number = value.number else { throw fail(value, "'%f' needs a number, not \(value.kind)") }
            return signed(number.fixed(decimals: layout.precision ?? 6))
        case "x", "X":
            guard let integer = value.integer else { throw fail(value, "'%x' needs an integer, not \(value.kind)") }
            return signed(String(integer, radix: 16, uppercase: conversion == "X"))
        default: throw fail(unsupported: "format", "%\(conversion)")
        }
    }

    // MARK: Braces

    /// `{}`, `{0}`, `{name}`, followed by `.attribute` and `[item]`; no layout after a colon.
    func formatted(_ format: Text, _ arguments: CallArguments) throws(TemplateError) -> Text {
        var next = 0
        var result = Text()
        var rest = format.letters[...]
        while let letter = rest.popFirst() {
            if letter == "{" || letter == "}" {
                if let twin = rest.first, twin == letter {
                    rest.removeFirst()
                    result.letters.append(letter)
                    continue
                }
                guard letter == "{", let end = rest.firstIndex(where: { $0 == "}" }) else {
                    throw fail("a single '\(letter.scalar)' in a format")
                }
                let field = Text(rest[..<end])
                rest = rest[(end + 1)...]
                var part = try text(of: value(of: field, arguments, &next))
                if format.isMarkup { part = escaped(part) }
                try charge(part.count)
                result += part
            } else {
                result.letters.append(letter)
            }
        }
        return result
    }

    private func value(of field: Text, _ arguments: CallArguments, _ next: inout Int) throws(TemplateError) -> Value {
        if field.letters.contains(where: { $0 == ":" || $0 == "!" || $0 == "{" }) {
            throw fail(unsupported: "format", "{\(field.string)}")
        }
        let first = Text(field.letters.prefix { $0 != "." && $0 != "[" })
        var value: Value
        if first.isEmpty || first.all({ $0.isASCII && $0.isPythonDecimal }) {
            let index = first.isEmpty ? next : Int(first.string) ?? .max
            if first.isEmpty { next += 1 }
            guard arguments.positional.indices.contains(index) else {
                throw fail("there are not enough arguments for the format")
            }
            value = arguments.positional[index]
        } else {
            let name = first.string
            guard let named = arguments.named.first(where: { $0.name == name }) else {
                throw fail("'\(name)' is not given to the format")
            }
            value = named.value
        }
        var rest = field.letters[first.count...]
        while let mark = rest.popFirst() {
            if mark == "." {
                let name = rest.prefix { $0 != "." && $0 != "[" }
                rest = rest[name.endIndex...]
                value = try attribute(Name(Text(name).string), of: value)
            } else {
                guard let end = rest.firstIndex(where: { $0 == "]" }) else {
                    throw fail("a bracket in a format is not closed")
                }
                let key = Text(rest[..<end])
                rest = rest[(end + 1)...]
                let index = key.all { $0.isASCII && $0.isPythonDecimal } ? Int(key.string) : nil
                value = try item(index.map(Value.int) ?? .text(key), of: value)
            }
        }
        return value
    }
}
